"""Races for names and places: creations, drops and renames (section 10.2)."""

from tests.contract.calls import (
    local,
    make_table,
    namespace_path,
    ok,
    rename_request,
    table_path,
)
from tests.contract.racing import (
    CREATED,
    GONE,
    NO_TABLE,
    ROUNDS,
    TAKEN,
    call,
    create,
    metadata_files,
    outcomes,
)
from tests.factories import unique_name
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


def test_namespace_against_namespace(server: TestServer) -> None:
    for _ in range(ROUNDS):
        body = {"namespace": [unique_name("ns")]}
        calls = [call(server, "POST", "/v1/namespaces", json=body) for _ in range(6)]
        assert outcomes(calls) == {CREATED: 1, TAKEN: 5}


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
