"""Commits that meet each other, drops, renames and registrations, on two nodes (the races of section 10.2)."""

from collections.abc import Callable

import pytest
import requests

from tests.contract.bodies import add_snapshot, append, assert_ref, assert_uuid, set_ref
from tests.contract.calls import (
    Tabular,
    local,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    rename_request,
    table_path,
)
from tests.contract.racing import CREATED, GONE, LOST, NO_TABLE, outcome
from tests.contract.two_nodes.meetings import Way, commit, delete, meet, outcomes, post, send
from tests.factories import create_table_request, set_properties, unique_name
from tests.support.nodes import Nodes
from tests.support.process import eventually
from tests.support.server import Client

NO_VIEW = (404, "NoSuchViewException")


def winner_and_loser(way: Way, found: tuple[object, object]) -> tuple[object, object]:
    """Return the outcomes of the one that came first and of the other one."""
    return found[way.first], found[1 - way.first]


def test_disjoint_commits(nodes: Nodes, way: Way, table: Tabular) -> None:
    uuid = [assert_uuid(table.metadata["table-uuid"])]
    pair = [commit(table.path, set_properties(**{name: "1"}), requirements=uuid) for name in "ab"]
    assert outcomes(nodes, way, *pair) == (CREATED, CREATED)
    metadata = table.metadata
    assert {"a", "b"} <= metadata["properties"].keys()
    assert len(metadata["metadata-log"]) == 2
    assert len(table.files()) == 3


def test_commits_that_assert_the_same_ref(nodes: Nodes, way: Way, table: Tabular) -> None:
    pair = [
        commit(table.path, add_snapshot(number), set_ref(number), requirements=[assert_ref(None)])
        for number in (10, 20)
    ]
    assert winner_and_loser(way, outcomes(nodes, way, *pair)) == (CREATED, LOST)
    assert [each["snapshot-id"] for each in table.metadata["snapshots"]] == [(10, 20)[way.first]]
    assert len(table.files()) == 2


def test_commits_to_two_branches(nodes: Nodes, way: Way, table: Tabular) -> None:
    """The second one's sequence number is stale; with a new one it goes through."""
    table.commit(*append(1, 1))

    def write(number: int, sequence: int) -> Callable[[Client], requests.Response]:
        updates = add_snapshot(number, sequence, **{"parent-snapshot-id": 1}), set_ref(number, f"b{number}")
        return commit(table.path, *updates, requirements=[assert_ref(None, f"b{number}")])

    assert winner_and_loser(way, outcomes(nodes, way, write(10, 2), write(20, 2))) == (CREATED, LOST)
    loser = (20, 10)[way.first]
    assert outcome(send(nodes.servers[1], write(loser, 3))) == CREATED
    assert table.metadata["refs"].keys() == {"main", "b10", "b20"}


def test_drop_and_commit(nodes: Nodes, way: Way, client: Client, table: Tabular) -> None:
    folder = local(table.metadata["location"])
    found = outcomes(nodes, way, commit(table.path, set_properties(a="1")), delete(table.path))
    assert found == (CREATED if way.first == 0 else NO_TABLE, GONE)
    assert client.head(table.path).status_code == 404
    assert len(list(folder.rglob("*.json"))) == (2 if way.first == 0 else 1)


@pytest.mark.parametrize("asserted", [True, False])
def test_recreation_and_a_commit_to_the_old_table(
    nodes: Nodes, client: Client, table: Tabular, *, asserted: bool
) -> None:
    """With its uuid asserted it is lost; else it is a commit to what has the name now, never to the old row."""
    requirements = [assert_uuid(table.metadata["table-uuid"])] if asserted else []
    old = commit(table.path, set_properties(old="1"), requirements=requirements)
    with nodes.held("mutation.begin", lambda: send(nodes.servers[1], old)) as stopped:
        no_content(client.delete(table.path))
        body = create_table_request(table.name)
        made = ok(client.post(f"{namespace_path(table.namespace)}/tables", json=body))["metadata"]
    assert outcome(stopped.result()) == (LOST if asserted else CREATED)
    metadata = table.metadata
    assert metadata["table-uuid"] == made["table-uuid"]
    assert ("old" in metadata["properties"]) == (not asserted)


def test_rename_and_commit(nodes: Nodes, way: Way, client: Client, table: Tabular) -> None:
    new = unique_name("new")
    body = rename_request((table.namespace, table.name), (table.namespace, new))
    pair = commit(table.path, set_properties(a="1")), post("/v1/tables/rename", body)
    found = outcomes(nodes, way, *pair)
    assert found == (CREATED if way.first == 0 else NO_TABLE, GONE)
    assert client.head(table.path).status_code == 404
    properties = ok(client.get(table_path(table.namespace, new)))["metadata"]["properties"]
    assert ("a" in properties) == (way.first == 0)


def test_unregister_and_commit(nodes: Nodes, way: Way, table: Tabular) -> None:
    """A commit before is in what unregister returns, one after it finds nothing."""
    pair = (
        commit(table.path, set_properties(a="1")),
        lambda client: client.post(f"{table.path}/unregister"),
    )
    committed, unregistered = meet(nodes, way, *pair)
    assert outcome(committed) == (CREATED if way.first == 0 else NO_TABLE)
    assert ("a" in ok(unregistered)["metadata"]["properties"]) == (way.first == 0)


def test_overwriting_registration_and_commit(nodes: Nodes, way: Way, client: Client, table: Tabular) -> None:
    other = make_table(client, table.namespace)
    location = other.location
    no_content(client.delete(other.path))
    body = {"name": table.name, "metadata-location": location, "overwrite": True}
    uuid = [assert_uuid(table.metadata["table-uuid"])]
    pair = (
        post(f"{namespace_path(table.namespace)}/register", body),
        commit(table.path, set_properties(old="1"), requirements=uuid),
    )
    assert outcomes(nodes, way, *pair) == (CREATED, LOST if way.first == 0 else CREATED)
    assert table.location == location


def test_purge_and_registration_of_the_same_files(nodes: Nodes, client: Client, table: Tabular) -> None:
    """While the purge works nobody may adopt the files; nothing of them is left for later."""
    location, folder = table.location, local(table.metadata["location"])
    register = post(
        f"{namespace_path(table.namespace)}/register", {"name": "r", "metadata-location": location}
    )
    with nodes.stopped_at("purge.begin") as begun:
        no_content(client.delete(table.path, params={"purgeRequested": "true"}))
        eventually(begun, 20, "the purge begins")
        assert outcome(send(nodes.servers[1], register)) == (400, "IllegalArgumentException")
        assert folder.exists()
    eventually(lambda: not folder.exists(), 20, "the files are gone")
    assert outcome(send(nodes.servers[1], register)) == (404, "NotFoundException")


def test_registration_that_read_a_file_before_its_purge(nodes: Nodes, client: Client, table: Tabular) -> None:
    location, folder = table.location, local(table.metadata["location"])
    name = unique_name("r")
    body = {"name": name, "metadata-location": location}
    register = post(f"{namespace_path(table.namespace)}/register", body)
    with nodes.held("mutation.begin", lambda: send(nodes.servers[1], register)) as stopped:
        no_content(client.delete(table.path, params={"purgeRequested": "true"}))
        eventually(lambda: not folder.exists(), 20, "the files are gone")
    assert outcome(stopped.result()) == (400, "IllegalArgumentException")
    assert client.head(table_path(table.namespace, name)).status_code == 404


def test_load_during_a_commit(nodes: Nodes, client: Client, table: Tabular) -> None:
    """Until COMMIT both nodes answer the old state, afterwards both the new one; location and metadata agree."""
    before = table.load()
    update = commit(table.path, set_properties(a="1"))
    with nodes.held("mutation.end", lambda: send(nodes.servers[1], update)) as stopped:
        assert [ok(server.client().get(table.path)) for server in nodes.servers] == [before, before]
    answer = ok(stopped.result())
    for server in nodes.servers:
        loaded = ok(server.client().get(table.path))
        assert (loaded["metadata-location"], loaded["metadata"]) == (
            answer["metadata-location"],
            answer["metadata"],
        )


def test_view_commits(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    view = make_view(client, namespace)
    pair = [commit(view.path, set_properties(**{name: "1"})) for name in "ab"]
    assert outcomes(nodes, way, *pair) == (CREATED, CREATED)
    assert {"a", "b"} <= view.metadata["properties"].keys()


def test_view_commit_and_drop(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    view = make_view(client, namespace)
    found = outcomes(nodes, way, commit(view.path, set_properties(a="1")), delete(view.path))
    assert found == (CREATED if way.first == 0 else NO_VIEW, GONE)
    assert client.head(view.path).status_code == 404


def transaction(*tables: Tabular, **properties: str) -> Callable[[Client], requests.Response]:
    changes = [
        {
            "identifier": {"namespace": [table.namespace], "name": table.name},
            "requirements": [],
            "updates": [set_properties(**properties)],
        }
        for table in tables
    ]
    return post("/v1/transactions/commit", {"table-changes": changes})


def test_transactions_that_cross(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    one, two = make_table(client, namespace), make_table(client, namespace)
    pair = transaction(one, two, a="1"), transaction(two, one, b="2")
    assert outcomes(nodes, way, *pair) == (GONE, GONE)
    for table in (one, two):
        assert {"a", "b"} <= table.metadata["properties"].keys()
        assert len(table.files()) == 3


def test_transaction_and_drop_of_one_of_its_tables(
    nodes: Nodes, way: Way, client: Client, namespace: str
) -> None:
    one, two = make_table(client, namespace), make_table(client, namespace)
    found = outcomes(nodes, way, transaction(one, two, a="1"), delete(two.path))
    assert found == (GONE if way.first == 0 else NO_TABLE, GONE)
    assert ("a" in one.metadata["properties"]) == (way.first == 0)
    assert len(one.files()) == (2 if way.first == 0 else 1)


def test_transaction_and_commit(nodes: Nodes, way: Way, client: Client, namespace: str) -> None:
    one, two = make_table(client, namespace), make_table(client, namespace)
    found = outcomes(nodes, way, transaction(one, two, a="1"), commit(two.path, set_properties(b="1")))
    assert found == (GONE, CREATED)
    assert "a" in one.metadata["properties"]
    assert {"a", "b"} <= two.metadata["properties"].keys()
