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


class ReasonSchema(Schema):
    """One of the things that give what is needed."""

    kind = fields.String(required=True, validate=validate.OneOf(["ownership", "grant", "setting"]))
    object = fields.String(metadata={"description": "Where: the object itself or something that it is in."})
    privilege = fields.String(validate=validate.OneOf(_PRIVILEGES))
    through = fields.List(
        fields.String(),
        metadata={"description": "The roles by which the principal has the grant, its own role first."},
    )
    granted_by = fields.String(data_key="granted-by")
    granted_at_ms = fields.Integer(data_key="granted-at-ms")
    setting = fields.String()


class DenialSchema(Schema):
    at_ms = fields.Integer(required=True, data_key="at-ms")
    principal = fields.String(required=True)
    operation = fields.String(required=True, allow_none=True)
    privilege = fields.String(required=True, allow_none=True)
    message = fields.String(required=True, allow_none=True)


class ExplanationSchema(Schema):
    principal = fields.String(required=True)
    object = fields.String()
    needs = fields.List(fields.String(), metadata={"description": "One of these privileges is needed."})
    allowed = fields.Boolean()
    disabled = fields.Boolean()
    privileges = fields.List(
        fields.String(), metadata={"description": "All that the principal may do with the object."}
    )
    because = fields.List(fields.Nested(ReasonSchema))
    message = fields.String(required=True, allow_none=True)
    denial = fields.Nested(
        DenialSchema, metadata={"description": "With `error-id`: the refusal as it was recorded."}
    )
