"""Creations, drops and renames that meet on two nodes (the races of section 10.2)."""

import pytest

from tests.contract.bodies import ASSERT_CREATE, staged_updates
from tests.contract.calls import (
    create_view_request,
    local,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    ok,
    rename_request,
    table_path,
    view_path,
)
from tests.contract.holding import management_path
from tests.contract.racing import (
    CREATED,
    GONE,
    LOST,
    NO_NAMESPACE,
    NO_TABLE,
    NOT_EMPTY,
    TAKEN,
    metadata_files,
)
from tests.contract.two_nodes.contents import CONTENTS, make_content
from tests.contract.two_nodes.meetings import Request, Way, commit, create, delete, meet, outcomes, post
from tests.factories import create_table_request, unique_name
from tests.support.nodes import Nodes
from tests.support.server import Client


def rename(kind: str, source: tuple[str, str], destination: tuple[str, str]) -> Request:
    return post(f"/v1/{kind}s/rename", rename_request(source, destination))


def test_create_and_create(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    pair = [create(namespace, "t", properties={"by": str(number)}) for number in (0, 1)]
    assert outcomes(nodes, way, *pair) == way.in_order(CREATED, TAKEN)
    assert metadata_files(client, namespace) == 1
    loaded = ok(client.get(table_path(namespace, "t")))
    assert loaded["metadata"]["properties"]["by"] == str(way.first)


def test_create_inside_one_another(nodes: Nodes, way: Way, namespace: str) -> None:
    area = f"{nodes.servers[0].warehouse.location}/{unique_name('area')}"
    pair = create(namespace, "outer", location=area), create(namespace, "inner", location=f"{area}/x")
    assert outcomes(nodes, way, *pair) == way.in_order(CREATED, (400, "IllegalArgumentException"))
    assert len(list(local(area).rglob("*.json"))) == 1


def test_staged_commit_and_create(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    body = create_table_request("t", **{"stage-create": True})
    plan = ok(client.post(f"{namespace_path(namespace)}/tables", json=body))["metadata"]
    staged = commit(table_path(namespace, "t"), *staged_updates(plan), requirements=[ASSERT_CREATE])
    loser = TAKEN if way.first == 0 else LOST
    assert outcomes(nodes, way, staged, create(namespace, "t")) == way.in_order(CREATED, loser)
    loaded = ok(client.get(table_path(namespace, "t")))
    assert (loaded["metadata"]["table-uuid"] == plan["table-uuid"]) == (way.first == 0)
    assert metadata_files(client, namespace) == 1


def test_table_and_view(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    pair = create(namespace, "x"), post(f"{namespace_path(namespace)}/views", create_view_request("x"))
    assert outcomes(nodes, way, *pair) == way.in_order(CREATED, TAKEN)
    found = [client.head(path(namespace, "x")).status_code for path in (table_path, view_path)]
    assert found == ([204, 404] if way.first == 0 else [404, 204])
    assert metadata_files(client, namespace) == 1


def test_namespace_and_namespace(nodes: Nodes, way: Way) -> None:
    pair = [post("/v1/namespaces", {"namespace": [unique_name("ns")]})] * 2
    assert outcomes(nodes, way, *pair) == way.in_order(CREATED, TAKEN)


@pytest.mark.parametrize("kind", CONTENTS)
def test_new_content_and_drop_of_its_namespace(nodes: Nodes, way: Way, client: Client, kind: str) -> None:
    target = make_namespace(client)
    folder = local(ok(client.get(namespace_path(target)))["properties"]["location"])
    pair = make_content(client, kind, target), delete(namespace_path(target))
    success = GONE if kind.startswith("renamed") else CREATED
    expected = (success, NOT_EMPTY) if way.first == 0 else (NO_NAMESPACE, GONE)
    assert outcomes(nodes, way, *pair) == expected
    assert client.head(namespace_path(target)).status_code == (204 if way.first == 0 else 404)
    if way.first == 1:
        assert list(folder.rglob("*.json")) == []


def test_drop_and_drop(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    table = make_table(client, namespace)
    pair = [delete(table.path)] * 2
    assert outcomes(nodes, way, *pair) == way.in_order(GONE, NO_TABLE)
    pair = [delete(namespace_path(namespace))] * 2
    assert outcomes(nodes, way, *pair) == way.in_order(GONE, NO_NAMESPACE)


def test_drop_of_the_last_table_and_of_its_namespace(
    nodes: Nodes, way: Way, client: Client, namespace: str
) -> None:
    table = make_table(client, namespace)
    pair = delete(table.path), delete(namespace_path(namespace))
    assert outcomes(nodes, way, *pair) == (GONE, GONE if way.first == 0 else NOT_EMPTY)


@pytest.mark.parametrize("kind", ["table", "view"])
def test_renames_onto_one_name(nodes: Nodes, way: Way, client: Client, namespace: str, kind: str) -> None:
    make = make_table if kind == "table" else make_view
    both = [make(client, namespace) for _ in range(2)]
    pair = [rename(kind, (namespace, each.name), (namespace, "target")) for each in both]
    assert outcomes(nodes, way, *pair) == way.in_order(GONE, TAKEN)
    moved, stayed = both[way.first], both[1 - way.first]
    assert [client.head(each.path).status_code for each in (moved, stayed)] == [404, 204]


def test_renames_away_from_one_name(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    table = make_table(client, namespace)
    pair = [rename("table", (namespace, table.name), (namespace, new)) for new in ("x", "y")]
    assert outcomes(nodes, way, *pair) == way.in_order(GONE, NO_TABLE)
    found = [client.head(table_path(namespace, new)).status_code for new in ("x", "y")]
    assert found == ([204, 404] if way.first == 0 else [404, 204])


def test_chain_of_renames(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    """a to b while b goes to c: b is still taken, or already free."""
    a, b = make_table(client, namespace, "a"), make_table(client, namespace, "b")
    uuids = [each.metadata["table-uuid"] for each in (a, b)]
    pair = (
        rename("table", (namespace, "a"), (namespace, "b")),
        rename("table", (namespace, "b"), (namespace, "c")),
    )
    first, second = outcomes(nodes, way, *pair)
    assert second == GONE
    assert first in {GONE, TAKEN}
    if way.place == "mutation.begin":
        assert first == (GONE if way.held == 0 else TAKEN)
    place = "b" if first == GONE else "a"
    found = [ok(client.get(table_path(namespace, name)))["metadata"]["table-uuid"] for name in (place, "c")]
    assert found == uuids
    assert len(ok(client.get(f"{namespace_path(namespace)}/tables"))["identifiers"]) == 2


def test_create_and_a_rename_away(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    """The name is free once the rename is committed, not before."""
    table = make_table(client, namespace, "t")
    uuid = table.metadata["table-uuid"]
    pair = create(namespace, "t"), rename("table", (namespace, "t"), (namespace, "u"))
    created, renamed = outcomes(nodes, way, *pair)
    assert renamed == GONE
    assert created in {CREATED, TAKEN}
    assert ok(client.get(table_path(namespace, "u")))["metadata"]["table-uuid"] == uuid
    assert (client.head(table_path(namespace, "t")).status_code == 204) == (created == CREATED)
    assert metadata_files(client, namespace) == (2 if created == CREATED else 1)


def properties(namespace: str, removals: list[str], **updates: str) -> Request:
    return post(f"{namespace_path(namespace)}/properties", {"removals": removals, "updates": updates})


def test_property_updates(nodes: Nodes, way: Way, client: Client) -> None:
    """Each is atomic, and what the second one answers describes what the first one left."""
    name = make_namespace(client, old="1")
    pair = properties(name, ["old"], a="0", both="0"), properties(name, ["old"], b="1", both="1")
    answers = [ok(answer) for answer in meet(nodes, way, *pair)]
    assert answers[way.first]["removed"] == answers[1 - way.first]["missing"] == ["old"]
    stored = ok(client.get(namespace_path(name)))["properties"]
    del stored["location"]
    assert stored == {"a": "0", "b": "1", "both": str(1 - way.first)}


def test_property_update_and_drop(nodes: Nodes, way: Way, client: Client) -> None:
    name = make_namespace(client)
    found = outcomes(nodes, way, properties(name, [], a="1"), delete(namespace_path(name)))
    assert found == (CREATED if way.first == 0 else NO_NAMESPACE, GONE)
    assert client.head(namespace_path(name)).status_code == 404


def test_function_and_function(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    pair = [make_content(client, "function", namespace) for _ in range(2)]
    assert outcomes(nodes, way, *pair) == way.in_order(CREATED, TAKEN)
    path = management_path(namespace, below="/functions/x")
    drops = outcomes(nodes, way, delete(path), delete(path))
    assert drops == way.in_order(GONE, (404, "NoSuchFunctionException"))
