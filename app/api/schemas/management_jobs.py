"""Answers about jobs."""

from marshmallow import Schema, fields


class JobSchema(Schema):
    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    status = fields.String(required=True)
    attempts = fields.Integer(required=True)
    progress = fields.Dict(required=True)
    message = fields.String(required=True, allow_none=True)
    created_at_ms = fields.Integer(required=True, data_key="created-at-ms")
    started_at_ms = fields.Integer(required=True, allow_none=True, data_key="started-at-ms")
    finished_at_ms = fields.Integer(required=True, allow_none=True, data_key="finished-at-ms")


class ListJobsResponseSchema(Schema):
    jobs = fields.List(fields.Nested(JobSchema), required=True)
    next_page_token = fields.String(required=True, allow_none=True, data_key="next-page-token")
