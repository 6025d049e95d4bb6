"""The end of a hold, and which files go with it."""

import re

import pytest

from tests.contract.calls import (
    Tabular,
    assert_error,
    local,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
)
from tests.contract.holding import (
    DAY,
    ROOT,
    drop,
    end_hold,
    is_held,
    job_message,
    purged,
    register,
    set_hold,
    undrop,
)
from tests.factories import create_table_request, set_properties, unique_name
from tests.support.server import Client, TestServer


@pytest.fixture
def server(holding: TestServer) -> TestServer:
    return holding


@pytest.mark.parametrize("kind", ["table", "view"])
def test_the_hold_of_a_plain_drop_ends(server: TestServer, client: Client, namespace: str, kind: str) -> None:
    made = (make_table if kind == "table" else make_view)(client, namespace)
    files = made.files()
    item = drop(made)
    end_hold(server, client, item)
    assert_error(undrop(client, item), 404, "NotFoundException")
    assert sorted(path.name for path in local(item["location"]).rglob("*") if path.is_file()) == files
    body = create_table_request(unique_name(), location=item["location"])
    ok(client.post(f"{namespace_path(namespace)}/tables", json=body))


def test_the_hold_of_a_purge_ends(server: TestServer, client: Client, table: Tabular) -> None:
    item = drop(table, purge=True)
    assert item["purge"]
    other = drop(make_table(client, table.namespace))
    assert local(item["metadata-location"]).exists()
    end_hold(server, client, item)
    purged(server)
    assert not local(item["location"]).exists()
    assert is_held(client, other)


def test_holds_in_numbers(server: TestServer, client: Client, namespace: str) -> None:
    items = [drop(make_table(client, namespace)) for _ in range(12)]
    end_hold(server, client, *items[:11])
    assert is_held(client, items[11])


@pytest.mark.parametrize(
    ("asked", "query", "deleted"),
    [
        (False, "", False),
        (True, "", True),
        (False, "?purge=true", True),
        (True, "?purge=false", False),
    ],
)
def test_expire_now(
    server: TestServer, client: Client, table: Tabular, *, asked: bool, query: str, deleted: bool
) -> None:
    item = drop(table, purge=asked)
    no_content(client.delete(f"{ROOT}/dropped/{item['id']}{query}"))
    assert not is_held(client, item)
    purged(server)
    assert local(item["metadata-location"]).exists() != deleted


def test_purge_has_to_be_a_boolean(client: Client, table: Tabular) -> None:
    item = drop(table)
    answer = client.delete(f"{ROOT}/dropped/{item['id']}?purge=maybe")
    assert_error(answer, 400, "BadRequestException", re.compile("purge 'maybe'"))


@pytest.mark.parametrize("moved", [False, True])
def test_purge_next_to_a_registered_copy(
    server: TestServer, client: Client, table: Tabular, *, moved: bool
) -> None:
    """The copy may need every file, wherever it lies itself by now."""
    item = drop(table, purge=True)
    files = set(local(item["location"]).rglob("*.json"))
    copy = register(client, table.namespace, item["metadata-location"])
    if moved:
        copy.commit({"action": "set-location", "location": f"{item['location']}-moved"})
    end_hold(server, client, item)
    purged(server)
    assert files <= set(local(item["location"]).rglob("*.json"))
    assert copy.load()


@pytest.mark.parametrize("copies", ["held", "dropped"])
def test_purge_of_a_copy_next_to_what_is_held(
    server: TestServer, client: Client, table: Tabular, copies: str
) -> None:
    item = drop(table)
    copy = register(client, table.namespace, item["metadata-location"])
    if copies == "held":
        end_hold(server, client, drop(copy, purge=True))
    else:
        set_hold(server, None)
        no_content(client.delete(f"{copy.path}?purgeRequested=true"))
        set_hold(server, DAY)
        purged(server)
        assert "left because" in job_message(server, "purge")
    purged(server)
    ok(undrop(client, item))
    assert local(table.location).exists()


@pytest.mark.usefixtures("without_hold")
def test_purge_leaves_what_lies_inside_a_held_table(
    server: TestServer, client: Client, table: Tabular, namespace: str
) -> None:
    """Another table's files that strayed into the place of a held one stay."""
    set_hold(server, DAY)
    item = drop(table)
    set_hold(server, None)
    other = make_table(client, namespace)
    other.commit(set_properties(a="1"))
    stray = local(item["location"]) / "stray.stats"
    stray.write_text("x")
    statistics = {
        "action": "set-statistics",
        "statistics": {
            "snapshot-id": 1,
            "statistics-path": f"file://{stray}",
            "file-size-in-bytes": 1,
            "file-footer-size-in-bytes": 1,
            "blob-metadata": [],
        },
    }
    properties = {"write.data.path": item["location"]}
    other.commit({"action": "set-properties", "updates": properties}, statistics)
    no_content(client.delete(f"{other.path}?purgeRequested=true"))
    purged(server)
    assert "left because" in job_message(server, "purge")
    assert stray.exists()


def test_register_while_a_purge_is_under_way(server: TestServer, client: Client, table: Tabular) -> None:
    item = drop(table, purge=True)
    assert server.database is not None
    no_content(client.delete(f"{ROOT}/dropped/{item['id']}"))
    body = {"name": "r", "metadata-location": item["metadata-location"]}
    answer = client.post(f"{namespace_path(table.namespace)}/register", json=body)
    assert answer.status_code in {400, 404}, answer.text
