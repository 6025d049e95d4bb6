"""Requests and answers about dropped tables and views."""

from marshmallow import Schema, fields

from app.api.schemas.fields import RequestSchema, Text


class DroppedObjectSchema(Schema):
    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    namespace = fields.List(fields.String(), required=True)
    name = fields.String(required=True)
    uuid = fields.String(required=True, allow_none=True)
    location = fields.String(required=True)
    metadata_location = fields.String(required=True, data_key="metadata-location")
    protected = fields.Boolean(required=True)
    purge = fields.Boolean(required=True)
    dropped_by = fields.String(required=True, data_key="dropped-by")
    dropped_at_ms = fields.Integer(required=True, data_key="dropped-at-ms")
    expires_at_ms = fields.Integer(required=True, data_key="expires-at-ms")


class ListDroppedResponseSchema(Schema):
    dropped = fields.List(fields.Nested(DroppedObjectSchema), required=True)
    next_page_token = fields.String(required=True, allow_none=True, data_key="next-page-token")


class UndropRequestSchema(RequestSchema):
    namespace = fields.Raw(load_default=None, metadata={"component": "Namespace"})
    name = Text(load_default=None)


class UndropResponseSchema(Schema):
    kind = fields.String(required=True)
    namespace = fields.List(fields.String(), required=True)
    name = fields.String(required=True)
