"""What was taken away is gone at every worker of every node from the moment in which that was answered.

No luck is in it: the answer is awaited, then all workers are asked at once, round after round, while others keep them
busy.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import NamedTuple

import pytest

from tests.conftest import SHARED, MakeServer
from tests.contract.guarded import Guard
from tests.contract.two_nodes.revoking import FINAL, REPEATED, Headers, Make, Office, Pass
from tests.support.lines import Line, line_to_every_worker
from tests.support.nodes import Nodes
from tests.support.postgres import Postgres
from tests.support.server import TestServer
from tests.support.warehouses import LocalWarehouse

ROUNDS = 6
BUSY = 1


class Crew(NamedTuple):
    """``lines`` lead to all four workers; ``office`` is at the first node."""

    nodes: Nodes
    office: Office
    lines: list[Line]

    def statuses(self, headers: Headers) -> list[int]:
        """Ask all workers at once."""
        path = self.office.path
        with ThreadPoolExecutor(len(self.lines)) as pool:
            return list(pool.map(lambda line: line.status("GET", path, headers), self.lines))


@pytest.fixture(scope="module")
def crew(
    make_server: MakeServer, postgres: Postgres, template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crew]:
    guard, warehouse, database = Guard(), LocalWarehouse(), postgres.clone(template)
    options = {"warehouse": warehouse, "database": database, "settings": guard.settings()}
    with make_server(**options) as first, make_server(**options) as second:
        SHARED.extend([first, second])
        office = Office(first.client(), guard, database)
        with line_to_every_worker(first, second) as lines:
            assert len(lines) == 4
            yield Crew(Nodes(first, second, tmp_path_factory.mktemp("none")), office, lines)
        for server in (first, second):
            SHARED.remove(server)
    postgres.drop(database)
    warehouse.remove()


@contextmanager
def kept_busy(crew: Crew, others: Headers) -> Iterator[None]:
    """Somebody else, and the one it is about, ask all workers without a pause."""
    over = Event()

    def work(server: TestServer) -> int:
        count = 0
        with Line(server) as line:
            while not over.is_set():
                assert line.status("GET", crew.office.path, others) in {200, 401, 404}
                count += 1
        return count

    with ThreadPoolExecutor(2 * BUSY) as pool:
        working = [pool.submit(work, server) for server in crew.nodes.servers for _ in range(BUSY)]
        try:
            yield
        finally:
            over.set()
    assert all(each.result() for each in working)


@pytest.mark.parametrize("make", REPEATED, ids=lambda make: make.__name__)
def test_given_and_taken(crew: Crew, make: Make) -> None:
    """Again and again: given it opens at once, taken it is shut at once."""
    found = make(crew.office)
    with kept_busy(crew, found.headers):
        for _ in range(ROUNDS):
            found.give()
            assert crew.statuses(found.headers) == [200] * 4
            found.take()
            assert crew.statuses(found.headers) == [found.refused] * 4


@pytest.mark.parametrize("make", FINAL, ids=lambda make: make.__name__)
def test_taken_for_good(crew: Crew, make: Make) -> None:
    with kept_busy(crew, dict(crew.office.client.headers)):
        for _ in range(ROUNDS):
            found: Pass = make(crew.office)
            assert crew.statuses(found.headers) == [200] * 4
            found.take()
            assert crew.statuses(found.headers) == [found.refused] * 4
    assert crew.statuses(found.headers) == [found.refused] * 4
