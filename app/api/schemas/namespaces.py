"""Namespace requests."""

from marshmallow import fields

from app.api.schemas.fields import RequestSchema, TextList, TextMap


class CreateNamespaceRequestSchema(RequestSchema):
    namespace = fields.Raw(required=True, metadata={"component": "Namespace"})
    properties = TextMap(load_default=dict)


class UpdateNamespacePropertiesRequestSchema(RequestSchema):
    removals = TextList(load_default=list)
    updates = TextMap(load_default=dict)
