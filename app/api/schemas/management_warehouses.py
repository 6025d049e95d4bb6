"""Requests and answers about warehouses. A member that nobody knows is refused: it may be a misspelt one."""

from marshmallow import RAISE, Schema, fields, validate

from app.api.schemas.fields import Flag, RequestSchema, Text, TextList, WholeNumber
from app.storage.roles import WAYS


class StrictSchema(RequestSchema):
    class Meta:
        unknown = RAISE


class SoftDeleteRequestSchema(StrictSchema):
    enabled = Flag(required=True)
    hold_seconds = WholeNumber(data_key="hold-seconds", load_default=None)


class StorageCredentialsRequestSchema(StrictSchema):
    type = Text(required=True, validate=validate.OneOf(["default", "secret", "inline"]))
    name = Text(load_default=None)
    access_key_id = Text(data_key="access-key-id", load_default=None, validate=validate.Length(1, 256))
    secret_access_key = Text(
        data_key="secret-access-key", load_default=None, validate=validate.Length(1, 1024)
    )


class StsRequestSchema(StrictSchema):
    role_arn = Text(data_key="role-arn", load_default=None)
    external_id = Text(data_key="external-id", load_default=None)
    session_duration_seconds = WholeNumber(data_key="session-duration-seconds", load_default=None)
    endpoint = Text(load_default=None)


class StorageProfileRequestSchema(StrictSchema):
    type = Text(required=True, validate=validate.OneOf(["local", "s3"]))
    root_location = Text(required=True, data_key="root-location")
    allowed_locations = TextList(
        data_key="allowed-locations", load_default=list, validate=validate.Length(max=100)
    )
    endpoint = Text(load_default=None)
    region = Text(load_default=None)
    path_style_access = Flag(data_key="path-style-access", load_default=None)
    credentials = fields.Nested(StorageCredentialsRequestSchema, load_default=None)
    delegation = TextList(load_default=list, validate=validate.Length(max=10))
    sts = fields.Nested(StsRequestSchema, load_default=None)


class CreateWarehouseRequestSchema(StrictSchema):
    name = Text(required=True)
    storage_profile = fields.Nested(StorageProfileRequestSchema, required=True, data_key="storage-profile")
    protected = Flag(load_default=False)
    soft_delete = fields.Nested(SoftDeleteRequestSchema, data_key="soft-delete", load_default=None)


class UpdateWarehouseRequestSchema(StrictSchema):
    name = Text(load_default=None)
    active = Flag(load_default=None)
    protected = Flag(load_default=None)
    soft_delete = fields.Nested(SoftDeleteRequestSchema, data_key="soft-delete", load_default=None)
    storage_profile = fields.Nested(
        StorageProfileRequestSchema, data_key="storage-profile", load_default=None
    )


class SoftDeleteSchema(Schema):
    enabled = fields.Boolean(required=True)
    hold_seconds = fields.Integer(required=True, allow_none=True, data_key="hold-seconds")


class CredentialsReferenceSchema(Schema):
    type = fields.String(required=True, validate=validate.OneOf(["default", "secret", "inline"]))
    name = fields.String()


class StsSchema(Schema):
    role_arn = fields.String(required=True, data_key="role-arn")
    external_id = fields.String(required=True, data_key="external-id")
    session_duration_seconds = fields.Integer(required=True, data_key="session-duration-seconds")
    endpoint = fields.String(required=True)


class StorageProfileSchema(Schema):
    type = fields.String(required=True, validate=validate.OneOf(["local", "s3"]))
    root_location = fields.String(required=True, data_key="root-location")
    allowed_locations = fields.List(fields.String(), required=True, data_key="allowed-locations")
    endpoint = fields.String(required=True)
    region = fields.String(required=True)
    path_style_access = fields.Boolean(required=True, data_key="path-style-access")
    credentials = fields.Nested(CredentialsReferenceSchema, required=True)
    delegation = fields.List(fields.String(validate=validate.OneOf(WAYS)), required=True)
    sts = fields.Nested(StsSchema, required=True, allow_none=True)


class WarehouseSchema(Schema):
    name = fields.String(required=True)
    prefix = fields.String(
        required=True, metadata={"description": "How the warehouse is named in paths; never changes."}
    )
    default = fields.Boolean(
        required=True, metadata={"description": "Whether paths without a prefix mean this one."}
    )
    active = fields.Boolean(required=True)
    protected = fields.Boolean(required=True)
    soft_delete = fields.Nested(SoftDeleteSchema, required=True, data_key="soft-delete")
    storage_profile = fields.Nested(StorageProfileSchema, required=True, data_key="storage-profile")
    version = fields.Integer(required=True)
    created_at_ms = fields.Integer(required=True, data_key="created-at-ms")
    updated_at_ms = fields.Integer(required=True, data_key="updated-at-ms")


class ListWarehousesResponseSchema(Schema):
    warehouses = fields.List(fields.Nested(WarehouseSchema), required=True)
    next_page_token = fields.String(required=True, allow_none=True, data_key="next-page-token")
