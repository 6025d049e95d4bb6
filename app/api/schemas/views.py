"""View requests. Schemas, versions, requirements and updates are checked by the metadata rules."""

from marshmallow import fields

from app.api.schemas.fields import Items, RequestSchema, Text, TextMap


class CreateViewRequestSchema(RequestSchema):
    name = fields.Raw(required=True, metadata={"component": "Name"})
    location = Text(load_default=None)
    schema = fields.Raw(required=True, metadata={"component": "Schema"})
    view_version = fields.Raw(required=True, data_key="view-version", metadata={"component": "ViewVersion"})
    properties = TextMap(load_default=dict)


class CommitViewRequestSchema(RequestSchema):
    identifier = fields.Raw(load_default=None, metadata={"component": "TableIdentifier"})
    requirements = Items(load_default=list, metadata={"items": "ViewRequirement"})
    updates = Items(load_default=list, metadata={"items": "ViewUpdate"})


class RegisterViewRequestSchema(RequestSchema):
    name = fields.Raw(required=True, metadata={"component": "Name"})
    metadata_location = Text(required=True, data_key="metadata-location")
