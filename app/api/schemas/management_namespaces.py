"""Management requests and answers about namespaces, and the flag that tables and views have too."""

from marshmallow import Schema, fields

from app.api.schemas.fields import Flag, RequestSchema


class RenameNamespaceRequestSchema(RequestSchema):
    destination = fields.Raw(required=True, metadata={"component": "Namespace"})


class DropNamespaceResponseSchema(Schema):
    job_id = fields.Integer(required=True, data_key="job-id")


class ProtectionRequestSchema(RequestSchema):
    protected = Flag(required=True)


class ProtectionSchema(Schema):
    protected = fields.Boolean(required=True)
