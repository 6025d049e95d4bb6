"""Requests and answers about principals, API keys and tokens."""

from typing import Any

from marshmallow import Schema, fields, validate

from app.api.schemas.fields import Flag, RequestSchema, Text, TextList
from app.api.schemas.management_warehouses import StrictSchema

_TIME: dict[str, Any] = {"required": True, "allow_none": True}
_LIFETIME = "A whole number and h, d, w, m (30 days) or y (365 days), such as `30d`."
_NAME = (
    "Also its `client_id` at the token endpoint. Of the kind `openid`: name of the provider, colon, subject."
)
_SHOWN_ONCE = "Only in the answer to the request that made it; nobody can see it again."


class CreatePrincipalRequestSchema(StrictSchema):
    name = Text(required=True, metadata={"description": _NAME})
    kind = Text(load_default="service", validate=validate.OneOf(["service", "user", "openid"]))


class UpdatePrincipalRequestSchema(StrictSchema):
    disabled = Flag(required=True)


class RotateSecretRequestSchema(StrictSchema):
    old_valid_for = Text(
        data_key="old-valid-for",
        load_default="24h",
        metadata={"description": f"How long the secret before is good as well: {_LIFETIME} `0h` ends it."},
    )


class PrincipalSchema(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["service", "user", "openid"]))
    disabled = fields.Boolean(required=True)
    created_by = fields.String(required=True, data_key="created-by")
    created_at_ms = fields.Integer(required=True, data_key="created-at-ms")
    updated_at_ms = fields.Integer(required=True, data_key="updated-at-ms")
    deleted_at_ms = fields.Integer(data_key="deleted-at-ms", **_TIME)


class PrincipalWithSecretSchema(PrincipalSchema):
    client_id = fields.String(data_key="client-id", metadata={"description": "Absent for the kind `openid`."})
    client_secret = fields.String(data_key="client-secret", metadata={"description": _SHOWN_ONCE})


class ListPrincipalsResponseSchema(Schema):
    principals = fields.List(fields.Nested(PrincipalSchema), required=True)
    next_page_token = fields.String(required=True, allow_none=True, data_key="next-page-token")


class CreateKeyRequestSchema(StrictSchema):
    name = Text(required=True)
    principal = Text(
        load_default=None, metadata={"description": "Whose key it is; the caller's own if absent."}
    )
    scopes = TextList(
        load_default=lambda: ["catalog"], metadata={"description": "What it narrows its principal to."}
    )
    expires_in = Text(
        data_key="expires-in",
        load_default=None,
        metadata={"description": f"{_LIFETIME} Without it the key does not expire."},
    )


class KeySchema(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    principal = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)
    created_by = fields.String(required=True, data_key="created-by")
    created_at_ms = fields.Integer(required=True, data_key="created-at-ms")
    rotated_at_ms = fields.Integer(data_key="rotated-at-ms", **_TIME)
    previous_valid_until_ms = fields.Integer(data_key="previous-valid-until-ms", **_TIME)
    expires_at_ms = fields.Integer(data_key="expires-at-ms", **_TIME)
    last_used_at_ms = fields.Integer(data_key="last-used-at-ms", **_TIME)
    deleted_at_ms = fields.Integer(data_key="deleted-at-ms", **_TIME)


class NewKeySchema(KeySchema):
    key = fields.String(metadata={"description": _SHOWN_ONCE})


class ListKeysResponseSchema(Schema):
    keys = fields.List(fields.Nested(KeySchema), required=True)
    next_page_token = fields.String(required=True, allow_none=True, data_key="next-page-token")


class CreateApiKeyRequestSchema(RequestSchema):
    name = Text(required=True)
    scopes = TextList(load_default=lambda: ["catalog"])
    expires_in = Text(load_default=None, metadata={"description": _LIFETIME})


class ApiKeySchema(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)
    key = fields.String(metadata={"description": _SHOWN_ONCE})
    scopes = fields.List(fields.String(), required=True)
    created_at = fields.DateTime(required=True)
    expires_at = fields.DateTime()
    last_used_at = fields.DateTime()
    rotated_at = fields.DateTime()


class ListApiKeysResponseSchema(Schema):
    keys = fields.List(fields.Nested(ApiKeySchema), required=True)


class RevokeTokensRequestSchema(StrictSchema):
    """Exactly one of the members."""

    token = Text(load_default=None, metadata={"description": "An access token of this server."})
    jti = Text(load_default=None, metadata={"description": "The id of one, its claim `jti`."})
    principal = Text(load_default=None, metadata={"description": "All that were given to it until now."})
