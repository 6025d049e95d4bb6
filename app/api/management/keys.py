"""API keys."""

from app.api.answers import Response, json_answer, no_content
from app.api.authentication import session
from app.api.bodies import read_body
from app.api.context import caller, catalog
from app.api.context import warehouse as realm
from app.api.declarations import IDEMPOTENCY_KEY, INCLUDE_DELETED, OF_PRINCIPAL, PAGES
from app.api.management.operations import ManagementOperations
from app.api.needs import SECURITY, asks
from app.api.ownership import whose
from app.api.pages import requested_page
from app.api.parameters import boolean_parameter, text_parameter
from app.api.schemas.management_principals import (
    CreateKeyRequestSchema,
    ListKeysResponseSchema,
    NewKeySchema,
)
from app.catalog import api_keys
from app.catalog.lifetimes import read_lifetime
from app.catalog.principals import load_principal
from app.errors import ForbiddenException, IllegalArgumentException, NotFoundException

resource = ManagementOperations("keys")


@resource.operation(
    "GET",
    "/keys",
    "List API keys: one's own, or all for those who administer the server",
    takes=(*PAGES, OF_PRINCIPAL, INCLUDE_DELETED),
    answers={200: ListKeysResponseSchema},
    fails=(NotFoundException,),
    needs=asks("to be authenticated; keys of others `administer` on the server"),
)
def list_keys() -> Response:
    deleted, name = boolean_parameter(INCLUDE_DELETED.name), text_parameter(OF_PRINCIPAL.name)
    page = requested_page("keys", deleted, name)
    owner = whose()
    if name is not None and owner is None:
        owner = load_principal(catalog(), name).id
    found = api_keys.list_keys(
        catalog(), page.after_id(default=0), page.limit, principal_id=owner, revoked=deleted
    )
    keys, token = page.cut(list(found), lambda row: str(row.id))
    return json_answer({"keys": list(map(api_keys.describe_key, keys)), "next-page-token": token})


@resource.operation(
    "POST",
    "/keys",
    "Create an API key",
    takes=(IDEMPOTENCY_KEY,),
    body=CreateKeyRequestSchema,
    answers={201: NewKeySchema},
    fails=(ForbiddenException, NotFoundException, IllegalArgumentException),
    needs=SECURITY,
)
def create_key() -> Response:
    body = read_body(CreateKeyRequestSchema)
    lifetime = None if body["expires_in"] is None else read_lifetime(body["expires_in"], "expires-in")
    new = api_keys.NewKey(body["name"], body["scopes"], body["principal"], lifetime)
    return json_answer(api_keys.create_key(catalog(), caller(), realm(), session().scopes, new), 201)


@resource.operation(
    "POST",
    "/keys/{id}/rotate",
    "Replace an API key; the one before it is good for a day more",
    takes=(IDEMPOTENCY_KEY,),
    answers={200: NewKeySchema},
    fails=(ForbiddenException, NotFoundException),
    needs=SECURITY,
)
def rotate_key(id: int) -> Response:
    return json_answer(api_keys.rotate_key(catalog(), caller(), realm(), id))


@resource.operation(
    "DELETE",
    "/keys/{id}",
    "Revoke an API key: one's own, or any for those who administer the server",
    takes=(IDEMPOTENCY_KEY,),
    fails=(NotFoundException,),
    needs=asks("to be authenticated; keys of others `administer` on the server"),
)
def revoke_key(id: int) -> Response:
    api_keys.revoke_key(catalog(), caller(), realm(), id, whose())
    return no_content()
