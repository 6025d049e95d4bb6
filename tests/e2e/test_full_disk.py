"""The disk of a local warehouse is full under load: changes are refused, reads go on, nothing is lost or half written.

One node serves through all of it. Its disk is a small tmpfs that is filled; where mounting is not allowed, and for what
a tmpfs never does, a library that is loaded first lets its metadata files find no room.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

import pytest

from tests.conftest import MakeServer
from tests.factories import create_table_request
from tests.load import Load
from tests.load.history import Outcome
from tests.load.http_client import HttpClient
from tests.load.rest import Rest
from tests.load.watch import Watch
from tests.support.disk import LOST, Room, SmallDisk
from tests.support.process import eventually
from tests.support.server import Client, TestServer
from tests.support.warehouses import LocalWarehouse

CONNECTIONS = 20 + 2 * 2 + 6  # of the pool; of each worker's own; of the jobs process
FINE = {
    "200",
    "204",
    "304",
    "404",
    "409",
    "503",
    "CommitFailedException",
    "ServiceUnavailableError",
    "ENOSPC",
}


@dataclass
class Site:
    server: TestServer
    disk: SmallDisk
    room: Room

    def ways(self) -> list[Callable[[], AbstractContextManager[None]]]:
        """In which a file does not fit: not at all, by half, and only when it shall be kept."""
        full = [self.disk.full] if self.disk.can_be_full else []
        return [*full, *(lambda size=size: self.room.only(size) for size in (0, 700, LOST))]


@pytest.fixture
def site(make_server: MakeServer) -> Iterator[Site]:
    with ExitStack() as stack:
        disk = stack.enter_context(SmallDisk(200))
        room = Room()
        stack.callback(room.remove)
        server = stack.enter_context(make_server(LocalWarehouse(disk.folder), env=room.environment()))
        yield Site(server, disk, room)


def test_a_disk_that_is_full(site: Site) -> None:
    server = site.server
    assert server.database is not None
    rest, workers = Rest(server, CONNECTIONS), server.workers()
    with Watch(server.url) as watch, Load([server.url], server.warehouse) as load:
        load.flows()
        for way in site.ways():
            with way():
                refused = refusals(load)
                eventually(lambda refused=refused: refusals(load) > refused + 10, 60, "changes are refused")
                reads_go_on(load)
                eventually(lambda: says_why(load), 30, "a commit is told about the disk")
                assert status(server, "/ready") == 200, "no request of the node itself needs the disk"
            load.goes_on(10)
        load.flows()
    print(load.history)
    assert watch.silent() == []
    assert server.workers() == workers
    assert {answer for _, answer in load.history.answers} <= FINE, load.history
    assert not [each for each in load.history.commits if each.outcome is Outcome.UNKNOWN]
    load.verify(server.database)
    assert load.orphans(server.database) == set(), "no file is left of what was refused"
    eventually(lambda: not rest.leaks(), 30, "nothing is left over", interval=0.2)


def refusals(load: Load) -> int:
    return sum(count for (_, answer), count in load.history.answers.copy().items() if answer == "503")


def reads_go_on(load: Load) -> None:
    """Return when every client that speaks HTTP has read something that it asked for after now."""
    now = time.monotonic()
    clients = [client for client in load.clients if isinstance(client, HttpClient)]
    eventually(lambda: all(client.last_sight > now for client in clients), 60, "reads go on")


def says_why(load: Load) -> bool:
    """Whether a creation is refused because of the disk."""
    request = create_table_request(
        "too_large", properties={f"p{number}": "x" * 60_000 for number in range(6)}
    )
    with Client(load.urls[0]) as client:
        answer = client.post(f"/v1/namespaces/{load.history.namespace}/tables", json=request)
    error = answer.json().get("error", {})
    assert (answer.status_code, error.get("type")) == (503, "ServiceUnavailableException"), answer.text[:500]
    return str(error["message"]).endswith("No space left on device")


def status(server: TestServer, path: str) -> int:
    with Client(server.url) as client:
        return client.get(path).status_code
