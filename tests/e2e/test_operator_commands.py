"""The commands of whoever runs the catalog, on the real database."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.support.identities import Identities, Person, secured_settings
from tests.support.server import TestServer


@pytest.fixture(scope="module")
def node(make_server: MakeServer) -> Iterator[TestServer]:
    """A node without an administrator."""
    settings = {
        key: value for key, value in secured_settings().items() if not key.startswith("auth.oauth2.client")
    }
    with make_server(settings=settings) as running:
        yield running


@pytest.fixture(scope="module")
def root(node: TestServer) -> Person:
    made = said(node, "bootstrap", "--name", "chief")
    return Person(made["client-id"], made["client-secret"])


@pytest.fixture
def people(node: TestServer, root: Person) -> Identities:
    return Identities(node, root)


def said(node: TestServer, *arguments: str) -> Any:
    """Return what a command printed as data."""
    outcome = node.cli(*arguments)
    assert outcome.code == 0, outcome
    return json.loads(outcome.out) if outcome.out else None


def test_first_administrator(node: TestServer, root: Person, people: Identities) -> None:
    assert people.admin.get("/management/v1/principals").status_code == 200
    again = node.cli("bootstrap")
    assert (again.code, again.out) == (4, "")
    assert again.err == "bingsan: There is an administrator already: chief\n"
    taken = node.cli("bootstrap", "--name", "chief", "--another")
    assert (taken.code, taken.err) == (4, "bingsan: Principal already exists: chief\n")
    other = said(node, "bootstrap", "--name", "deputy", "--another")
    assert people.login(Person("deputy", other["client-secret"])).status_code == 200
    said(node, "principal", "delete", "deputy")


def test_principals(node: TestServer, people: Identities) -> None:
    made = said(node, "principal", "create", "etl")
    person = Person("etl", made["client-secret"])
    assert people.login(person).status_code == 200
    said(node, "principal", "disable", "etl")
    assert people.login(person).status_code == 401
    said(node, "principal", "enable", "etl")
    newer = Person("etl", said(node, "principal", "rotate", "etl", "--old-valid-for", "0h")["client-secret"])
    assert [people.login(each).status_code for each in (person, newer)] == [401, 200]
    client = people.as_(newer)
    said(node, "principal", "delete", "etl")
    assert client.get("/v1/config").status_code == 401
    listed = said(node, "principal", "list", "--include-deleted")
    assert [each["deleted-at-ms"] is not None for each in listed if each["name"] == "etl"] == [True]
    assert "etl" not in {each["name"] for each in said(node, "principal", "list")}


def test_keys(node: TestServer, people: Identities) -> None:
    person = people.person()
    made = said(
        node, "key", "create", "nightly", "--principal", person.name, "--scope", "read", "--expires-in", "30d"
    )
    assert people.with_token(made["key"]).get("/v1/config").status_code == 200
    newer = said(node, "key", "rotate", str(made["id"]))
    assert {people.with_token(each["key"]).get("/v1/config").status_code for each in (made, newer)} == {200}
    (listed,) = said(node, "key", "list", "--principal", person.name)
    assert (listed["name"], listed["scopes"]) == ("nightly", ["read"])
    assert "key" not in listed
    said(node, "key", "revoke", str(made["id"]))
    assert {people.with_token(each["key"]).get("/v1/config").status_code for each in (made, newer)} == {401}


def test_table_for_people(node: TestServer, root: Person) -> None:
    outcome = node.cli("principal", "list", "--format", "table")
    head, *lines = outcome.out.splitlines()
    assert head.split() == ["NAME", "KIND", "DISABLED", "CREATED-BY", "CREATED-AT", "DELETED-AT"]
    assert any(line.startswith(f"{root.name} ") for line in lines)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["principal", "delete", "nobody"], 3),
        (["key", "revoke", "999999"], 3),
        (["principal", "create", "chief"], 4),
        (["principal", "create", "a:b"], 6),
        (["key", "create", "k", "--principal", "chief", "--expires-in", "0d"], 6),
        (["key", "create", "k", "--principal", "chief", "--scope", "all"], 6),
        (["principal"], 2),
    ],
)
def test_failures(node: TestServer, root: Person, command: list[str], code: int) -> None:
    outcome = node.cli(*command)
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err
    assert "Traceback" not in outcome.err


def test_roles_and_grants(node: TestServer, root: Person) -> None:
    person = said(node, "principal", "create", "grace")["name"]
    assert said(node, "role", "create", "readers")["name"] == "readers"
    assert said(node, "role", "create", "staff")["name"] == "staff"
    for member in (person, "role:staff"):
        assert node.cli("role", "add", "readers", member).code == 0
    found = said(node, "role", "members", "readers")
    assert [(each.get("principal"), each.get("role")) for each in found] == [(person, None), (None, "staff")]
    given = node.cli("grant", "list", "read-metadata", "on", "warehouse:default", "to", "role:readers")
    assert (given.code, given.err) == (
        0,
        "list, read-metadata granted: role readers on warehouse default.\n",
    )
    said(node, "grant", "drop", "on", "server", "to", person)
    listed = said(node, "grants", "warehouse:default")
    assert [(each["privilege"], each["to"]) for each in listed] == [
        ("list", "role:readers"),
        ("read-metadata", "role:readers"),
    ]
    effective = said(node, "grants", person, "--effective")
    assert [each["object"] for each in effective] == ["warehouse:default", "warehouse:default", "server"]
    assert [each["privilege"] for each in said(node, "grants", person)] == ["drop"]
    taken = node.cli("revoke", "list", "vend", "on", "warehouse:default", "from", "role:readers")
    assert (taken.code, taken.err) == (0, "list taken back: role readers on warehouse default.\n")
    assert node.cli("role", "remove", "readers", person).code == 0
    assert node.cli("role", "delete", "readers").code == 0
    assert [each["name"] for each in said(node, "role", "list")] == ["staff"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("grant", "list", "server", "to", "x"), 2, "expected PRIVILEGE... on OBJECT to WHO"),
        (("revoke", "list", "on", "server", "to", "x"), 2, "expected PRIVILEGE... on OBJECT from WHO"),
        (("grant", "fly", "on", "server", "to", "x"), 6, "Invalid privilege 'fly': expected one of list,"),
        (("grant", "list", "on", "moon", "to", "x"), 6, "Invalid object 'moon': expected server,"),
        (("grant", "list", "on", "server", "to", "no-one"), 3, "Principal does not exist: no-one"),
        (("grant", "list", "on", "namespace:default/no", "to", "chief"), 3, "Namespace does not exist: no"),
        (("role", "delete", "no-role"), 3, "Role does not exist: no-role"),
        (
            ("revoke", "administer", "on", "server", "from", "chief"),
            4,
            "Nobody would be left who administers",
        ),
    ],
)
def test_refused_commands(
    node: TestServer, root: Person, arguments: tuple[str, ...], code: int, message: str
) -> None:
    outcome = node.cli(*arguments)
    assert outcome.code == code, outcome
    assert message in outcome.err
    assert outcome.out == ""


@pytest.mark.parametrize("action", ["disable", "delete"])
def test_the_last_administrator_stays(node: TestServer, root: Person, action: str) -> None:
    others = [each["to"] for each in said(node, "grants", "server") if each["privilege"] == "administer"]
    for other in others:
        if other != root.name:
            said(node, "revoke", "administer", "on", "server", "from", other)
    outcome = node.cli("principal", action, root.name)
    assert outcome.code == 4, outcome
    assert "Nobody would be left who administers the server" in outcome.err
