"""Requests and answers about roles and grants."""

from marshmallow import Schema, fields, validate

from app.api.schemas.fields import Text, TextList
from app.api.schemas.management_warehouses import StrictSchema
from app.auth.privileges import Privilege

_PRIVILEGES = [privilege.value for privilege in Privilege]


class CreateRoleRequestSchema(StrictSchema):
    name = Text(required=True)


class RoleSchema(Schema):
    name = fields.String(required=True)
    created_by = fields.String(required=True, data_key="created-by")
    created_at_ms = fields.Integer(required=True, data_key="created-at-ms")


class ListRolesResponseSchema(Schema):
    roles = fields.List(fields.Nested(RoleSchema), required=True)
    next_page_token = fields.String(required=True, allow_none=True, data_key="next-page-token")


class RoleMemberSchema(Schema):
    principal = fields.String(metadata={"description": "The name of a principal, or else there is `role`."})
    role = fields.String(metadata={"description": "The name of another role."})
    added_by = fields.String(required=True, data_key="added-by")
    added_at_ms = fields.Integer(required=True, data_key="added-at-ms")


class ListRoleMembersResponseSchema(Schema):
    members = fields.List(fields.Nested(RoleMemberSchema), required=True)
    next_page_token = fields.String(required=True, allow_none=True, data_key="next-page-token")


class GranteeSchema(StrictSchema):
    """One of the two."""

    principal = Text(load_default=None, metadata={"description": "The name of a principal."})
    role = Text(load_default=None, metadata={"description": "The name of a role."})


class ObjectRequestSchema(StrictSchema):
    """What it is on: the server without any member, else a warehouse, and in it a namespace, a table or a view."""

    warehouse = Text(load_default=None)
    namespace = fields.Raw(load_default=None, metadata={"component": "Namespace"})
    table = Text(load_default=None, metadata={"description": "A table of `namespace`."})
    view = Text(load_default=None, metadata={"description": "A view of `namespace`."})


class GrantsRequestSchema(StrictSchema):
    privileges = TextList(required=True, validate=validate.Length(1, len(_PRIVILEGES)))
    object = fields.Nested(ObjectRequestSchema, load_default=dict)
    to = fields.Nested(GranteeSchema, required=True)


class ChangedGrantsResponseSchema(Schema):
    privileges = fields.List(
        fields.String(validate=validate.OneOf(_PRIVILEGES)),
        required=True,
        metadata={"description": "Those for which something changed."},
    )


class ObjectSchema(Schema):
    kind = fields.String(
        required=True, validate=validate.OneOf(["server", "warehouse", "namespace", "table", "view"])
    )
    warehouse = fields.String()
    namespace = fields.Raw(metadata={"component": "Namespace"})
    table = fields.String()
    view = fields.String()


class ShownGranteeSchema(Schema):
    principal = fields.String()
    role = fields.String()


class GrantSchema(Schema):
    privilege = fields.String(required=True, validate=validate.OneOf(_PRIVILEGES))
    object = fields.Nested(ObjectSchema, required=True)
    to = fields.Nested(ShownGranteeSchema, required=True)
    granted_by = fields.String(required=True, data_key="granted-by")
    granted_at_ms = fields.Integer(required=True, data_key="granted-at-ms")


class ListGrantsResponseSchema(Schema):
    grants = fields.List(fields.Nested(GrantSchema), required=True)
    next_page_token = fields.String(required=True, allow_none=True, data_key="next-page-token")
