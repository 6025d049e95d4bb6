"""Grants: given, taken back and listed."""

from typing import Any

from app.api.answers import Response, json_answer
from app.api.authentication import principal
from app.api.authorization import authorize, authorize_grants
from app.api.bodies import read_body
from app.api.context import caller, catalog, warehouse
from app.api.declarations import IDEMPOTENCY_KEY, OF_PRINCIPAL, PAGES, Parameter
from app.api.management.objects import enter_place_of, object_of
from app.api.management.operations import ManagementOperations
from app.api.needs import SECURITY, asks
from app.api.pages import requested_page
from app.api.parameters import boolean_parameter, text_parameter
from app.api.schemas.management_grants import (
    ChangedGrantsResponseSchema,
    GrantsRequestSchema,
    ListGrantsResponseSchema,
)
from app.auth.objects import GRAMMAR, ObjectName
from app.auth.privileges import Privilege, read_privilege
from app.catalog import grants
from app.catalog.grants import GrantFilter
from app.catalog.roles import Grantee
from app.db import Row
from app.errors import (
    BadRequestException,
    ConflictException,
    NoSuchNamespaceException,
    NoSuchTableException,
    NoSuchViewException,
    NoSuchWarehouseException,
    NotFoundException,
)

resource = ManagementOperations("grants")
ON_OBJECT = Parameter("object", "query", f"What it is about: {GRAMMAR}, names percent-encoded.")
OF_ROLE = Parameter("role", "query", "List the grants of this role.")
EFFECTIVE = Parameter(
    "effective",
    "query",
    "With `principal`: whether the grants of its roles are listed as well.",
    {"type": "boolean", "default": False},
)
MISSING = (
    NotFoundException,
    NoSuchWarehouseException,
    NoSuchNamespaceException,
    NoSuchTableException,
    NoSuchViewException,
)
_CHANGING = "`manage-grants` on the object, and each of the privileges oneself"


@resource.operation(
    "GET",
    "/grants",
    "List the grants on an object itself, or to a principal or role",
    takes=(*PAGES, ON_OBJECT, OF_PRINCIPAL, OF_ROLE, EFFECTIVE),
    answers={200: ListGrantsResponseSchema},
    fails=MISSING,
    needs=asks("`manage-grants` on the object; for the grants of others `administer` on the server"),
)
def list_grants() -> Response:
    wanted = _requested_filter()
    page = requested_page("grants", *wanted)
    found = grants.list_grants(catalog(), wanted, page.after_id(default=0), page.limit)
    rows, token = page.cut(list(found), lambda row: str(row.id))
    return json_answer({"grants": list(map(_shown, rows)), "next-page-token": token})


@resource.operation(
    "POST",
    "/grants",
    "Grant privileges on an object",
    takes=(IDEMPOTENCY_KEY,),
    body=GrantsRequestSchema,
    answers={200: ChangedGrantsResponseSchema},
    fails=MISSING,
    needs=asks(_CHANGING),
)
def grant() -> Response:
    asked = _read_grants()
    return json_answer({"privileges": grants.grant(catalog(), caller(), warehouse(), *asked)})


@resource.operation(
    "POST",
    "/grants/revoke",
    "Take back privileges on an object",
    takes=(IDEMPOTENCY_KEY,),
    body=GrantsRequestSchema,
    answers={200: ChangedGrantsResponseSchema},
    fails=(*MISSING, ConflictException),
    needs=asks(_CHANGING),
)
def revoke() -> Response:
    asked = _read_grants()
    return json_answer({"privileges": grants.revoke(catalog(), caller(), warehouse(), *asked)})


def _read_grants() -> tuple[list[Privilege], ObjectName, Grantee]:
    """The request's body; whoever sent it may do that."""
    body = read_body(GrantsRequestSchema)
    privileges = [read_privilege(name, f"privileges[{i}]") for i, name in enumerate(body["privileges"])]
    target, grantee = object_of(body["object"]), _grantee(body["to"])
    enter_place_of(target)
    authorize_grants(target, privileges)
    return privileges, target, grantee


def _grantee(member: dict[str, Any]) -> Grantee:
    given = [Grantee(kind, name) for kind, name in member.items() if name is not None]
    if len(given) != 1:
        raise BadRequestException("Invalid to: expected exactly one of principal, role")
    return given[0]


def _requested_filter() -> GrantFilter:
    names = ("object", "principal", "role")
    given = {name: text for name in names if (text := text_parameter(name)) is not None}
    if len(given) != 1:
        raise BadRequestException(f"Invalid query: expected exactly one of {', '.join(names)}")
    if "object" in given:
        target = ObjectName.parse(given["object"], "object")
        enter_place_of(target)
        authorize_grants(target, [])
        return grants.grants_on(catalog(), warehouse(), target)
    ((kind, name),) = given.items()
    if kind == "role" or name != principal().name:
        authorize(SECURITY, {})
    return grants.grants_to(catalog(), Grantee(kind, name), effective=boolean_parameter("effective"))


def _shown(row: Row) -> dict[str, Any]:
    grant = grants.describe_grant(row)
    return {**grant, "object": grant["object"].members()}
