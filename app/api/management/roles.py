"""Roles and their members."""

from typing import Any

from app.api.answers import Response, json_answer, no_content
from app.api.bodies import read_body
from app.api.context import caller, catalog
from app.api.context import warehouse as realm
from app.api.declarations import IDEMPOTENCY_KEY, PAGES
from app.api.management.operations import ManagementOperations
from app.api.needs import SECURITY
from app.api.pages import requested_page
from app.api.schemas.management_grants import (
    CreateRoleRequestSchema,
    ListRoleMembersResponseSchema,
    ListRolesResponseSchema,
    RoleSchema,
)
from app.catalog import roles
from app.catalog.roles import Grantee
from app.errors import (
    AlreadyExistsException,
    ConflictException,
    IllegalArgumentException,
    NotFoundException,
)

resource = ManagementOperations("roles")
_PRINCIPALS = "/roles/{role}/members/principals/{member}"
_ROLES = "/roles/{role}/members/roles/{member}"
_ADDING: dict[str, Any] = {
    "takes": (IDEMPOTENCY_KEY,),
    "fails": (NotFoundException, IllegalArgumentException),
    "needs": SECURITY,
}
_REMOVING: dict[str, Any] = {
    "takes": (IDEMPOTENCY_KEY,),
    "fails": (NotFoundException, ConflictException),
    "needs": SECURITY,
}


@resource.operation(
    "GET", "/roles", "List the roles", takes=PAGES, answers={200: ListRolesResponseSchema}, needs=SECURITY
)
def list_roles() -> Response:
    page = requested_page("roles")
    found, token = page.cut(list(roles.list_roles(catalog(), page.after, page.limit)), lambda row: row.name)
    return json_answer({"roles": list(map(roles.describe_role, found)), "next-page-token": token})


@resource.operation(
    "POST",
    "/roles",
    "Create a role",
    takes=(IDEMPOTENCY_KEY,),
    body=CreateRoleRequestSchema,
    answers={201: RoleSchema},
    fails=(AlreadyExistsException,),
    needs=SECURITY,
)
def create_role() -> Response:
    name = read_body(CreateRoleRequestSchema)["name"]
    return json_answer(roles.create_role(catalog(), caller(), realm(), name), 201)


@resource.operation(
    "DELETE",
    "/roles/{role}",
    "Delete a role with its grants and memberships",
    takes=(IDEMPOTENCY_KEY,),
    fails=(NotFoundException, ConflictException),
    needs=SECURITY,
)
def delete_role(role: str) -> Response:
    roles.delete_role(catalog(), caller(), realm(), role)
    return no_content()


@resource.operation(
    "GET",
    "/roles/{role}/members",
    "List the members of a role: principals and other roles",
    takes=PAGES,
    answers={200: ListRoleMembersResponseSchema},
    fails=(NotFoundException,),
    needs=SECURITY,
)
def list_role_members(role: str) -> Response:
    page = requested_page("members", role)
    found = roles.list_members(catalog(), role, page.after_id(default=0), page.limit)
    members, token = page.cut(list(found), lambda row: str(row.id))
    return json_answer({"members": list(map(roles.describe_member, members)), "next-page-token": token})


@resource.operation("PUT", _PRINCIPALS, "Make a principal a member of a role", **_ADDING)
def add_principal_to_role(role: str, member: str) -> Response:
    roles.add_member(catalog(), caller(), realm(), role, Grantee("principal", member))
    return no_content()


@resource.operation("DELETE", _PRINCIPALS, "Take a principal out of a role", **_REMOVING)
def remove_principal_from_role(role: str, member: str) -> Response:
    roles.remove_member(catalog(), caller(), realm(), role, Grantee("principal", member))
    return no_content()


@resource.operation("PUT", _ROLES, "Make a role a member of another one", **_ADDING)
def add_role_to_role(role: str, member: str) -> Response:
    roles.add_member(catalog(), caller(), realm(), role, Grantee("role", member))
    return no_content()


@resource.operation("DELETE", _ROLES, "Take a role out of another one", **_REMOVING)
def remove_role_from_role(role: str, member: str) -> Response:
    roles.remove_member(catalog(), caller(), realm(), role, Grantee("role", member))
    return no_content()
