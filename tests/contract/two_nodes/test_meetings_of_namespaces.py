"""Renames of namespaces that meet creations, drops and each other, on two nodes."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.contract.calls import (
    Tabular,
    at_once,
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
from tests.contract.racing import CREATED, GONE, NO_NAMESPACE, NO_TABLE, NOT_EMPTY, TAKEN, outcome
from tests.contract.two_nodes.contents import CONTENTS, make_content
from tests.contract.two_nodes.meetings import Request, Way, commit, delete, meet, outcomes, post, send
from tests.factories import set_properties, unique_name
from tests.support.nodes import Nodes
from tests.support.process import eventually
from tests.support.server import Client


def rename(source: list[str], destination: list[str]) -> Request:
    return post(management_path(*source, below="/rename"), {"destination": destination})


def exists(client: Client, path: str) -> bool:
    return client.get(path).status_code == 200


@pytest.mark.parametrize("kind", CONTENTS)
def test_new_content(nodes: Nodes, way: Way, client: Client, namespace: str, kind: str) -> None:
    """Created before the rename it moves along; after it there is no such namespace."""
    new = unique_name("new")
    pair = make_content(client, kind, namespace), rename([namespace], [new])
    success = GONE if kind.startswith("renamed") else CREATED
    assert outcomes(nodes, way, *pair) == (success if way.first == 0 else NO_NAMESPACE, GONE)
    paths = [table_path(new, "x"), view_path(new, "x"), namespace_path(new, "x")]
    paths.append(f"{namespace_path(new)}/functions/x")
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


def test_new_content_of_new_content(nodes: Nodes, client: Client, namespace: str) -> None:
    """A child that comes to light while the rename waits for it is closed to new content as well."""
    first, second = nodes.servers
    child, new = [namespace, "a"], unique_name("new")
    with ThreadPoolExecutor(2) as pool, nodes.stopped_at("namespace_rename.locked") as locked:
        with nodes.held("mutation.end", lambda: send(first, post("/v1/namespaces", {"namespace": child}))):
            renamed = pool.submit(send, second, rename([namespace], [new]))
            eventually(nodes.somebody_waits, 15, "the rename waits for the creation")
        eventually(locked, 15, "the rename has all locks")
        body = {"namespace": [*child, "b"]}
        with nodes.held(
            "mutation.end", lambda: send(first, post("/v1/namespaces", body)), nodes.somebody_waits
        ) as late:
            (nodes.folder / "namespace_rename.locked.held").unlink()
            assert outcome(renamed.result()) == GONE
    assert outcome(late.result()) == NO_NAMESPACE
    assert exists(client, namespace_path(new, "a"))


def test_many_renames_at_once(nodes: Nodes, client: Client) -> None:
    """Into each other and back: nobody waits for ever, nothing is lost, and no namespace is its own parent."""
    names = [make_namespace(client) for _ in range(4)]
    for _ in range(5):
        pairs = [(one, other) for one in names for other in names if one != other]
        calls = [
            partial(send, nodes.servers[number % 2], rename([one], [other, one]))
            for number, (one, other) in enumerate(pairs)
        ]
        assert {outcome(answer) for answer in at_once(calls)} <= {GONE, NO_NAMESPACE, TAKEN}
        top = [name for (name,) in ok(client.get("/v1/namespaces"))["namespaces"] if name in names]
        assert len(top) == 1
        for levels in sorted(below(client, top), key=len, reverse=True):
            no_content(
                client.post(management_path(*levels, below="/rename"), json={"destination": levels[-1:]})
            )


def below(client: Client, levels: list[str]) -> list[list[str]]:
    """Return everything below a namespace."""
    params = {"parent": "\x1f".join(levels)}
    children = ok(client.get("/v1/namespaces", params=params))["namespaces"]
    return children + [each for child in children for each in below(client, child)]


def test_two_to_one_name(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    other, new = make_namespace(client), unique_name("new")
    pair = rename([namespace], [new]), rename([other], [new])
    assert outcomes(nodes, way, *pair) == way.in_order(GONE, TAKEN)
    stayed = (namespace, other)[1 - way.first]
    assert exists(client, namespace_path(stayed))


def test_one_to_two_names(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    pair = [rename([namespace], [f"{namespace}{number}"]) for number in (0, 1)]
    assert outcomes(nodes, way, *pair) == way.in_order(GONE, NO_NAMESPACE)
    assert exists(client, namespace_path(f"{namespace}{way.first}"))


def test_onto_a_name_that_is_created(nodes: Nodes, way: Way, namespace: str) -> None:
    new = unique_name("new")
    pair = rename([namespace], [new]), post("/v1/namespaces", {"namespace": [new]})
    expected = (GONE, TAKEN) if way.first == 0 else (TAKEN, CREATED)
    assert outcomes(nodes, way, *pair) == expected


def test_rename_and_drop(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    new = unique_name("new")
    pair = rename([namespace], [new]), delete(namespace_path(namespace))
    assert outcomes(nodes, way, *pair) == way.in_order(GONE, NO_NAMESPACE)
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
    assert outcomes(nodes, way, *pair) == way.in_order(GONE, NO_NAMESPACE)
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
