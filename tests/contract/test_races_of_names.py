"""Races for names and places: creations, drops and renames (section 10.2)."""

import pytest

from tests.contract.bodies import (
    ASSERT_CREATE,
    staged_updates,
)
from tests.contract.calls import (
    at_once,
    create_view_request,
    local,
    make_namespace,
    make_table,
    namespace_path,
    ok,
    rename_request,
    table_path,
    view_path,
)
from tests.contract.racing import (
    CREATED,
    GONE,
    LOST,
    NO_NAMESPACE,
    NO_TABLE,
    NOT_EMPTY,
    ROUNDS,
    TAKEN,
    call,
    commit,
    create,
    metadata_files,
    outcome,
    outcomes,
)
from tests.factories import create_table_request, unique_name
from tests.support.server import Client, TestServer


def test_create_against_create(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(ROUNDS):
        name = unique_name("t")
        before = metadata_files(client, namespace)
        assert outcomes([create(server, namespace, name) for _ in range(6)]) == {CREATED: 1, TAKEN: 5}
        assert metadata_files(client, namespace) == before + 1


def test_create_at_one_place_under_one_name(server: TestServer, namespace: str) -> None:
    """The loser hears that the name is taken, not that the place is."""
    for _ in range(ROUNDS):
        location = f"{server.warehouse.location}/{unique_name('place')}"
        calls = [create(server, namespace, "t-" + location[-8:], location=location) for _ in range(4)]
        assert outcomes(calls) == {CREATED: 1, TAKEN: 3}
        assert len(list(local(location).rglob("*.json"))) == 1


def test_create_inside_one_another(server: TestServer, namespace: str) -> None:
    for _ in range(ROUNDS):
        area = f"{server.warehouse.location}/{unique_name('area')}"
        places = [area, f"{area}/a", f"{area}/a/b", f"{area}/a/b/c"]
        calls = [create(server, namespace, unique_name("t"), location=place) for place in places]
        assert outcomes(calls) == {CREATED: 1, (400, "IllegalArgumentException"): 3}


def test_table_against_view(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(ROUNDS):
        name = unique_name("x")
        views = f"{namespace_path(namespace)}/views"
        calls = [
            create(server, namespace, name),
            call(server, "POST", views, json=create_view_request(name)),
        ] * 2
        assert outcomes(calls) == {CREATED: 1, TAKEN: 3}
        found = [client.head(path(namespace, name)).status_code for path in (table_path, view_path)]
        assert sorted(found) == [204, 404]


def test_staged_commit_against_create(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(ROUNDS):
        name = unique_name("t")
        body = create_table_request(name, **{"stage-create": True})
        plan = ok(client.post(f"{namespace_path(namespace)}/tables", json=body))["metadata"]
        staged = commit(
            server, table_path(namespace, name), *staged_updates(plan), requirements=[ASSERT_CREATE]
        )
        found = outcomes([staged, create(server, namespace, name)])
        assert found[CREATED] == 1
        assert set(found) - {CREATED} <= {TAKEN, LOST}


def test_namespace_against_namespace(server: TestServer) -> None:
    for _ in range(ROUNDS):
        body = {"namespace": [unique_name("ns")]}
        calls = [call(server, "POST", "/v1/namespaces", json=body) for _ in range(6)]
        assert outcomes(calls) == {CREATED: 1, TAKEN: 5}


@pytest.mark.parametrize("content", ["tables", "views", "namespaces"])
def test_create_against_drop_of_its_namespace(server: TestServer, client: Client, content: str) -> None:
    for _ in range(2 * ROUNDS):
        name = make_namespace(client)
        space = namespace_path(name)
        bodies = {
            "tables": (f"{space}/tables", create_table_request("x")),
            "views": (f"{space}/views", create_view_request("x")),
            "namespaces": ("/v1/namespaces", {"namespace": [name, "x"]}),
        }
        path, body = bodies[content]
        folder = local(ok(client.get(space))["properties"]["location"])
        made, dropped = map(
            outcome, at_once([call(server, "POST", path, json=body), call(server, "DELETE", space)])
        )
        assert (made, dropped) in {(CREATED, NOT_EMPTY), (NO_NAMESPACE, GONE)}
        if made == NO_NAMESPACE:
            assert list(folder.rglob("*.json")) == []


def test_rename_into_a_namespace_that_is_dropped(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(2 * ROUNDS):
        table, target = make_table(client, namespace), make_namespace(client)
        body = rename_request((namespace, table.name), (target, "x"))
        renamed, dropped = map(
            outcome,
            at_once(
                [
                    call(server, "POST", "/v1/tables/rename", json=body),
                    call(server, "DELETE", namespace_path(target)),
                ]
            ),
        )
        assert (renamed, dropped) in {(GONE, NOT_EMPTY), (NO_NAMESPACE, GONE)}


def test_drop_against_drop(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(ROUNDS):
        table = make_table(client, namespace)
        assert outcomes([call(server, "DELETE", table.path) for _ in range(4)]) == {GONE: 1, NO_TABLE: 3}


def test_renames_onto_one_name(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(ROUNDS):
        target = unique_name("target")
        tables = [make_table(client, namespace) for _ in range(4)]
        calls = [
            call(
                server,
                "POST",
                "/v1/tables/rename",
                json=rename_request((namespace, table.name), (namespace, target)),
            )
            for table in tables
        ]
        assert outcomes(calls) == {GONE: 1, TAKEN: 3}
        assert client.head(table_path(namespace, target)).status_code == 204


def test_chain_and_swap_of_renames(server: TestServer, client: Client, namespace: str) -> None:
    """a→b and b→c at once, then x→y and y→x: the result equals some order, nothing is lost."""
    for _ in range(ROUNDS):
        a, b, c = make_table(client, namespace), make_table(client, namespace), unique_name("c")
        uuids = {table.metadata["table-uuid"] for table in (a, b)}
        moves = [(a.name, b.name), (b.name, c), (b.name, a.name)]
        calls = [
            call(
                server,
                "POST",
                "/v1/tables/rename",
                json=rename_request((namespace, old), (namespace, new)),
            )
            for old, new in moves
        ]
        assert set(outcomes(calls)) <= {GONE, TAKEN, NO_TABLE}
        left = [client.get(table_path(namespace, name)) for name in (a.name, b.name, c)]
        found = [answer.json()["metadata"]["table-uuid"] for answer in left if answer.status_code == 200]
        assert sorted(found) == sorted(uuids)


def test_property_updates_of_one_namespace(server: TestServer, client: Client, namespace: str) -> None:
    path = f"{namespace_path(namespace)}/properties"
    calls = [call(server, "POST", path, json={"updates": {f"p{n}": str(n)}}) for n in range(10)]
    assert outcomes(calls) == {CREATED: 10}
    properties = ok(client.get(namespace_path(namespace)))["properties"]
    assert {f"p{n}": str(n) for n in range(10)}.items() <= properties.items()
