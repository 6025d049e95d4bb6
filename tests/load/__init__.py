"""A load of mixed reads and changes by raw HTTP and PyIceberg, whose history is checked afterwards.

::

    with Load([node.url for node in nodes], warehouse, http_clients=4, pyiceberg_clients=1) as load:
        load.flows()            # every client has changed and seen something since now
        ...                     # the fault
        load.flows()            # everybody works again
    load.verify(database)       # nothing lost, half done, doubled, stale or missing
    assert len(load.orphans(database)) <= load.unknown()
"""

import random
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Self

from tests.factories import create_table_request, unique_name
from tests.load.checks import check_rows, orphans, verify
from tests.load.clients import LoadClient, Target
from tests.load.history import Birth, History, Outcome, Sight
from tests.load.http_client import WEIGHTS, HttpClient
from tests.load.pace import Pace
from tests.load.pyiceberg_client import PyIcebergClient
from tests.support.postgres import DatabaseAddress
from tests.support.process import eventually
from tests.support.server import Client
from tests.support.warehouses import Warehouse

PATIENCE = 60.0  # seconds; far more than any request may take


class Load:
    """Clients in threads, from the start of the block to its end.

    ``urls`` are base addresses of nodes, of which clients choose one for every request. ``tables`` are shared by all.
    ``pause`` is how long a client rests after each operation, in seconds, unless ``rate`` says how many operations per
    second all do together at most; ``weights`` how often HTTP clients do what.
    """

    def __init__(
        self,
        urls: Sequence[str],
        warehouse: Warehouse,
        *,
        http_clients: int = 4,
        pyiceberg_clients: int = 1,
        tables: int = 2,
        pause: float = 0.01,
        rate: float | None = None,
        weights: Mapping[str, int] = WEIGHTS,
        token: str | None = None,
        seed: int | None = None,
    ) -> None:
        self.urls, self.warehouse, self.token = list(urls), warehouse, token
        self.seed = secrets.randbits(32) if seed is None else seed
        self.history = History(unique_name("load"))
        self.tables = [f"shared_{number}" for number in range(tables)]
        self.stopping = threading.Event()
        target = Target(self.urls, self.tables, warehouse, token, Pace(pause, rate), weights, self.stopping)
        chance = random.Random(self.seed)
        kinds: list[type[LoadClient]] = [HttpClient] * http_clients + [PyIcebergClient] * pyiceberg_clients
        self.clients = [
            kind(f"{kind.kind}{number}", target, self.history, chance.getrandbits(32))
            for number, kind in enumerate(kinds)
        ]

    def __enter__(self) -> Self:
        self.make_tables()
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self.stop()

    def make_tables(self) -> None:
        """Create what all share; the service has to be well."""
        space = f"/v1/namespaces/{self.history.namespace}"
        with Client(self.urls[0]) as client:
            if self.token:
                client.headers["Authorization"] = f"Bearer {self.token}"
            answer = client.post("/v1/namespaces", json={"namespace": [self.history.namespace]})
            assert answer.status_code == 200, answer.text
            for table in self.tables:
                began = time.monotonic()
                answer = client.post(f"{space}/tables", json=create_table_request(table))
                assert answer.status_code == 200, answer.text
                ended, body = time.monotonic(), answer.json()
                self.history.births.append(Birth(table, False, began, ended, Outcome.DONE))
                self.history.sights.append(
                    Sight(
                        table, began, ended, True, body["metadata-location"], body["metadata"]["properties"]
                    )
                )

    def flows(self, timeout: float = PATIENCE) -> None:
        """Return when every client has changed and seen something that it began after now."""
        now = time.monotonic()
        eventually(
            lambda: self.idle_since(now) == [], timeout, f"every client works again (seed {self.seed})"
        )

    def goes_on(self, commits: int, timeout: float = PATIENCE) -> None:
        """Return when so many more commits have been acknowledged."""
        wanted = len(self.history.acknowledged()) + commits
        eventually(
            lambda: len(self.history.acknowledged()) >= wanted, timeout, f"{commits} commits", interval=0.1
        )

    @property
    def operations(self) -> int:
        """How many have ended so far, well or not."""
        return sum(client.acts for client in self.clients)

    def idle_since(self, instant: float) -> list[str]:
        """Return the clients that have not succeeded in what they began after an instant."""
        for client in self.clients:
            assert client.is_alive(), f"{client.name} has ended: {client.fault!r}"
        return [each.name for each in self.clients if min(each.last_change, each.last_sight) <= instant]

    def stop(self) -> None:
        """End all clients; what they have begun is finished."""
        self.stopping.set()
        for client in self.clients:
            client.join(PATIENCE)
            assert not client.is_alive(), f"{client.name} still waits for an answer"
        faults = [client.fault for client in self.clients if client.fault]
        if faults:
            raise faults[0]

    def verify(self, database: DatabaseAddress) -> None:
        """Check the whole history; the load has ended and the service is well.

        :raises AssertionError: with what is wrong
        """
        verify(self.history, database, self.warehouse)
        for client in self.clients:
            if isinstance(client, PyIcebergClient):
                assert not (faults := check_rows(self.history, client.name, client.rows())), faults

    def unknown(self) -> int:
        """Return how many metadata files may be left over because nobody knew what had become of a change."""
        commits = sum(len(each.tables) for each in self.history.commits if each.outcome is Outcome.UNKNOWN)
        repeated = sum(each.repeated for each in self.history.commits)
        return commits + repeated + sum(each.outcome is Outcome.UNKNOWN for each in self.history.births)

    def orphans(self, database: DatabaseAddress) -> set[str]:
        """Return the metadata files below the load's namespace that no change has ever named."""
        return orphans(self.history, database, self.warehouse)
