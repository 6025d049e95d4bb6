"""What is measured: PostgreSQL with its defaults, the service's own command with authentication on, a user of it."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.benchmark.wire import Address
from tests.support.identities import Identities, Person, secured_settings
from tests.support.postgres import DatabaseAddress, Postgres
from tests.support.process import eventually
from tests.support.server import Client, TestServer
from tests.support.warehouses import LocalWarehouse

WORKERS = 2
IN_PROGRESS = "iceberg_catalog_http_requests_in_progress"
PRIVILEGES = [
    "read-data",
    "read-metadata",
    "list",
    "write-data",
    "create",
    "manage-properties",
    "drop",
    "vend",
]
FLUSH = 0.25  # seconds; a figure of /metrics is at most 0.2 s old
TOKEN_AGE = 1200  # seconds; a token is good for an hour
SETTINGS = {"jobs.poll_interval": "1s"}  # the default; tests look for jobs more often
Settings = Mapping[str, object]


class Site:
    """A running service and a principal that may do everything in its warehouse but administer it.

    ``started_in`` is how many seconds it took to be ready.
    """

    def __init__(
        self, server: TestServer, postgres: Postgres, warehouse: LocalWarehouse, started_in: float
    ) -> None:
        self.server, self.postgres, self.warehouse = server, postgres, warehouse
        self.started_in = started_in
        self._identities = Identities(server)
        self._person: Person | None = None
        self._token, self._since = "", 0.0

    def address(self) -> Address:
        """Where requests go, with a token that is good for some time yet."""
        if not self._token or time.monotonic() - self._since > TOKEN_AGE:
            self._token, self._since = self._identities.token(self._user()), time.monotonic()
        return Address(self.server.url, self._token)

    def client(self) -> Client:
        return self._identities.with_token(self.address().token)

    def settle(self) -> None:
        """Wait until nothing is being answered and the figures say so, and forget the log so far."""
        time.sleep(FLUSH)
        eventually(
            lambda: self.server.metric(IN_PROGRESS) == 0, 120, "the server has nothing left to do", 0.05
        )
        os.truncate(self.server.stdout, 0)

    def pids(self) -> tuple[int, int]:
        """The sessions of the service and of PostgreSQL."""
        assert self.server.process is not None
        return self.server.process.pid, self.postgres.process.pid

    def _user(self) -> Person:
        if self._person is None:
            self._person = self._identities.person()
            body = {
                "privileges": PRIVILEGES,
                "object": {"warehouse": "default"},
                "to": {"principal": self._person.name},
            }
            answer = self._identities.admin.post("/management/v1/grants", json=body)
            assert answer.status_code == 200, answer.text
        return self._person


@contextmanager
def running_site(
    postgres: Postgres,
    settings: Settings,
    *,
    database: DatabaseAddress | None = None,
    entry: str = "serve",
    workers: int = WORKERS,
) -> Iterator[Site]:
    """A service of one's own; ``settings`` are added to the defaults."""
    warehouse = LocalWarehouse()
    own = database or postgres.create_database()
    server = TestServer(
        warehouse, own, entry=entry, workers=workers, settings={**SETTINGS, **secured_settings(), **settings}
    )
    try:
        begin = time.monotonic()
        server.start().wait_ready()
        yield Site(server, postgres, warehouse, time.monotonic() - begin)
        server.stop()
    finally:
        if server.is_running():
            server.kill()
        server.remove()
        warehouse.remove()
        postgres.drop(own)
