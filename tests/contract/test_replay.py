"""A thousand random operations of eight clients on two nodes: replaying ``changes`` gives the very same state."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.contract.calls import local, namespace_path, ok, segment
from tests.contract.crowd import ACTIONS, Member
from tests.contract.holding import set_hold
from tests.contract.managers import MANAGED, Manager
from tests.support.nodes import Nodes
from tests.support.process import eventually
from tests.support.replay import Levels, State, default_warehouse, recorded, replay, stored
from tests.support.server import Client, TestServer

SEED, MEMBERS, EACH = 20_261_121, 8, 125
MakeNodes = Callable[[], AbstractContextManager[Nodes]]
RUNNING = (
    "SELECT kind FROM jobs WHERE kind = 'drop-namespace' AND status IN ('queued', 'running', 'retrying')"
)


class Crowd(NamedTuple):
    """Two nodes of their own after the crowd has left, and how often each kind of request was answered how."""

    nodes: Nodes
    actions: set[str]
    outcomes: Counter[tuple[str, int]]


@pytest.fixture(scope="module", params=["users", "managers"])
def crowd(make_nodes: MakeNodes, request: pytest.FixtureRequest) -> Iterator[Crowd]:
    kind, actions = (Member, ACTIONS) if request.param == "users" else (Manager, MANAGED)
    with make_nodes() as nodes:
        if kind is Manager:
            set_hold(nodes.servers[0], 3600)
        urls = [server.url for server in nodes.servers]
        members = [kind(urls, SEED + number, EACH, actions) for number in range(MEMBERS)]
        for member in members:
            member.start()
        for member in members:
            member.join(300)
            assert not member.is_alive()
            if member.fault:
                raise member.fault
        eventually(lambda: not nodes.database.query(RUNNING), 60, "all trees are dropped")
        names = {action.__name__ for action in actions}
        yield Crowd(nodes, names, sum((member.outcomes for member in members), Counter()))


def test_every_kind_of_request_succeeds_and_fails(crowd: Crowd) -> None:
    outcomes = crowd.outcomes
    assert sum(outcomes.values()) == MEMBERS * EACH
    assert {status for _, status in outcomes} <= {200, 202, 204, 400, 404, 409}, outcomes
    done = {action for action, status in outcomes if status < 300}
    assert len(crowd.actions - done) <= 2, "chance may leave out one or two"
    refused = {action for action, status in outcomes if status == 409}
    assert len(refused & {"create_table", "create_view", "rename"}) >= 2, "chance may leave out one"


def test_replaying_the_changes_gives_the_state(crowd: Crowd) -> None:
    nodes = crowd.nodes
    number = default_warehouse(nodes.database)
    rows = recorded(nodes.database, number)
    assert len(rows) > MEMBERS * EACH / 7
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


def test_no_metadata_file_is_left_over(crowd: Crowd) -> None:
    """Every file was the pointer of a committed change: losers have deleted theirs."""
    nodes = crowd.nodes
    rows = recorded(nodes.database, default_warehouse(nodes.database))
    named = {local(row.after) for row in rows if row.after}
    files = set(local(nodes.servers[0].warehouse.location).rglob("*.metadata.json"))
    assert files <= named
