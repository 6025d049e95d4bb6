"""Function requests. The metadata is checked by the metadata rules."""

from marshmallow import fields

from app.api.schemas.fields import RequestSchema


class CreateFunctionRequestSchema(RequestSchema):
    name = fields.Raw(required=True, metadata={"component": "Name"})
    metadata = fields.Raw(required=True, metadata={"component": "FunctionMetadata"})
