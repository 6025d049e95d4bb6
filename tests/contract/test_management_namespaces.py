"""Namespaces renamed with all below them."""

import re
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.contract.calls import (
    Tabular,
    assert_error,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    segment,
)
from tests.contract.holding import ROOT, drop, dropped, management_path, undrop
from tests.factories import set_properties, unique_name
from tests.support.server import Client, TestServer


def rename(client: Client, source: list[str], destination: Any, **options: Any) -> requests.Response:
    path = management_path(*source, below="/rename")
    return client.post(path, json={"destination": destination}, **options)


def create(client: Client, *levels: str) -> list[str]:
    ok(client.post("/v1/namespaces", json={"namespace": list(levels)}))
    return list(levels)


def children(client: Client, *levels: str) -> list[list[str]]:
    params = {"parent": "\x1f".join(levels)} if levels else {}
    return list(ok(client.get("/v1/namespaces", params=params))["namespaces"])


def test_a_namespace_gets_another_name(client: Client, table: Tabular, view: Tabular) -> None:
    old, new = table.namespace, unique_name("new")
    before = ok(client.get(namespace_path(old))), table.load(), view.load()
    no_content(rename(client, [old], [new]))
    assert client.head(namespace_path(old)).status_code == 404
    assert_error(client.get(table.path), 404, "NoSuchTableException")
    after = ok(client.get(namespace_path(new)))
    assert after == {"namespace": [new], "properties": before[0]["properties"]}
    moved = Tabular(client, new, table.name, f"{namespace_path(new)}/tables/{table.name}")
    assert moved.load() == before[1]
    assert ok(client.get(f"{namespace_path(new)}/views/{view.name}")) == before[2]
    moved.commit(set_properties(a="1"))
    assert [new] in children(client)
    assert [old] not in children(client)
    tables = ok(client.get(f"{namespace_path(new)}/tables"))["identifiers"]
    assert tables == [{"namespace": [new], "name": table.name}]


def test_all_below_moves_along(client: Client, namespace: str) -> None:
    """Neighbours whose names begin alike stay."""
    beside = create(client, f"{namespace} x")
    create(client, *beside, "a")
    for levels in (["a"], ["a", "b"], ["a", "b", "c"], ["a.b"], ["a\N{SNOWMAN}"], ["aa"], ["z"]):
        create(client, namespace, *levels)
    table = ok(client.post(f"{namespace_path(namespace, 'a', 'b')}/tables", json=table_body("t")))
    new = unique_name("new")
    no_content(rename(client, [namespace, "a"], [new]))
    assert children(client, new) == [[new, "b"]]
    assert children(client, new, "b") == [[new, "b", "c"]]
    left = [levels[-1] for levels in children(client, namespace)]
    assert left == ["a.b", "aa", "a\N{SNOWMAN}", "z"]
    assert children(client, *beside) == [[*beside, "a"]]
    loaded = ok(client.get(f"{namespace_path(new, 'b')}/tables/t"))
    assert loaded["metadata-location"] == table["metadata-location"]
    create(client, namespace, "a")
    no_content(client.delete(namespace_path(namespace, "a")))


def test_tables_and_views_are_not_touched(server: TestServer, client: Client, namespace: str) -> None:
    """One statement on namespaces, however much is in them: no row of a table gets a new version."""
    assert server.database is not None
    child = create(client, namespace, "a")[1]
    names = [make_table(client, namespace).name, make_view(client, namespace).name, unique_name("t")]
    ok(client.post(f"{namespace_path(namespace, child)}/tables", json=table_body(names[2])))
    versions = "SELECT name, xmin::text, ctid::text FROM tabulars WHERE name = ANY(%s) ORDER BY name"
    before = server.database.query(versions, names)
    no_content(rename(client, [namespace], [unique_name("new")]))
    assert server.database.query(versions, names) == before
    assert len(before) == 3


def table_body(name: str) -> dict[str, Any]:
    fields = [{"id": 1, "name": "id", "type": "long", "required": True}]
    return {"name": name, "schema": {"type": "struct", "fields": fields}}


def test_below_another_parent_and_back(client: Client) -> None:
    one, other = make_namespace(client), make_namespace(client)
    make_table(client, one, "t")
    no_content(rename(client, [one], [other, "below"]))
    assert children(client, other) == [[other, "below"]]
    assert_error(client.delete(namespace_path(other)), 409, "NamespaceNotEmptyException")
    no_content(rename(client, [other, "below"], [one]))
    assert client.head(f"{namespace_path(one)}/tables/t").status_code == 204
    no_content(client.delete(namespace_path(other)))


def test_new_objects_and_old_names(client: Client, table: Tabular) -> None:
    """The old name may be given to something else; nothing meets in storage."""
    old, new = table.namespace, unique_name("new")
    location = table.metadata["location"]
    no_content(rename(client, [old], [new]))
    create(client, old)
    again = make_table(client, old, table.name)
    assert again.metadata["location"] != location
    fresh = make_table(client, new)
    assert fresh.load()


@pytest.mark.parametrize("name", ["a/b", "a b", "a+b", "a%2Fb", "ü\N{SNOWMAN}", "a.b", "'\"", "\u202eright"])
def test_names_of_any_kind(client: Client, namespace: str, name: str) -> None:
    create(client, namespace, name)
    no_content(rename(client, [namespace, name], [namespace, f"{name}2"]))
    assert children(client, namespace) == [[namespace, f"{name}2"]]


def test_a_plus_in_a_path_is_a_space_unless_there_is_none(client: Client, namespace: str) -> None:
    create(client, namespace, "a b")
    path = f"{ROOT}/namespaces/{segment(namespace)}%1Fa+b/rename"
    no_content(client.post(path, json={"destination": [namespace, "c+d"]}))
    path = f"{ROOT}/namespaces/{segment(namespace)}%1Fc+d/rename"
    no_content(client.post(path, json={"destination": [namespace, "e"]}))
    assert children(client, namespace) == [[namespace, "e"]]


def test_onto_itself(client: Client, namespace: str) -> None:
    no_content(rename(client, [namespace], [namespace]))
    assert_error(rename(client, ["nobody"], ["nobody"]), 404, "NoSuchNamespaceException")


def test_what_is_missing(client: Client, namespace: str) -> None:
    message = "Namespace does not exist: nobody"
    assert_error(rename(client, ["nobody"], [unique_name()]), 404, "NoSuchNamespaceException", message)
    answer = rename(client, [namespace], ["nobody", "x"])
    assert_error(answer, 404, "NoSuchNamespaceException", message)
    assert client.head(namespace_path(namespace)).status_code == 204


def test_what_is_taken(client: Client, namespace: str) -> None:
    create(client, namespace, "a")
    create(client, namespace, "a", "b")
    create(client, namespace, "c")
    message = re.compile(f"Namespace already exists: {namespace}.c")
    answer = rename(client, [namespace, "a"], [namespace, "c"])
    assert_error(answer, 409, "AlreadyExistsException", message)
    answer = rename(client, [namespace, "a", "b"], [namespace, "a"])
    assert_error(answer, 409, "AlreadyExistsException")
    assert children(client, namespace) == [[namespace, "a"], [namespace, "c"]]


def test_not_below_itself(client: Client, namespace: str) -> None:
    create(client, namespace, "a")
    for destination in ([namespace, "x"], [namespace, "a", "x"]):
        message = re.compile("cannot be moved below itself")
        answer = rename(client, [namespace], destination)
        assert_error(answer, 400, "IllegalArgumentException", message)


def test_not_deeper_than_allowed(client: Client, namespace: str) -> None:
    """The limit is 32 levels, also for what lies below."""
    deep = [namespace]
    for number in range(30):
        deep = create(client, *deep, str(number))
    target = make_namespace(client)
    no_content(rename(client, [namespace], [target, "x"]))
    answer = rename(client, [target], [make_namespace(client), "x"])
    message = "Invalid destination: 33 levels below it exceed limits.max_namespace_depth (32)"
    assert_error(answer, 400, "BadRequestException", message)


@pytest.mark.parametrize(
    "body", [{}, {"destination": None}, {"destination": []}, {"destination": "a"}, {"destination": ["a", ""]}]
)
def test_bad_bodies(client: Client, namespace: str, body: dict[str, Any]) -> None:
    answer = client.post(management_path(namespace, below="/rename"), json=body)
    assert_error(answer, 400, "BadRequestException", re.compile("destination"))


def test_under_one_key(client: Client, namespace: str) -> None:
    new, headers = unique_name("new"), {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        no_content(rename(client, [namespace], [new], headers=headers))
    other = {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        assert_error(rename(client, [namespace], [new], headers=other), 404, "NoSuchNamespaceException")


def test_a_protected_namespace_may_be_renamed(client: Client, namespace: str) -> None:
    ok(client.put(f"{management_path(namespace)}/protection", json={"protected": True}))
    new = unique_name("new")
    no_content(rename(client, [namespace], [new]))
    assert ok(client.get(f"{management_path(new)}/protection")) == {"protected": True}


def test_what_is_held_follows(holding: TestServer) -> None:
    with Client(holding.url) as client:
        table = make_table(client, make_namespace(client))
        item, new = drop(table), unique_name("new")
        no_content(rename(client, [table.namespace], [new]))
        (listed,) = (each for each in dropped(client) if each["id"] == item["id"])
        assert listed["namespace"] == [new]
        assert ok(undrop(client, item))["namespace"] == [new]


def test_the_change_log(server: TestServer, client: Client, namespace: str) -> None:
    assert server.database is not None
    create(client, namespace, "a")
    make_view(client, namespace)
    marker = client.headers["X-Request-ID"] = unique_name("request")
    new = unique_name("new")
    no_content(rename(client, [namespace], [new]))
    no_content(rename(client, [new], [new]))
    query = "SELECT action, namespace, name, details::jsonb FROM changes WHERE request_id = %s ORDER BY id"
    details = {"namespace": [new], "namespaces": 2}
    assert server.database.query(query, marker) == [("namespace.renamed", [namespace], None, details)]
