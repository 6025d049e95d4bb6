"""KILL of one of two nodes in the middle of a transaction: all of it or nothing, and the other one works on."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from uuid import uuid4

import pytest
import requests

from tests.contract.calls import Tabular, local, make_namespace, make_table, no_content
from tests.factories import set_properties
from tests.support.nodes import Nodes
from tests.support.process import eventually
from tests.support.replay import default_warehouse, recorded, replay, stored
from tests.support.server import Client

PATH = "/v1/transactions/commit"
PLACES = {"mutation.begin": False, "mutation.end": False, "commit.committed": True}


@pytest.fixture(scope="module")
def own_nodes(make_nodes: Callable[[], AbstractContextManager[Nodes]]) -> Iterator[Nodes]:
    with make_nodes() as nodes:
        yield nodes


@pytest.fixture
def pair(own_nodes: Nodes) -> Iterator[Nodes]:
    """Two nodes, the first of which may be dead when the test is over."""
    yield own_nodes
    first = own_nodes.servers[0]
    if not first.is_running():
        first.start().wait_ready()
    database = own_nodes.database
    number = default_warehouse(database)
    assert replay(recorded(database, number)) == stored(database, number)


def transaction(tables: list[Tabular], **properties: str) -> dict[str, list[object]]:
    changes: list[object] = [
        {
            "identifier": {"namespace": [table.namespace], "name": table.name},
            "requirements": [],
            "updates": [set_properties(**properties)],
        }
        for table in tables
    ]
    return {"table-changes": changes}


def lost(client: Client, body: object, headers: dict[str, str]) -> None:
    """Send a transaction whose node dies."""
    with contextlib.suppress(requests.ConnectionError):
        answer = client.post(PATH, json=body, headers=headers)
        raise AssertionError(f"the node was to die, and answered {answer.status_code}")


def applied(table: Tabular, name: str) -> bool:
    return name in table.metadata["properties"]


@pytest.mark.parametrize("place", PLACES)
def test_all_tables_or_none(pair: Nodes, place: str) -> None:
    first, second = pair.servers
    with Client(second.url) as client, Client(first.url) as doomed:
        namespace = make_namespace(client)
        tables = [make_table(client, namespace) for _ in range(3)]
        with pair.held(place, lambda: lost(doomed, transaction(tables, a="1"), {})) as stopped:
            first.kill()
            stopped.result(30)
        eventually(lambda: not pair.somebody_waits(), 10, "nothing waits for the dead node")
        assert [applied(table, "a") for table in tables] == [PLACES[place]] * 3
        no_content(client.post(PATH, json=transaction(tables, b="1")))
        assert [applied(table, "b") for table in tables] == [True] * 3
        for table in tables:
            loaded = table.load()
            logged = [each["metadata-file"] for each in loaded["metadata"]["metadata-log"]]
            assert all(local(file).exists() for file in [*logged, loaded["metadata-location"]])


@pytest.mark.parametrize("place", PLACES)
def test_the_client_asks_the_other_node_again(pair: Nodes, place: str) -> None:
    """Under the same key it is applied once, whether the dead node had done it or not."""
    first, second = pair.servers
    headers = {"Idempotency-Key": str(uuid4())}
    with Client(second.url) as client, Client(first.url) as doomed:
        namespace = make_namespace(client)
        tables = [make_table(client, namespace) for _ in range(2)]
        body = transaction(tables, a="1")
        with pair.held(place, lambda: lost(doomed, body, headers)) as stopped:
            first.kill()
            stopped.result(30)
        no_content(client.post(PATH, json=body, headers=headers))
        for table in tables:
            assert applied(table, "a")
            assert len(table.metadata["metadata-log"]) == 1


def test_who_waits_for_the_dead_node_s_key_carries_on(pair: Nodes) -> None:
    """The repetition arrives while the first one still runs; the key is free again with the death of its node."""
    first, second = pair.servers
    headers = {"Idempotency-Key": str(uuid4())}
    with Client(second.url) as client, Client(first.url) as doomed, ThreadPoolExecutor(1) as pool:
        namespace = make_namespace(client)
        tables = [make_table(client, namespace) for _ in range(2)]
        body = transaction(tables, a="1")
        with pair.held("mutation.end", lambda: lost(doomed, body, headers)) as stopped:
            again = pool.submit(client.post, PATH, json=body, headers=headers)
            eventually(pair.somebody_waits, 10, "the repetition waits for the key")
            first.kill()
            stopped.result(30)
        no_content(again.result(30))
        for table in tables:
            assert len(table.metadata["metadata-log"]) == 1
