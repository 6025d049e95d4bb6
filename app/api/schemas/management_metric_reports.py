"""Answers about stored reports."""

from marshmallow import Schema, fields


class MetricReportSchema(Schema):
    report_type = fields.String(required=True, data_key="report-type")
    at_ms = fields.Integer(required=True, data_key="at-ms")
    principal = fields.String(required=True)
    request_id = fields.String(required=True, data_key="request-id")
    snapshot_id = fields.Integer(required=True, allow_none=True, data_key="snapshot-id")
    report = fields.Dict(required=True)


class ListMetricReportsResponseSchema(Schema):
    reports = fields.List(fields.Nested(MetricReportSchema), required=True)
    next_page_token = fields.String(required=True, allow_none=True, data_key="next-page-token")
