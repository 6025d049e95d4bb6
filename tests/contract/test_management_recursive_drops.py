"""A namespace dropped with all that is in it, by a job."""

import re
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.contract.calls import (
    Tabular,
    assert_error,
    local,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    rename_request,
    table_path,
)
from tests.contract.holding import dropped, job_of, management_path, purged, undrop
from tests.factories import create_table_request, unique_name
from tests.support.server import Client, TestServer


def drop_tree(client: Client, *levels: str, query: str = "", **options: Any) -> requests.Response:
    return client.delete(f"{management_path(*levels)}?recursive=true{query}", **options)


class Tree:
    """A namespace with tables and views on three levels."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.root = make_namespace(client)
        self.child = make_namespace(client, self.root)
        self.leaf = make_namespace(client, self.root, self.child)
        self.objects = [make_table(client, self.root), make_view(client, self.root)]
        for levels in ((self.root, self.child), (self.root, self.child, self.leaf)):
            name = unique_name("t")
            path = f"{namespace_path(*levels)}/tables"
            ok(client.post(path, json=create_table_request(name)))
            self.objects.append(Tabular(client, ".".join(levels), name, f"{path}/{name}"))

    @property
    def inner(self) -> Tabular:
        """The table on the third level."""
        return self.objects[-1]

    def is_gone(self) -> bool:
        paths = [namespace_path(self.root), namespace_path(self.root, self.child)]
        paths += [each.path for each in self.objects]
        return {self.client.head(path).status_code for path in paths} == {404}


@pytest.fixture
def tree(client: Client) -> Tree:
    return Tree(client)


def test_everything_goes(client: Client, tree: Tree) -> None:
    beside = make_namespace(client)
    folders = [local(each.metadata["location"]) for each in tree.objects]
    answer = ok(drop_tree(client, tree.root), 202)
    assert list(answer) == ["job-id"]
    job = job_of(client, answer)
    assert job["status"] == "completed", job
    assert job["message"] == "4 tables and views and 3 namespaces dropped"
    assert job["progress"] == {"tabulars": 4, "namespaces": 3}
    assert tree.is_gone()
    assert client.head(namespace_path(beside)).status_code == 204
    assert all(list(folder.rglob("*.metadata.json")) for folder in folders)


def test_an_empty_namespace(client: Client, namespace: str) -> None:
    job = job_of(client, ok(drop_tree(client, namespace), 202))
    assert job["message"] == "0 tables and views and 1 namespaces dropped"


def test_many_tables(client: Client, namespace: str) -> None:
    """More than one batch."""
    for number in range(60):
        make_table(client, namespace, f"t{number}")
    job = job_of(client, ok(drop_tree(client, namespace), 202))
    assert job["progress"] == {"tabulars": 60, "namespaces": 1}


def test_files_are_purged_on_request(server: TestServer, client: Client, tree: Tree) -> None:
    tables = [local(each.metadata["location"]) for each in tree.objects if "/tables/" in each.path]
    view = local(tree.objects[1].metadata["location"])
    assert len(tables) == 3
    job_of(client, ok(drop_tree(client, tree.root, query="&purge=true"), 202))
    purged(server)
    assert not any(folder.exists() for folder in tables)
    assert view.exists()


@pytest.mark.parametrize("purge", ["false", "true"])
def test_what_is_dropped_is_held_where_drops_are(holding: TestServer, purge: str) -> None:
    with Client(holding.url) as client:
        tree = Tree(client)
        before = tree.inner.load()
        job_of(client, ok(drop_tree(client, tree.root, query=f"&purge={purge}"), 202))
        held = {each["name"]: each for each in dropped(client)}
        assert {each.name for each in tree.objects} <= set(held)
        for each in tree.objects:
            assert held[each.name]["purge"] == (purge == "true" and "/tables/" in each.path)
        target = make_namespace(client)
        item = held[tree.inner.name]
        assert_error(undrop(client, item), 409, "ConflictException")
        ok(undrop(client, item, namespace=[target]))
        assert ok(client.get(table_path(target, tree.inner.name))) == before


def test_without_recursive_it_is_a_plain_drop(client: Client, tree: Tree) -> None:
    path = management_path(tree.root)
    for query in ("", "?recursive=false"):
        assert_error(client.delete(path + query), 409, "NamespaceNotEmptyException")
    no_content(client.delete(management_path(make_namespace(client))))
    answer = client.delete(f"{path}?purge=true")
    assert_error(answer, 400, "BadRequestException", re.compile("Invalid purge"))
    assert not tree.is_gone()


def test_a_missing_namespace(client: Client) -> None:
    assert_error(drop_tree(client, "nobody"), 404, "NoSuchNamespaceException")
    assert_error(client.delete(management_path("nobody")), 404, "NoSuchNamespaceException")


@pytest.mark.parametrize("name", ["recursive", "purge", "force"])
def test_parameters_have_to_be_booleans(client: Client, namespace: str, name: str) -> None:
    answer = client.delete(f"{management_path(namespace)}?{name}=1")
    assert_error(answer, 400, "BadRequestException", f"Invalid {name} '1': expected true or false")


@pytest.mark.parametrize("place", ["root", "leaf", "table", "view"])
def test_nothing_protected_is_dropped_unless_forced(client: Client, tree: Tree, place: str) -> None:
    levels = (tree.root, tree.child, tree.leaf)
    paths = {
        "root": (management_path(tree.root), f"Namespace is protected: {tree.root};"),
        "leaf": (management_path(*levels), f"Namespace is protected: {'.'.join(levels)};"),
        "table": (
            management_path(*levels, below=f"/tables/{tree.inner.name}"),
            f"Table is protected: {'.'.join(levels)}.{tree.inner.name};",
        ),
        "view": (
            management_path(tree.root, below=f"/views/{tree.objects[1].name}"),
            f"View is protected: {tree.root}.{tree.objects[1].name};",
        ),
    }
    path, text = paths[place]
    ok(client.put(f"{path}/protection", json={"protected": True}))
    assert_error(drop_tree(client, tree.root), 409, "ConflictException", re.compile(re.escape(text)))
    assert all(client.head(each.path).status_code == 204 for each in tree.objects)
    job = job_of(client, ok(drop_tree(client, tree.root, query="&force=true"), 202))
    assert job["status"] == "completed", job
    assert tree.is_gone()


def test_under_one_key(client: Client, tree: Tree) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first, second = (ok(drop_tree(client, tree.root, headers=headers), 202) for _ in range(2))
    assert first == second
    job_of(client, first)
    assert ok(drop_tree(client, tree.root, headers=headers), 202) == first


def test_the_change_log(server: TestServer, client: Client, tree: Tree) -> None:
    """Every object has its row, by the one who asked."""
    assert server.database is not None
    marker = client.headers["X-Request-ID"] = unique_name("request")
    answer = ok(drop_tree(client, tree.root), 202)
    job_of(client, answer)
    query = "SELECT action, namespace, name, principal FROM changes WHERE request_id = %s ORDER BY id"
    rows = server.database.query(query, marker)
    assert rows[0] == ("namespace.drop-requested", [tree.root], None, "anonymous")
    assert rows[1] == ("table.dropped", [tree.root, tree.child, tree.leaf], tree.inner.name, "anonymous")
    assert [row[:2] for row in rows if row[0] == "namespace.dropped"] == [
        ("namespace.dropped", [tree.root, tree.child, tree.leaf]),
        ("namespace.dropped", [tree.root, tree.child]),
        ("namespace.dropped", [tree.root]),
    ]
    assert len(rows) == 8
    query = "SELECT details::jsonb FROM changes WHERE request_id = %s ORDER BY id LIMIT 1"
    details = {"job-id": answer["job-id"], "purge": False, "force": False}
    assert server.database.query(query, marker) == [(details,)]


def test_tables_of_other_namespaces_move_in_freely(client: Client, tree: Tree, namespace: str) -> None:
    """What was moved out before is not in it."""
    table = tree.objects[0]
    body = rename_request((tree.root, table.name), (namespace, "kept"))
    no_content(client.post("/v1/tables/rename", json=body))
    job_of(client, ok(drop_tree(client, tree.root), 202))
    assert client.head(table_path(namespace, "kept")).status_code == 204
