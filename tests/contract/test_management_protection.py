"""Protection flags: a drop of what is protected is refused and says why, unless it is forced."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.contract.calls import (
    Tabular,
    assert_error,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    rename_request,
    table_path,
    view_path,
)
from tests.contract.holding import drop, management_path, undrop
from tests.factories import set_properties, unique_name
from tests.support.server import Client, TestServer

KINDS = ["namespace", "table", "view"]
Find = Callable[[str], tuple[str, str, str]]


@pytest.fixture
def find(client: Client) -> Find:
    """Make something, and return its path, its management path and its name in messages."""

    def make(kind: str) -> tuple[str, str, str]:
        name = make_namespace(client)
        if kind == "namespace":
            return namespace_path(name), management_path(name), f"Namespace is protected: {name}"
        made = (make_table if kind == "table" else make_view)(client, name)
        below = f"/{kind}s/{made.name}"
        text = f"{kind.capitalize()} is protected: {name}.{made.name}"
        return made.path, management_path(name, below=below), text

    return make


def protect(client: Client, managed: str, *, protected: bool = True) -> None:
    answer = client.put(f"{managed}/protection", json={"protected": protected})
    assert ok(answer) == {"protected": protected}


@pytest.mark.parametrize("kind", KINDS)
def test_a_drop_is_refused_until_the_flag_is_cleared(client: Client, find: Find, kind: str) -> None:
    path, managed, text = find(kind)
    assert ok(client.get(f"{managed}/protection")) == {"protected": False}
    protect(client, managed)
    assert ok(client.get(f"{managed}/protection")) == {"protected": True}
    how = "; clear its flag 'protected' first, or drop it with force=true"
    for query in ("", "?force=false", "?purgeRequested=true"):
        assert_error(client.delete(path + query), 409, "ConflictException", text + how)
    assert client.head(path).status_code == 204
    protect(client, managed, protected=False)
    no_content(client.delete(path))
    assert client.head(path).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_a_drop_is_forced(client: Client, find: Find, kind: str) -> None:
    path, managed, _ = find(kind)
    protect(client, managed)
    no_content(client.delete(f"{path}?force=true"))
    assert client.head(path).status_code == 404


def test_force_has_to_be_a_boolean(client: Client, find: Find) -> None:
    for kind in KINDS:
        path = find(kind)[0]
        answer = client.delete(f"{path}?force=yes")
        assert_error(answer, 400, "BadRequestException", "Invalid force 'yes': expected true or false")


def test_unregister(client: Client, table: Tabular) -> None:
    """It takes the table from all who use it, as a drop does."""
    protect(client, management_path(table.namespace, below=f"/tables/{table.name}"))
    assert_error(client.post(f"{table.path}/unregister"), 409, "ConflictException", re.compile("protected"))
    ok(client.post(f"{table.path}/unregister?force=true"))


def test_everything_else_goes_on(client: Client, table: Tabular, view: Tabular) -> None:
    """Commits, renames and properties; the flag stays with the object."""
    for kind, made, path in (("table", table, table_path), ("view", view, view_path)):
        protect(client, management_path(made.namespace, below=f"/{kind}s/{made.name}"))
        made.commit(set_properties(a="1"))
        new = unique_name("new")
        body = rename_request((made.namespace, made.name), (made.namespace, new))
        no_content(client.post(f"/v1/{kind}s/rename", json=body))
        answer = client.delete(path(made.namespace, new))
        assert_error(answer, 409, "ConflictException", re.compile(f"{made.namespace}.{new}"))
    protect(client, management_path(table.namespace))
    body = {"updates": {"a": "1"}}
    ok(client.post(f"{namespace_path(table.namespace)}/properties", json=body))


def test_the_flag_of_a_namespace_is_not_that_of_its_content(client: Client, table: Tabular) -> None:
    protect(client, management_path(table.namespace))
    no_content(client.delete(table.path))
    answer = client.delete(namespace_path(table.namespace))
    assert_error(answer, 409, "ConflictException", re.compile("Namespace is protected"))


def test_a_protected_namespace_with_content_is_not_forced_away(client: Client, table: Tabular) -> None:
    protect(client, management_path(table.namespace))
    answer = client.delete(f"{namespace_path(table.namespace)}?force=true")
    assert_error(answer, 409, "NamespaceNotEmptyException")


def test_what_does_not_exist(client: Client, namespace: str) -> None:
    kinds = {
        management_path("nobody"): "NoSuchNamespaceException",
        management_path(namespace, below="/tables/x"): "NoSuchTableException",
        management_path("nobody", below="/tables/x"): "NoSuchTableException",
        management_path(namespace, below="/views/x"): "NoSuchViewException",
    }
    for path, kind in kinds.items():
        assert_error(client.get(f"{path}/protection"), 404, kind)
        assert_error(client.put(f"{path}/protection", json={"protected": True}), 404, kind)


def test_a_view_is_no_table(client: Client, view: Tabular) -> None:
    path = management_path(view.namespace, below=f"/tables/{view.name}/protection")
    assert_error(client.get(path), 404, "NoSuchTableException")


@pytest.mark.parametrize("body", [{}, {"protected": None}, {"protected": "true"}, {"protected": 1}])
def test_bad_bodies(client: Client, namespace: str, body: dict[str, object]) -> None:
    answer = client.put(f"{management_path(namespace)}/protection", json=body)
    assert_error(answer, 400, "BadRequestException", re.compile("protected"))


def test_in_an_unknown_warehouse(client: Client, namespace: str) -> None:
    path = f"/management/v1/warehouses/nobody/namespaces/{namespace}/protection"
    assert_error(client.get(path), 404, "NoSuchWarehouseException")


def test_under_one_key(client: Client, table: Tabular) -> None:
    """A repeated request does not set what somebody cleared meanwhile."""
    path = management_path(table.namespace, below=f"/tables/{table.name}/protection")
    headers = {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        assert ok(client.put(path, json={"protected": True}, headers=headers)) == {"protected": True}
        ok(client.put(path, json={"protected": False}))
    assert ok(client.get(path)) == {"protected": False}


def test_a_forced_drop_that_is_held_comes_back_protected(holding: TestServer) -> None:
    with Client(holding.url) as client:
        table = make_table(client, make_namespace(client))
        managed = management_path(table.namespace, below=f"/tables/{table.name}")
        protect(client, managed)
        assert_error(client.delete(table.path), 409, "ConflictException")
        table.path += "?force=true"
        item = drop(table)
        assert item["protected"]
        ok(undrop(client, item))
        assert ok(client.get(f"{managed}/protection")) == {"protected": True}


def test_the_change_log(server: TestServer, client: Client, find: Find) -> None:
    assert server.database is not None
    for kind in KINDS:
        managed = find(kind)[1]
        marker = client.headers["X-Request-ID"] = unique_name("request")
        for protected in (True, True, False, False):
            protect(client, managed, protected=protected)
        query = "SELECT action, object_kind FROM changes WHERE request_id = %s ORDER BY id"
        found = server.database.query(query, marker)
        assert found == [(f"{kind}.protected", kind), (f"{kind}.unprotected", kind)]
