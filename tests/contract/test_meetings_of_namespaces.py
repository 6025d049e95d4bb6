"""Renames of namespaces that meet creations, drops and each other, on two nodes."""

from collections.abc import Iterator

import pytest

from tests.contract.calls import (
    Tabular,
    make_namespace,
    make_table,
    namespace_path,
    no_content,
    ok,
    rename_request,
    table_path,
    view_path,
)
from tests.contract.holding import management_path
from tests.contract.meetings import WAYS, Request, Way, commit, delete, meet, outcomes, post
from tests.contract.racing import CREATED, GONE, NO_NAMESPACE, NO_TABLE, NOT_EMPTY, TAKEN
from tests.contract.test_meetings_of_names import CONTENTS, make_content
from tests.factories import set_properties, unique_name
from tests.support.nodes import Nodes
from tests.support.server import Client


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


@pytest.fixture
def client(nodes: Nodes) -> Iterator[Client]:
    with Client(nodes.servers[0].url) as session:
        yield session


@pytest.fixture
def namespace(client: Client) -> str:
    return make_namespace(client)


def in_order(way: Way, winner: object, loser: object) -> tuple[object, object]:
    return (winner, loser) if way.first == 0 else (loser, winner)


def rename(source: list[str], destination: list[str]) -> Request:
    return post(management_path(*source, below="/rename"), {"destination": destination})


def exists(client: Client, path: str) -> bool:
    return client.head(path).status_code == 204


@pytest.mark.parametrize("kind", CONTENTS)
def test_new_content(nodes: Nodes, way: Way, client: Client, namespace: str, kind: str) -> None:
    """Created before the rename it moves along; after it there is no such namespace."""
    new = unique_name("new")
    pair = make_content(client, kind, namespace), rename([namespace], [new])
    success = GONE if kind.startswith("renamed") else CREATED
    assert outcomes(nodes, way, *pair) == (success if way.first == 0 else NO_NAMESPACE, GONE)
    paths = [table_path(new, "x"), view_path(new, "x"), namespace_path(new, "x")]
    assert [exists(client, path) for path in paths].count(True) == (1 if way.first == 0 else 0)
    assert not exists(client, namespace_path(namespace))
    assert not exists(client, namespace_path(namespace, "x"))
    children = ok(client.get("/v1/namespaces", params={"parent": new}))["namespaces"]
    assert children == ([[new, "x"]] if kind == "namespace" and way.first == 0 else [])


def test_new_content_further_below(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    for levels in (["a"], ["a", "b"]):
        ok(client.post("/v1/namespaces", json={"namespace": [namespace, *levels]}))
    new = unique_name("new")
    body = {"namespace": [namespace, "a", "b", "c"]}
    found = outcomes(nodes, way, post("/v1/namespaces", body), rename([namespace], [new]))
    assert found == (CREATED if way.first == 0 else NO_NAMESPACE, GONE)
    assert exists(client, namespace_path(new, "a", "b", "c")) == (way.first == 0)
    assert exists(client, namespace_path(new, "a", "b"))


def test_two_to_one_name(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    other, new = make_namespace(client), unique_name("new")
    pair = rename([namespace], [new]), rename([other], [new])
    assert outcomes(nodes, way, *pair) == in_order(way, GONE, TAKEN)
    stayed = (namespace, other)[1 - way.first]
    assert exists(client, namespace_path(stayed))


def test_one_to_two_names(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    pair = [rename([namespace], [f"{namespace}{number}"]) for number in (0, 1)]
    assert outcomes(nodes, way, *pair) == in_order(way, GONE, NO_NAMESPACE)
    assert exists(client, namespace_path(f"{namespace}{way.first}"))


def test_onto_a_name_that_is_created(nodes: Nodes, way: Way, namespace: str) -> None:
    new = unique_name("new")
    pair = rename([namespace], [new]), post("/v1/namespaces", {"namespace": [new]})
    expected = (GONE, TAKEN) if way.first == 0 else (TAKEN, CREATED)
    assert outcomes(nodes, way, *pair) == expected


def test_rename_and_drop(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    new = unique_name("new")
    pair = rename([namespace], [new]), delete(namespace_path(namespace))
    assert outcomes(nodes, way, *pair) == in_order(way, GONE, NO_NAMESPACE)
    assert exists(client, namespace_path(new)) == (way.first == 0)


def test_rename_into_a_parent_that_is_dropped(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    parent = make_namespace(client)
    pair = rename([namespace], [parent, "x"]), delete(namespace_path(parent))
    expected = (GONE, NOT_EMPTY) if way.first == 0 else (NO_NAMESPACE, GONE)
    assert outcomes(nodes, way, *pair) == expected
    assert exists(client, namespace_path(parent, "x")) == (way.first == 0)
    assert exists(client, namespace_path(namespace)) == (way.first == 1)


def test_rename_out_of_a_parent_that_is_dropped(
    nodes: Nodes, way: Way, client: Client, namespace: str
) -> None:
    child, new = make_namespace(client, namespace), unique_name("new")
    pair = rename([namespace, child], [new]), delete(namespace_path(namespace))
    assert outcomes(nodes, way, *pair) == (GONE, GONE if way.first == 0 else NOT_EMPTY)
    assert exists(client, namespace_path(new))


def test_parent_and_child(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    child, new = make_namespace(client, namespace), unique_name("new")
    pair = rename([namespace], [new]), rename([namespace, child], [namespace, "x"])
    assert outcomes(nodes, way, *pair) == (GONE, NO_NAMESPACE if way.first == 0 else GONE)
    children = ok(client.get("/v1/namespaces", params={"parent": new}))["namespaces"]
    assert children == [[new, child if way.first == 0 else "x"]]


def test_into_each_other(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    """Never a ring: whoever comes second finds no parent of that name."""
    other = make_namespace(client)
    pair = rename([namespace], [other, "x"]), rename([other], [namespace, "x"])
    assert outcomes(nodes, way, *pair) == in_order(way, GONE, NO_NAMESPACE)
    top = list(ok(client.get("/v1/namespaces"))["namespaces"])
    assert ([namespace] in top, [other] in top) == ((False, True) if way.first == 0 else (True, False))


def test_drop_of_a_table_inside(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    table, new = make_table(client, namespace), unique_name("new")
    pair = rename([namespace], [new]), delete(table.path)
    assert outcomes(nodes, way, *pair) == (GONE, NO_TABLE if way.first == 0 else GONE)
    assert exists(client, table_path(new, table.name)) == (way.first == 0)


def test_rename_of_a_table_inside(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    table, new = make_table(client, namespace), unique_name("new")
    body = rename_request((namespace, table.name), (namespace, "x"))
    pair = rename([namespace], [new]), post("/v1/tables/rename", body)
    assert outcomes(nodes, way, *pair) == (GONE, NO_TABLE if way.first == 0 else GONE)
    assert exists(client, table_path(new, table.name if way.first == 0 else "x"))


def test_commit_to_a_table_inside(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    """It knows the table, whatever its namespace is called by now."""
    table, new = make_table(client, namespace), unique_name("new")
    pair = rename([namespace], [new]), commit(table.path, set_properties(a="1"))
    renamed, committed = meet(nodes, way, *pair)
    no_content(renamed)
    assert committed.status_code == 200
    moved = Tabular(client, new, table.name, table_path(new, table.name))
    assert moved.location == committed.json()["metadata-location"]


def test_property_update(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    new = unique_name("new")
    update = post(f"{namespace_path(namespace)}/properties", {"updates": {"a": "1"}})
    found = outcomes(nodes, way, rename([namespace], [new]), update)
    assert found == (GONE, NO_NAMESPACE if way.first == 0 else CREATED)
    assert ("a" in ok(client.get(namespace_path(new)))["properties"]) == (way.first == 1)
