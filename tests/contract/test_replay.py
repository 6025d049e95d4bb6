"""A thousand random operations of eight clients on two nodes: replaying ``changes`` gives the very same state."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.calls import local, namespace_path, ok, segment
from tests.contract.crowd import ACTIONS, Member
from tests.support.nodes import Nodes
from tests.support.replay import Levels, State, default_warehouse, recorded, replay, stored
from tests.support.server import Client, TestServer

SEED, MEMBERS, EACH = 20_261_121, 8, 125
MakeNodes = Callable[[], AbstractContextManager[Nodes]]
Crowded = tuple[Nodes, Counter[tuple[str, int]]]


@pytest.fixture(scope="module")
def crowded(make_nodes: MakeNodes) -> Iterator[Crowded]:
    """Two nodes of their own after the crowd has left, and what each kind of request was answered."""
    with make_nodes() as nodes:
        urls = [server.url for server in nodes.servers]
        members = [Member(urls, SEED + number, EACH) for number in range(MEMBERS)]
        for member in members:
            member.start()
        for member in members:
            member.join(300)
            assert not member.is_alive()
            if member.fault:
                raise member.fault
        yield nodes, sum((member.outcomes for member in members), Counter())


def test_every_kind_of_request_succeeds_and_fails(crowded: Crowded) -> None:
    _, outcomes = crowded
    assert sum(outcomes.values()) == MEMBERS * EACH
    assert {status for _, status in outcomes} <= {200, 204, 400, 404, 409}, outcomes
    done = {action for action, status in outcomes if status < 300}
    assert done == {action.__name__ for action in ACTIONS}
    assert {action for action, status in outcomes if status == 409} >= {
        "create_table",
        "create_view",
        "rename",
    }


def test_replaying_the_changes_gives_the_state(crowded: Crowded) -> None:
    nodes, _ = crowded
    number = default_warehouse(nodes.database)
    rows = recorded(nodes.database, number)
    assert len(rows) > MEMBERS * EACH / 5
    state = replay(rows)
    assert state == stored(nodes.database, number)
    for server in nodes.servers:
        assert_served(server, state)


def assert_served(server: TestServer, state: State) -> None:
    """Check that a node answers exactly this state."""
    with Client(server.url) as client:
        assert served_namespaces(client) == state.namespaces
        assert served_objects(client, list(state.namespaces)) == {
            identifier: (found.kind, found.pointer) for identifier, found in state.objects.items()
        }


def served_namespaces(client: Client, parent: Levels = ()) -> dict[Levels, dict[str, str]]:
    found: dict[Levels, dict[str, str]] = {}
    params = {"parent": "\x1f".join(parent)} if parent else {}
    for levels in ok(client.get("/v1/namespaces", params=params))["namespaces"]:
        found[tuple(levels)] = ok(client.get(namespace_path(*levels)))["properties"]
        found |= served_namespaces(client, tuple(levels))
    return found


def served_objects(client: Client, namespaces: list[Levels]) -> dict[Any, tuple[str, str]]:
    found = {}
    for levels in namespaces:
        for kind in ("table", "view"):
            for each in ok(client.get(f"{namespace_path(*levels)}/{kind}s"))["identifiers"]:
                body = load(client, kind, levels, each["name"])
                found[levels, each["name"]] = (kind, body["metadata-location"])
    return found


def load(client: Client, kind: str, levels: Levels, name: str) -> dict[str, Any]:
    """Load a table or view, whose file has to hold what the answer says."""
    body = ok(client.get(f"{namespace_path(*levels)}/{kind}s/{segment(name)}"))
    assert json.loads(read(local(body["metadata-location"]))) == body["metadata"]
    return body


def read(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.name.endswith(".gz.metadata.json") else data


def test_no_metadata_file_is_left_over(crowded: Crowded) -> None:
    """Every file was the pointer of a committed change: losers have deleted theirs."""
    nodes, _ = crowded
    rows = recorded(nodes.database, default_warehouse(nodes.database))
    named = {local(row.after) for row in rows if row.after}
    files = set(local(nodes.servers[0].warehouse.location).rglob("*.metadata.json"))
    assert files <= named
