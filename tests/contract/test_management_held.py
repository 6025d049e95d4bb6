"""Soft delete: what is dropped keeps its files, frees its name, is listed and comes back."""

import re
import time
from uuid import uuid4

import pytest

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
    table_path,
    view_path,
)
from tests.contract.holding import (
    DAY,
    ROOT,
    drop,
    dropped,
    end_hold,
    is_held,
    register,
    undrop,
)
from tests.factories import commit_request, create_table_request, set_properties, unique_name
from tests.support.server import Client, TestServer


@pytest.fixture
def server(holding: TestServer) -> TestServer:
    return holding


@pytest.mark.usefixtures("without_hold")
def test_nothing_is_held_without_soft_delete(client: Client, table: Tabular, view: Tabular) -> None:
    before = dropped(client)
    no_content(client.delete(table.path))
    no_content(client.delete(view.path))
    assert dropped(client) == before


def test_what_is_dropped_is_listed_and_keeps_its_files(client: Client, table: Tabular, view: Tabular) -> None:
    loaded, files = table.load(), table.files()
    started = time.time() * 1000
    item = drop(table)
    assert_error(client.get(table.path), 404, "NoSuchTableException")
    metadata = loaded["metadata"]
    times = item.pop("dropped-at-ms"), item.pop("expires-at-ms")
    assert started - 1000 < times[0] < started + 30_000
    assert times[1] - times[0] == DAY * 1000
    assert isinstance(item.pop("id"), int)
    assert item == {
        "kind": "table",
        "namespace": [table.namespace],
        "name": table.name,
        "uuid": metadata["table-uuid"],
        "location": metadata["location"],
        "metadata-location": loaded["metadata-location"],
        "protected": False,
        "purge": False,
        "dropped-by": "anonymous",
    }
    assert sorted(path.name for path in local(metadata["location"]).rglob("*") if path.is_file()) == files
    assert drop(view)["kind"] == "view"


def test_the_name_is_free_at_once(client: Client, table: Tabular) -> None:
    item = drop(table)
    for name in (table.name, unique_name("v")):
        client.post(f"{namespace_path(table.namespace)}/tables", json=create_table_request(name))
    assert table.metadata["location"] != item["location"]
    again = drop(table)
    assert again["name"] == item["name"]
    assert {item["id"], again["id"]} <= {each["id"] for each in dropped(client)}


def test_what_is_held_keeps_no_namespace(client: Client, namespace: str) -> None:
    item = drop(make_table(client, namespace))
    no_content(client.delete(namespace_path(namespace)))
    (listed,) = (each for each in dropped(client) if each["id"] == item["id"])
    assert listed["namespace"] == [namespace]


def test_pages(client: Client, namespace: str) -> None:
    made = [drop(make_table(client, namespace))["id"] for _ in range(5)]
    found: list[int] = []
    token = ""
    while token is not None:
        page = ok(client.get(f"{ROOT}/dropped", params={"pageSize": 2, "pageToken": token}))
        assert len(page["dropped"]) <= 2
        found += [item["id"] for item in page["dropped"]]
        token = page["next-page-token"]
    assert found == sorted(found)
    assert set(made) <= set(found)
    assert found == [item["id"] for item in dropped(client)]


def test_a_token_of_another_listing(client: Client, namespace: str) -> None:
    for _ in range(2):
        make_table(client, namespace)
    token = ok(client.get(f"{namespace_path(namespace)}/tables?pageSize=1"))["next-page-token"]
    assert_error(client.get(f"{ROOT}/dropped", params={"pageToken": token}), 400, "BadRequestException")


@pytest.mark.parametrize("purge", [False, True])
def test_a_table_comes_back_as_it_was(client: Client, table: Tabular, *, purge: bool) -> None:
    table.commit(set_properties(a="1"))
    before = table.load()
    item = drop(table, purge=purge)
    answer = ok(undrop(client, item))
    assert answer == {"kind": "table", "namespace": [table.namespace], "name": table.name}
    assert table.load() == before
    assert not is_held(client, item)
    table.commit(set_properties(b="1"))


def test_a_view_comes_back_as_it_was(client: Client, view: Tabular) -> None:
    before = view.load()
    assert ok(undrop(client, drop(view)))["kind"] == "view"
    assert view.load() == before


def test_no_body_is_needed(client: Client, table: Tabular) -> None:
    ok(client.post(f"{ROOT}/dropped/{drop(table)['id']}/undrop"))
    assert table.load()


def test_under_another_name(client: Client, table: Tabular) -> None:
    item, target = drop(table), make_namespace(client)
    make_table(client, table.namespace, table.name)
    answer = ok(undrop(client, item, namespace=[target], name="é / x"))
    assert answer == {"kind": "table", "namespace": [target], "name": "é / x"}
    loaded = ok(client.get(table_path(target, "é / x")))
    assert loaded["metadata"]["table-uuid"] == item["uuid"]
    assert loaded["metadata-location"] == item["metadata-location"]


def test_the_object_keeps_its_id(server: TestServer, client: Client, table: Tabular) -> None:
    item = drop(table)
    ok(undrop(client, item))
    assert server.database is not None
    query = "SELECT id FROM tabulars WHERE name = %s"
    assert server.database.query(query, table.name) == [(item["id"],)]


def test_unknown_ids(client: Client, table: Tabular) -> None:
    item = drop(table)
    ok(undrop(client, item))
    for number in (item["id"], 2**62):
        answer = client.post(f"{ROOT}/dropped/{number}/undrop")
        assert_error(
            answer, 404, "NotFoundException", f"No dropped table or view with the id {number} is held"
        )
        assert_error(client.delete(f"{ROOT}/dropped/{number}"), 404, "NotFoundException")


def test_the_name_is_taken(client: Client, table: Tabular) -> None:
    item = drop(table)
    make_view(client, table.namespace, table.name)
    answer = undrop(client, item)
    assert_error(answer, 409, "AlreadyExistsException", re.compile(f"{table.namespace}.{table.name}"))
    assert is_held(client, item)


def test_the_namespace_is_gone(client: Client, namespace: str) -> None:
    item = drop(make_table(client, namespace))
    no_content(client.delete(namespace_path(namespace)))
    text = f"Namespace does not exist any more: {namespace}; name another one in 'namespace'"
    assert_error(undrop(client, item), 409, "ConflictException", text)
    ok(client.post("/v1/namespaces", json={"namespace": [namespace]}))
    ok(undrop(client, item))


def test_the_wanted_namespace_does_not_exist(client: Client, table: Tabular) -> None:
    item = drop(table)
    assert_error(undrop(client, item, namespace=["nobody"]), 404, "NoSuchNamespaceException")
    assert is_held(client, item)


@pytest.mark.parametrize(
    "body", [{"namespace": []}, {"namespace": "a"}, {"namespace": [1]}, {"name": ""}, {"name": 1}]
)
def test_bad_bodies(client: Client, table: Tabular, body: dict[str, object]) -> None:
    item = drop(table)
    assert_error(undrop(client, item, **body), 400, "BadRequestException", re.compile("|".join(body)))


def test_the_table_lives_again_elsewhere(client: Client, table: Tabular) -> None:
    item = drop(table)
    copy = register(client, table.namespace, item["metadata-location"])
    assert_error(undrop(client, item), 409, "AlreadyExistsException", re.compile(item["uuid"]))
    assert is_held(client, item)
    no_content(client.delete(copy.path))
    ok(undrop(client, item))


def test_the_place_is_taken(server: TestServer, client: Client, table: Tabular) -> None:
    """By a node of an older version, which knows nothing of what is held."""
    item, other = drop(table), make_table(client, table.namespace)
    assert server.database is not None
    server.database.query(
        "UPDATE tabulars SET location_key = %s || '/inside' WHERE name = %s",
        item["location"],
        other.name,
    )
    assert_error(undrop(client, item), 409, "AlreadyExistsException", re.compile("overlaps the location"))
    assert is_held(client, item)
    no_content(client.delete(other.path))
    (second,) = (each for each in dropped(client) if each["name"] == other.name)
    no_content(client.delete(f"{ROOT}/dropped/{second['id']}"))
    ok(undrop(client, item))


def test_undrop_and_expire_under_one_key(client: Client, table: Tabular) -> None:
    item, headers = drop(table), {"Idempotency-Key": str(uuid4())}
    path = f"{ROOT}/dropped/{item['id']}"
    answers = [client.post(f"{path}/undrop", json={"name": "x"}, headers=headers) for _ in range(2)]
    assert ok(answers[0]) == ok(answers[1])
    item = drop(Tabular(client, table.namespace, "x", table_path(table.namespace, "x")))
    headers = {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        no_content(client.delete(path, headers=headers))


def test_unregister_is_no_drop(client: Client, table: Tabular) -> None:
    before = dropped(client)
    location = ok(client.post(f"{table.path}/unregister"))["metadata-location"]
    assert dropped(client) == before
    register(client, table.namespace, location, table.name)


def test_dropped_again_under_one_key(client: Client, table: Tabular) -> None:
    before, headers = len(dropped(client)), {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        no_content(client.delete(table.path, headers=headers))
    assert len(dropped(client)) == before + 1


def test_the_change_log(server: TestServer, client: Client, table: Tabular, view: Tabular) -> None:
    assert server.database is not None
    marker = client.headers["X-Request-ID"] = unique_name("request")
    item = drop(table, purge=True)
    ok(undrop(client, item, name="back"))
    back = Tabular(client, table.namespace, "back", table_path(table.namespace, "back"))
    again, other = drop(back), drop(view)
    no_content(client.delete(f"{ROOT}/dropped/{again['id']}"))
    end_hold(server, client, other)
    query = """SELECT action, object_id, name, before_pointer, after_pointer, details::jsonb FROM changes
        WHERE request_id = %s ORDER BY id"""
    pointer, held = item["metadata-location"], "held-until-ms"
    old = {"namespace": [table.namespace], "name": table.name}
    assert server.database.query(query, marker) == [
        (
            "table.dropped",
            item["id"],
            table.name,
            pointer,
            None,
            {"purge": True, held: item["expires-at-ms"]},
        ),
        ("table.undropped", item["id"], "back", None, pointer, old),
        ("table.dropped", item["id"], "back", pointer, None, {"purge": False, held: again["expires-at-ms"]}),
        (
            "view.dropped",
            other["id"],
            view.name,
            other["metadata-location"],
            None,
            {held: other["expires-at-ms"]},
        ),
        ("table.expired", item["id"], "back", pointer, None, {"purge": False}),
    ]
    query = "SELECT action, principal FROM changes WHERE object_id = %s ORDER BY id DESC LIMIT 1"
    assert server.database.query(query, other["id"]) == [("view.expired", "system")]


def test_commits_to_what_is_dropped(client: Client, table: Tabular, view: Tabular) -> None:
    for each, kind in ((table, "NoSuchTableException"), (view, "NoSuchViewException")):
        drop(each)
        assert_error(client.post(each.path, json=commit_request(set_properties(a="1"))), 404, kind)
    assert client.head(view_path(view.namespace, view.name)).status_code == 404
