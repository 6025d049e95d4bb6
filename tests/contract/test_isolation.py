"""Two people on one server: each works with his own and finds no trace of the other's."""

from typing import Any, NamedTuple

import pytest

from tests.contract.bodies import append
from tests.contract.calls import (
    Tabular,
    assert_error,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    ok,
)
from tests.contract.rights import on_namespace, person_with
from tests.factories import commit_request, set_properties
from tests.support.identities import KEYS, PRINCIPALS, Identities, Person
from tests.support.process import eventually
from tests.support.server import Client, TestServer

MINE = ("read-metadata", "read-data", "write-data", "create", "drop", "manage-properties", "manage-grants")
AUDIT = "/management/v1/audit"
STATE = """SELECT (SELECT max(id) FROM changes), (SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM tabulars t),
    (SELECT md5(string_agg(n::text, ',' ORDER BY id)) FROM namespaces n),
    (SELECT md5(string_agg(g::text, ',' ORDER BY id)) FROM grants g)"""


class Somebody(NamedTuple):
    """A principal with a namespace of its own, and what it made there."""

    person: Person
    client: Client
    namespace: str
    table: Tabular
    view: Tabular

    @property
    def name(self) -> str:
        return self.person.name


def somebody(identities: Identities) -> Somebody:
    namespace = make_namespace(identities.admin)
    person, client = person_with(identities, on_namespace(namespace), *MINE)
    return Somebody(person, client, namespace, make_table(client, namespace), make_view(client, namespace))


@pytest.fixture(scope="module")
def alice(identities: Identities) -> Somebody:
    return somebody(identities)


@pytest.fixture(scope="module")
def bob(identities: Identities) -> Somebody:
    return somebody(identities)


def everything_listed(client: Client) -> str:
    """All that lists and the configuration show."""
    paths = [
        "/v1/config",
        "/v1/config?warehouse=default",
        "/v1/namespaces",
        "/management/v1/warehouses",
        KEYS,
    ]
    text = "".join(answer.text for answer in map(client.get, paths) if answer.status_code == 200)
    for levels in ok(client.get("/v1/namespaces"))["namespaces"]:
        for below in ("", "/tables", "/views", "/functions", "/properties"):
            answer = client.get(namespace_path(*levels) + below)
            text += answer.text if answer.status_code == 200 else ""
    return text


def test_each_lists_only_what_is_his(alice: Somebody, bob: Somebody) -> None:
    for one, other in ((alice, bob), (bob, alice)):
        assert ok(one.client.get("/v1/namespaces"))["namespaces"] == [[one.namespace]]
        text = everything_listed(one.client)
        assert one.namespace in text
        for trace in (other.name, other.namespace, other.table.name, other.view.name):
            assert trace not in text


def test_what_is_not_his_is_not_there(alice: Somebody, bob: Somebody) -> None:
    for one, other in ((alice, bob), (bob, alice)):
        for found, kind in ((other.table, "NoSuchTableException"), (other.view, "NoSuchViewException")):
            assert_error(one.client.get(found.path), 404, kind)
            assert_error(one.client.delete(found.path), 404, kind)
        path = namespace_path(other.namespace)
        assert_error(one.client.get(path), 404, "NoSuchNamespaceException")
        assert_error(one.client.get(f"{path}/tables"), 404, "NoSuchNamespaceException")
        assert one.client.head(path).status_code == 404


def test_nobody_moves_his_things_to_the_other_or_takes_theirs(alice: Somebody, bob: Somebody) -> None:
    for source, destination, kind in (
        (alice, bob, "NoSuchNamespaceException"),
        (bob, alice, "NoSuchTableException"),
    ):
        body = {
            "source": {"namespace": [source.namespace], "name": source.table.name},
            "destination": {"namespace": [destination.namespace], "name": "taken"},
        }
        assert_error(alice.client.post("/v1/tables/rename", json=body), 404, kind)
    changes = [
        {
            "identifier": {"namespace": [who.namespace], "name": who.table.name},
            **commit_request(*append(7, 1)),
        }
        for who in (alice, bob)
    ]
    answer = alice.client.post("/v1/transactions/commit", json={"table-changes": changes})
    assert_error(answer, 404, "NoSuchTableException")
    assert not alice.table.metadata["snapshots"]


def test_metadata_of_the_other_cannot_be_registered(alice: Somebody, bob: Somebody) -> None:
    """The pointer of somebody else's table, should one know it, makes no table of one's own."""
    location = bob.table.location
    body = {"name": "stolen", "metadata-location": location}
    answer = alice.client.post(f"{namespace_path(alice.namespace)}/register", json=body)
    assert answer.status_code == 409, answer.text
    said = answer.text.replace(location, "")
    assert [trace for trace in (bob.name, bob.namespace, bob.table.name) if trace in said] == []


@pytest.mark.parametrize("path", [PRINCIPALS, AUDIT, "/management/v1/roles", "/management/v1/jobs"])
def test_nobody_looks_behind(alice: Somebody, path: str) -> None:
    assert_error(alice.client.get(path), 403, "ForbiddenException")


WRITES: list[tuple[str, str, Any]] = [
    ("POST", "", commit_request(*append(5, 1))),
    ("POST", "", commit_request(set_properties(a="1"))),
    ("DELETE", "", None),
    ("DELETE", "?purgeRequested=true", None),
    ("POST", "/unregister", None),
]


@pytest.mark.parametrize(("method", "below", "body"), WRITES)
def test_a_key_for_reading_changes_nothing(
    identities: Identities, secured: TestServer, alice: Somebody, method: str, below: str, body: Any
) -> None:
    """Its principal may do all of it; 403, nothing is changed, and the audit has it under the error id."""
    reader = identities.with_token(identities.key(alice.person, ["read"])["key"])
    assert secured.database is not None
    before, location = secured.database.query(STATE), alice.table.location
    ok(reader.get(alice.table.path))
    answer = reader.request(method, alice.table.path + below, json=body)
    assert_error(answer, 403, "ForbiddenException")
    assert secured.database.query(STATE) == before
    assert alice.table.location == location
    params = {"request-id": answer.headers["X-Request-ID"], "outcome": "denied"}
    (event,) = eventually(
        lambda: ok(identities.admin.get(AUDIT, params=params))["events"], 10, "the audit has the refusal"
    )
    assert (event["actor"], event["event-type"]) == (alice.name, "access.denied")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", [AUDIT, f"{AUDIT}/1", "/metrics", "/health", "/openapi.json"])
def test_what_only_tells_cannot_be_written(identities: Identities, method: str, path: str) -> None:
    answer = identities.admin.request(method, path, json={})
    assert answer.status_code in {404, 405}, answer.text
