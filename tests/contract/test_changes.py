"""The change log: every mutation appends one row in its own transaction, nothing else does."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.bodies import ASSERT_CREATE, assert_ref
from tests.contract.calls import (
    Tabular,
    create_view_request,
    make_namespace,
    make_table,
    namespace_path,
    no_content,
    ok,
    rename_request,
    table_path,
    view_path,
)
from tests.factories import commit_request, create_table_request, schema, set_properties, unique_name
from tests.support.server import Client, TestServer

COLUMNS = (
    "action, object_kind, namespace, name, before_pointer, after_pointer, details::jsonb, principal,"
    " warehouse_id = (SELECT id FROM warehouses WHERE is_default)"
)


@pytest.fixture
def rows(server: TestServer) -> Callable[[str], list[tuple[Any, ...]]]:
    """Return what was logged for requests that carried an id."""
    assert server.database is not None
    database = server.database
    return lambda request_id: database.query(
        f"SELECT {COLUMNS} FROM changes WHERE request_id = %s ORDER BY id", request_id
    )


@pytest.fixture
def marked(client: Client) -> str:
    """An id that all requests of the client carry from now on."""
    marker = unique_name("request")
    client.headers["X-Request-ID"] = marker
    return marker


Rows = Callable[[str], list[tuple[Any, ...]]]
WHO = ("anonymous", True)


def test_namespace_life(client: Client, marked: str, rows: Rows) -> None:
    name = make_namespace(client, c="1", d="1", e="1")
    location = ok(client.get(namespace_path(name)))["properties"]["location"]
    body = {"updates": {"b": "1", "a": "1", "e": "1"}, "removals": ["c", "x"]}
    ok(client.post(f"{namespace_path(name)}/properties", json=body))
    moved = f"{location}/moved"
    for change in ({"updates": {"location": moved}}, {"removals": ["location"]}):
        ok(client.post(f"{namespace_path(name)}/properties", json=change))
    no_content(client.delete(namespace_path(name)))
    place, given = ("namespace", [name], None, None, None), dict.fromkeys("cde", "1")
    assert rows(marked) == [
        ("namespace.created", *place, {"properties": {**given, "location": location}}, *WHO),
        ("namespace.updated", *place, {"updated": {"a": "1", "b": "1"}, "removed": ["c"]}, *WHO),
        ("namespace.updated", *place, {"updated": {"location": moved}, "removed": []}, *WHO),
        ("namespace.updated", *place, {"updated": {"location": location}, "removed": []}, *WHO),
        ("namespace.dropped", *place, {}, *WHO),
    ]


def test_table_life(client: Client, namespace: str, marked: str, rows: Rows) -> None:
    table = make_table(client, namespace)
    first = table.location
    table.commit(set_properties(a="1"))
    second = table.location
    new = unique_name("new")
    no_content(
        client.post("/v1/tables/rename", json=rename_request((namespace, table.name), (namespace, new)))
    )
    no_content(client.delete(table_path(namespace, new)))
    ok(client.post(f"{namespace_path(namespace)}/register", json={"name": "r", "metadata-location": second}))
    here = ("table", [namespace])
    assert rows(marked) == [
        ("table.created", *here, table.name, None, first, {}, *WHO),
        ("table.committed", *here, table.name, first, second, {}, *WHO),
        ("table.renamed", *here, table.name, second, second, {"namespace": [namespace], "name": new}, *WHO),
        ("table.dropped", *here, new, second, None, {"purge": False}, *WHO),
        ("table.created", *here, "r", None, second, {}, *WHO),
    ]


def test_view_life(client: Client, namespace: str, marked: str, rows: Rows) -> None:
    first = ok(client.post(f"{namespace_path(namespace)}/views", json=create_view_request("v")))[
        "metadata-location"
    ]
    path = view_path(namespace, "v")
    second = ok(client.post(path, json=commit_request(set_properties(a="1"))))["metadata-location"]
    no_content(client.post("/v1/views/rename", json=rename_request((namespace, "v"), (namespace, "w"))))
    no_content(client.delete(view_path(namespace, "w")))
    here = ("view", [namespace])
    assert rows(marked) == [
        ("view.created", *here, "v", None, first, {}, *WHO),
        ("view.replaced", *here, "v", first, second, {}, *WHO),
        ("view.renamed", *here, "v", second, second, {"namespace": [namespace], "name": "w"}, *WHO),
        ("view.dropped", *here, "w", second, None, {}, *WHO),
    ]


def test_create_by_commit(client: Client, namespace: str, marked: str, rows: Rows) -> None:
    path = table_path(namespace, "t")
    body = commit_request({"action": "add-schema", "schema": schema()}, requirements=[ASSERT_CREATE])
    location = ok(client.post(path, json=body))["metadata-location"]
    assert rows(marked) == [("table.created", "table", [namespace], "t", None, location, {}, *WHO)]


def test_what_changes_nothing_is_not_logged(client: Client, table: Tabular, marked: str, rows: Rows) -> None:
    space = namespace_path(table.namespace)
    table.commit()
    table.commit(set_properties(), requirements=[assert_ref(None)])
    table.load()
    client.head(table.path)
    client.get(f"{space}/tables")
    ok(client.post(f"{space}/tables", json=create_table_request("staged", **{"stage-create": True})))
    same = rename_request((table.namespace, table.name), (table.namespace, table.name))
    no_content(client.post("/v1/tables/rename", json=same))
    assert rows(marked) == []


def test_what_fails_is_not_logged(client: Client, table: Tabular, marked: str, rows: Rows) -> None:
    space = namespace_path(table.namespace)
    codes = [
        client.post("/v1/namespaces", json={"namespace": [table.namespace]}).status_code,
        client.delete(space).status_code,
        client.delete(f"{space}/tables/none").status_code,
        client.post(f"{space}/tables", json=create_table_request(table.name)).status_code,
        table.try_commit(set_properties(a="1"), requirements=[assert_ref(1)]).status_code,
        table.try_commit({"action": "nonsense"}).status_code,
        client.post(f"{space}/properties", json={"removals": ["a"], "updates": {"a": "1"}}).status_code,
    ]
    assert codes == [409, 409, 404, 409, 409, 400, 422]
    assert rows(marked) == []


def test_rows_are_ordered_and_partitioned_by_day(client: Client, server: TestServer, marked: str) -> None:
    table = make_table(client, make_namespace(client))
    for number in range(5):
        table.commit(set_properties(n=str(number)))
    assert server.database is not None
    query = "SELECT id, xid::text::bigint, tableoid::regclass::text, at FROM changes WHERE request_id = %s ORDER BY id"
    found = server.database.query(query, marked)
    assert len(found) == 7
    assert [row[1] for row in found] == sorted({row[1] for row in found})
    for _, _, partition, at in found:
        assert partition == f"changes_{at:%Y%m%d}"
