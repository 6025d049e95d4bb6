"""Two nodes or more on one database and one warehouse, and requests that are stopped at a place in the program."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.support.postgres import DatabaseAddress
from tests.support.process import eventually
from tests.support.server import TestServer

T = TypeVar("T")
PLACES = (
    "reply.keep",
    "request.authorized",
    "mutation.begin",
    "mutation.end",
    "commit.committed",
    "purge.begin",
    "namespace_drop.batch",
    "namespace_rename.locked",
)
WAITING = """SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND backend_type = 'client backend'"""


def hold_settings(folder: Path) -> dict[str, object]:
    """Settings of a node whose requests can be stopped from ``folder``, and that may put warehouses there."""
    folder.chmod(0o777)
    points = ",".join(f"{place}=hold:{folder}" for place in PLACES)
    return {
        "testing.enabled": True,
        "testing.failpoints": points,
        "storage.local.allowed_roots": folder,
    }


class Nodes:
    """``folder`` is where the failpoints of all nodes are armed."""

    def __init__(self, first: TestServer, second: TestServer, folder: Path, *more: TestServer) -> None:
        self.servers = (first, second, *more)
        self.folder = folder

    @property
    def database(self) -> DatabaseAddress:
        database = self.servers[0].database
        assert database is not None
        return database

    @contextmanager
    def held(
        self, place: str, call: Callable[[], T], instead: Callable[[], bool] = lambda: False
    ) -> Iterator[Future[T]]:
        """Run ``call`` in a thread and stop it at ``place`` for the time of the block.

        A call that ends without coming there is no error: its answer is there at once. ``instead`` tells whether the
        call will not come there because of something else.
        """
        with ThreadPoolExecutor(1) as pool, self.stopped_at(place) as arrived:
            future = pool.submit(call)
            eventually(lambda: arrived() or future.done() or instead(), 15, f"{place} is reached")
            self._disarm(place)
            yield future

    @contextmanager
    def stopped_at(self, place: str) -> Iterator[Callable[[], bool]]:
        """Stop the first one who comes to ``place``; the block gets a question whether somebody did."""
        held = self.folder / f"{place}.held"
        (self.folder / f"{place}.armed").touch()
        try:
            yield held.exists
        finally:
            self._disarm(place)
            held.unlink(missing_ok=True)

    def _disarm(self, place: str) -> None:
        (self.folder / f"{place}.armed").unlink(missing_ok=True)

    def somebody_waits(self) -> bool:
        """Whether a transaction waits for another one's lock."""
        return bool(self.database.query(WAITING))
