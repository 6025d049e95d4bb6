"""Principals and their client secrets."""

from app.api.answers import Response, json_answer, no_content
from app.api.bodies import read_body
from app.api.context import caller, catalog
from app.api.context import warehouse as realm
from app.api.declarations import IDEMPOTENCY_KEY, INCLUDE_DELETED, PAGES
from app.api.management.operations import ManagementOperations
from app.api.needs import SECURITY
from app.api.pages import requested_page
from app.api.parameters import boolean_parameter
from app.api.schemas.management_principals import (
    CreatePrincipalRequestSchema,
    ListPrincipalsResponseSchema,
    PrincipalSchema,
    PrincipalWithSecretSchema,
    RotateSecretRequestSchema,
    UpdatePrincipalRequestSchema,
)
from app.catalog import principals
from app.catalog.lifetimes import read_lifetime
from app.catalog.openid_principals import admit_principal
from app.catalog.principal_rows import describe_principal
from app.errors import (
    AlreadyExistsException,
    ConflictException,
    ForbiddenException,
    IllegalArgumentException,
    NotFoundException,
)

resource = ManagementOperations("principals")
OPENID = "openid"


@resource.operation(
    "GET",
    "/principals",
    "List the principals",
    takes=(*PAGES, INCLUDE_DELETED),
    answers={200: ListPrincipalsResponseSchema},
    fails=(ForbiddenException,),
    needs=SECURITY,
)
def list_principals() -> Response:
    deleted = boolean_parameter(INCLUDE_DELETED.name)
    page = requested_page("principals", deleted)
    found = principals.list_principals(catalog(), page.after_id(default=0), page.limit, deleted=deleted)
    shown, token = page.cut(list(found), lambda row: str(row.id))
    return json_answer({"principals": list(map(describe_principal, shown)), "next-page-token": token})


@resource.operation(
    "POST",
    "/principals",
    "Create a principal with a client secret, or one that an OpenID provider vouches for",
    takes=(IDEMPOTENCY_KEY,),
    body=CreatePrincipalRequestSchema,
    answers={201: PrincipalWithSecretSchema},
    fails=(ForbiddenException, AlreadyExistsException, IllegalArgumentException),
    needs=SECURITY,
)
def create_principal() -> Response:
    body = read_body(CreatePrincipalRequestSchema)
    if body["kind"] == OPENID:
        return json_answer(admit_principal(catalog(), caller(), realm(), body["name"]), 201)
    made = principals.create_principal(catalog(), caller(), realm(), body["name"], body["kind"])
    return json_answer(made, 201)


@resource.operation(
    "GET",
    "/principals/{principal}",
    "Load a principal",
    answers={200: PrincipalSchema},
    fails=(ForbiddenException, NotFoundException),
    needs=SECURITY,
)
def load_principal(principal: str) -> Response:
    return json_answer(describe_principal(principals.load_principal(catalog(), principal)))


@resource.operation(
    "PATCH",
    "/principals/{principal}",
    "Disable a principal, or enable it again",
    takes=(IDEMPOTENCY_KEY,),
    body=UpdatePrincipalRequestSchema,
    answers={200: PrincipalSchema},
    fails=(ForbiddenException, NotFoundException, ConflictException),
    needs=SECURITY,
)
def update_principal(principal: str) -> Response:
    disabled = read_body(UpdatePrincipalRequestSchema)["disabled"]
    return json_answer(principals.disable_principal(catalog(), caller(), realm(), principal, disabled))


@resource.operation(
    "DELETE",
    "/principals/{principal}",
    "Delete a principal with its secrets, keys, grants and memberships",
    takes=(IDEMPOTENCY_KEY,),
    fails=(ForbiddenException, NotFoundException, ConflictException),
    needs=SECURITY,
)
def delete_principal(principal: str) -> Response:
    principals.delete_principal(catalog(), caller(), realm(), principal)
    return no_content()


@resource.operation(
    "POST",
    "/principals/{principal}/rotate",
    "Give a principal another client secret; the one before it is good for a while more",
    takes=(IDEMPOTENCY_KEY,),
    body=RotateSecretRequestSchema,
    body_optional=True,
    answers={200: PrincipalWithSecretSchema},
    fails=(ForbiddenException, NotFoundException, IllegalArgumentException),
    needs=SECURITY,
)
def rotate_secret(principal: str) -> Response:
    text = read_body(RotateSecretRequestSchema, optional=True)["old_valid_for"]
    grace = read_lifetime(text, "old-valid-for", least=0)
    return json_answer(principals.rotate_secret(catalog(), caller(), realm(), principal, grace))
