"""Answers about the audit."""

from marshmallow import Schema, fields, validate

OUTCOMES = ("success", "denied")


class AuditEventSchema(Schema):
    event_id = fields.String(required=True, data_key="event-id")
    event_type = fields.String(required=True, data_key="event-type")
    at_ms = fields.Integer(required=True, data_key="at-ms")
    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    response_code = fields.Integer(required=True, allow_none=True, data_key="response-code")
    actor = fields.String(required=True)
    actor_id = fields.Integer(required=True, allow_none=True, data_key="actor-id")
    actor_kind = fields.String(required=True, allow_none=True, data_key="actor-kind")
    credential = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    user_agent = fields.String(required=True, allow_none=True, data_key="user-agent")
    request_id = fields.String(required=True, data_key="request-id")
    job_id = fields.Integer(required=True, allow_none=True, data_key="job-id")
    operation = fields.String(required=True, allow_none=True)
    privilege = fields.String(required=True, allow_none=True)
    object_kind = fields.String(required=True, allow_none=True, data_key="object-kind")
    object_id = fields.Integer(required=True, allow_none=True, data_key="object-id")
    warehouse_id = fields.Integer(required=True, allow_none=True, data_key="warehouse-id")
    warehouse = fields.String(required=True, allow_none=True)
    namespace = fields.List(fields.String(), required=True)
    name = fields.String(required=True, allow_none=True)
    previous_metadata_location = fields.String(
        required=True, allow_none=True, data_key="previous-metadata-location"
    )
    metadata_location = fields.String(required=True, allow_none=True, data_key="metadata-location")
    details = fields.Dict(required=True)


class ListAuditResponseSchema(Schema):
    events = fields.List(fields.Nested(AuditEventSchema), required=True)
    next_page_token = fields.String(required=True, allow_none=True, data_key="next-page-token")
