"""Why somebody may do something, or what is missing."""

import re
from typing import Any

import pytest

from tests.contract.calls import assert_error, make_namespace, make_table, no_content, ok
from tests.contract.rights import (
    EXPLAIN,
    ROLES,
    SERVER,
    WAREHOUSE,
    grant,
    make_role,
    on_namespace,
    on_table,
    person_with,
)
from tests.support.identities import PRINCIPALS, Identities
from tests.support.process import eventually
from tests.support.server import Client


@pytest.fixture
def space(admin: Client) -> str:
    return make_namespace(admin)


def explained(client: Client, principal: str, action: str, target: str) -> dict[str, Any]:
    query = {"principal": principal, "action": action, "object": target}
    return ok(client.get(EXPLAIN, params=query))


def test_what_is_missing(admin: Client, identities: Identities, space: str) -> None:
    table = make_table(admin, space)
    person, _ = person_with(identities, on_namespace(space), "list", "vend")
    address = f"table:default/{space}/{table.name}"
    found = explained(admin, person.name, "write-data", address)
    assert found == {
        "principal": person.name,
        "object": address,
        "needs": ["write-data"],
        "allowed": False,
        "disabled": False,
        "privileges": ["list", "vend"],
        "because": [],
        "message": f"Principal {person.name} lacks write-data on table {space}.{table.name}: no grant on it or on what"
        " it is in, to the principal or to one of its roles, gives that",
    }


def test_which_grant_it_is(admin: Client, identities: Identities, space: str) -> None:
    table = make_table(admin, space)
    person = identities.person()
    inner = make_role(admin, person.name)
    outer = make_role(admin, f"role:{inner}")
    grant(admin, on_namespace(space), f"role:{outer}", "drop")
    grant(admin, on_table(space, table.name), person.name, "drop", "list")
    found = explained(admin, person.name, "dropTable", f"table:default/{space}/{table.name}")
    assert found["allowed"] is True
    assert [(each["object"], each["privilege"], each["through"]) for each in found["because"]] == [
        (f"namespace:default/{space}", "drop", [inner, outer]),
        (f"table:default/{space}/{table.name}", "drop", []),
    ]
    assert {each["granted-by"] for each in found["because"]} == {"root"}
    assert found["message"] == f"Principal {person.name} may use drop on table {space}.{table.name}"


@pytest.mark.parametrize(
    ("target", "address"), [(SERVER, "server"), (WAREHOUSE, "warehouse:default")], ids=str
)
def test_rights_at_large(
    admin: Client, identities: Identities, space: str, target: dict[str, Any], address: str
) -> None:
    person, _ = person_with(identities, target, "read-metadata")
    found = explained(admin, person.name, "loadNamespace", f"namespace:default/{space}")
    assert (found["allowed"], [each["object"] for each in found["because"]]) == (True, [address])
    assert explained(admin, person.name, "read-metadata", "warehouse:default")["allowed"] is True


def test_ownership(admin: Client, identities: Identities, space: str) -> None:
    person, client = person_with(identities, on_namespace(space), "create")
    table = make_table(client, space)
    address = f"table:default/{space}/{table.name}"
    found = explained(client, person.name, "loadTable", address)
    assert (found["allowed"], found["because"]) == (True, [{"kind": "ownership", "object": address}])


def test_disabled_principal(admin: Client, identities: Identities, space: str) -> None:
    person, _ = person_with(identities, on_namespace(space), "list")
    ok(admin.patch(f"{PRINCIPALS}/{person.name}", json={"disabled": True}))
    found = explained(admin, person.name, "list", f"namespace:default/{space}")
    assert (found["allowed"], found["disabled"]) == (False, True)
    assert found["message"] == f"Principal {person.name} is disabled"


def test_about_oneself(admin: Client, identities: Identities, space: str) -> None:
    """Others are for those who administer the server; and of what may not be seen one does not hear."""
    table = make_table(admin, space)
    person, client = person_with(identities, on_table(space, table.name), "list")
    address = f"table:default/{space}/{table.name}"
    assert explained(client, person.name, "drop", address)["allowed"] is False
    query = {"principal": "root", "action": "drop", "object": address}
    assert_error(client.get(EXPLAIN, params=query), 403, "ForbiddenException")
    hidden = make_table(admin, space)
    query = {"principal": person.name, "action": "drop", "object": f"table:default/{space}/{hidden.name}"}
    message = assert_error(client.get(EXPLAIN, params=query), 404, "NoSuchTableException")
    assert message == f"Table does not exist: {space}.{hidden.name}"


def test_error_id_of_a_403(admin: Client, identities: Identities, space: str) -> None:
    table = make_table(admin, space)
    person, client = person_with(identities, on_table(space, table.name), "list")
    message = assert_error(client.delete(table.path), 403, "ForbiddenException")
    found = re.search(r"\(error id (\S+)\)$", message)
    assert found is not None
    query = {"error-id": found[1]}
    eventually(lambda: admin.get(EXPLAIN, params=query).status_code == 200, 10, "the refusal is recorded")
    answer = ok(admin.get(EXPLAIN, params=query))
    assert answer["denial"]["message"] == message
    assert answer["denial"]["privilege"] == "drop"
    assert (answer["principal"], answer["allowed"], answer["needs"]) == (person.name, False, ["drop"])
    assert answer["object"] == f"table:default/{space}/{table.name}"
    grant(admin, on_table(space, table.name), person.name, "drop")
    assert ok(admin.get(EXPLAIN, params=query))["allowed"] is True
    assert_error(client.get(EXPLAIN, params=query), 403, "ForbiddenException")


def test_error_id_of_what_is_gone(admin: Client, identities: Identities, space: str) -> None:
    table = make_table(admin, space)
    _, client = person_with(identities, on_table(space, table.name), "list")
    answer = client.delete(table.path)
    query = {"error-id": answer.headers["X-Request-ID"]}
    eventually(lambda: admin.get(EXPLAIN, params=query).status_code == 200, 10, "the refusal is recorded")
    no_content(admin.delete(table.path))
    found = ok(admin.get(EXPLAIN, params=query))
    assert found["denial"]["message"] == found["message"] == answer.json()["error"]["message"]
    assert "allowed" not in found
    message = "No refused request with the error id nothing is known"
    assert_error(admin.get(EXPLAIN, params={"error-id": "nothing"}), 404, "NotFoundException", message)


def test_error_id_at_the_server(admin: Client, identities: Identities) -> None:
    person = identities.person()
    answer = identities.as_(person).get(ROLES)
    assert answer.status_code == 403
    query = {"error-id": answer.headers["X-Request-ID"]}
    eventually(lambda: admin.get(EXPLAIN, params=query).status_code == 200, 10, "the refusal is recorded")
    found = ok(admin.get(EXPLAIN, params=query))
    assert (found["object"], found["needs"], found["allowed"]) == ("server", ["administer"], False)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "Invalid query: expected principal, action and object, or error-id"),
        ({"principal": "root", "action": "list"}, "Invalid query: expected principal, action and object"),
        (
            {"principal": "root", "action": "fly", "object": "server"},
            "Invalid action 'fly': expected one of list,",
        ),
        ({"principal": "root", "action": "list", "object": "x"}, "Invalid object 'x': expected server,"),
        (
            {"principal": "root", "action": "loadTable", "object": "server"},
            "Invalid object server: loadTable is about a table",
        ),
    ],
)
def test_malformed_questions(admin: Client, query: dict[str, str], message: str) -> None:
    assert message in assert_error(admin.get(EXPLAIN, params=query), 400, "BadRequestException")


def test_unknown_names(admin: Client) -> None:
    query = {"principal": "nobody-of-this-name", "action": "list", "object": "server"}
    assert_error(admin.get(EXPLAIN, params=query), 404, "NotFoundException")
    query = {"principal": "root", "action": "list", "object": "warehouse:nowhere"}
    assert_error(admin.get(EXPLAIN, params=query), 404, "NoSuchWarehouseException")
    query = {"principal": "root", "action": "list", "object": "namespace:default/nowhere"}
    assert_error(admin.get(EXPLAIN, params=query), 404, "NoSuchNamespaceException")
