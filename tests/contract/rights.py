"""Roles and grants in tests."""

from typing import Any

from tests.contract.calls import no_content, ok
from tests.factories import unique_name
from tests.support.identities import Identities, Person
from tests.support.server import Client

GRANTS = "/management/v1/grants"
ROLES = "/management/v1/roles"
EXPLAIN = "/management/v1/explain"
Object = dict[str, Any]


def on_namespace(*levels: str) -> Object:
    return {"warehouse": "default", "namespace": list(levels)}


def on_table(namespace: str, name: str) -> Object:
    return {**on_namespace(namespace), "table": name}


def on_view(namespace: str, name: str) -> Object:
    return {**on_namespace(namespace), "view": name}


SERVER: Object = {}
WAREHOUSE: Object = {"warehouse": "default"}


def request(privileges: tuple[str, ...], target: Object, to: str) -> dict[str, Any]:
    """Return the body of a grant; ``to`` is a principal, or a role as ``role:name``."""
    kind, _, name = to.rpartition(":")
    return {"privileges": list(privileges), "object": target, "to": {kind or "principal": name}}


def grant(client: Client, target: Object, to: str, *privileges: str) -> list[str]:
    """Grant, and return what is new."""
    return list(ok(client.post(GRANTS, json=request(privileges, target, to)))["privileges"])


def revoke(client: Client, target: Object, to: str, *privileges: str) -> list[str]:
    """Take back, and return what was there."""
    return list(ok(client.post(f"{GRANTS}/revoke", json=request(privileges, target, to)))["privileges"])


def person_with(identities: Identities, target: Object, *privileges: str) -> tuple[Person, Client]:
    """Return a new principal that has privileges on one object, and its session."""
    person = identities.person()
    if privileges:
        grant(identities.admin, target, person.name, *privileges)
    return person, identities.as_(person)


def make_role(admin: Client, *members: str) -> str:
    """Make a role of principals, and of roles as ``role:name``."""
    name = unique_name("role")
    ok(admin.post(ROLES, json={"name": name}), 201)
    for member in members:
        kind, _, called = member.rpartition(":")
        no_content(admin.put(f"{ROLES}/{name}/members/{kind or 'principal'}s/{called}"))
    return name
