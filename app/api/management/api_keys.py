"""API keys where the Go version had them, in its words: ``/v1/api-keys``. They are those of ``/management/v1/keys``."""

from datetime import UTC, datetime
from typing import Any

from app.api.answers import Response, json_answer, no_content
from app.api.authentication import session
from app.api.bodies import read_body
from app.api.context import caller, catalog
from app.api.context import warehouse as realm
from app.api.declarations import IDEMPOTENCY_KEY
from app.api.management.operations import ManagementOperations
from app.api.needs import SECURITY, asks
from app.api.ownership import whose
from app.api.schemas.management_principals import (
    ApiKeySchema,
    CreateApiKeyRequestSchema,
    ListApiKeysResponseSchema,
)
from app.auth.scopes import CATALOG
from app.catalog import api_keys
from app.catalog.lifetimes import read_lifetime
from app.errors import ForbiddenException, IllegalArgumentException, NotFoundException
from app.metadata.shapes import JsonObject

resource = ManagementOperations("api_keys", root="/v1")
_TIMES = ("created-at-ms", "expires-at-ms", "last-used-at-ms", "rotated-at-ms")
_OWN = asks("to be authenticated; keys of others `administer` on the server")


@resource.operation(
    "GET",
    "/api-keys",
    "List API keys as the Go version did",
    answers={200: ListApiKeysResponseSchema},
    needs=_OWN,
)
def list_api_keys() -> Response:
    found = api_keys.list_keys(catalog(), 0, None, principal_id=whose(), revoked=False)
    return json_answer({"keys": [_shown(api_keys.describe_key(row)) for row in found]})


@resource.operation(
    "POST",
    "/api-keys",
    "Create an API key of one's own as the Go version did",
    takes=(IDEMPOTENCY_KEY,),
    body=CreateApiKeyRequestSchema,
    answers={201: ApiKeySchema},
    fails=(ForbiddenException, NotFoundException, IllegalArgumentException),
    needs=SECURITY,
)
def create_api_key() -> Response:
    body = read_body(CreateApiKeyRequestSchema)
    lifetime = None if body["expires_in"] is None else read_lifetime(body["expires_in"], "expires_in")
    new = api_keys.NewKey(body["name"], body["scopes"] or (CATALOG,), None, lifetime)
    return json_answer(_shown(api_keys.create_key(catalog(), caller(), realm(), session().scopes, new)), 201)


@resource.operation(
    "POST",
    "/api-keys/{id}/rotate",
    "Replace an API key as the Go version did",
    takes=(IDEMPOTENCY_KEY,),
    answers={200: ApiKeySchema},
    fails=(ForbiddenException, NotFoundException),
    needs=SECURITY,
)
def rotate_api_key(id: int) -> Response:
    return json_answer(_shown(api_keys.rotate_key(catalog(), caller(), realm(), id)))


@resource.operation(
    "DELETE",
    "/api-keys/{id}",
    "Revoke an API key as the Go version did",
    takes=(IDEMPOTENCY_KEY,),
    fails=(NotFoundException,),
    needs=_OWN,
)
def delete_api_key(id: int) -> Response:
    api_keys.revoke_key(catalog(), caller(), realm(), id, whose())
    return no_content()


def _shown(key: JsonObject) -> dict[str, Any]:
    """A key with the members and times that the Go version gave it."""
    shown: dict[str, Any] = {name: key[name] for name in ("name", "key", "scopes") if name in key}
    times = {
        name.removesuffix("-ms").replace("-", "_"): key[name] for name in _TIMES if key[name] is not None
    }
    return {"id": str(key["id"]), **shown, **{name: _text(at) for name, at in times.items()}}


def _text(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
