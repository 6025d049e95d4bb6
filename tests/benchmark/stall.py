"""How long one big commit holds up the other requests of its worker."""

import http.client
import json
import statistics
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from tests.benchmark.content import Content, snapshots
from tests.benchmark.site import Site
from tests.benchmark.wire import Address
from tests.factories import commit_request
from tests.support.server import Client

COMMITS = 8
PROBES = 8  # connections, so that every worker has some
COMMIT_SNAPSHOTS = 4_000  # 2 MB of request


class Probe:
    """Asks for a small thing over several connections in turn and notes when the answers were slow."""

    def __init__(self, address: Address, path: str) -> None:
        where = urlsplit(address.url)
        self._path, self._headers = path, {"Authorization": f"Bearer {address.token}"}
        self._connections = [
            http.client.HTTPConnection(str(where.hostname), where.port, timeout=30) for _ in range(PROBES)
        ]
        self._stop = threading.Event()
        self.waits: list[tuple[float, float]] = []
        self._threads = [threading.Thread(target=self._run, args=[one]) for one in self._connections]

    def __enter__(self) -> "Probe":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def worst_ms(self, begin: float, end: float) -> float:
        """The longest wait of a request that was open between the two times."""
        return (
            max((wait for start, wait in self.waits if start + wait >= begin and start <= end), default=0)
            * 1000
        )

    def _run(self, connection: http.client.HTTPConnection) -> None:
        while not self._stop.wait(0.005):
            start = time.monotonic()
            connection.request("GET", self._path, headers=self._headers)
            connection.getresponse().read()
            self.waits.append((start, time.monotonic() - start))
        connection.close()


def measure(site: Site, content: Content) -> dict[str, Any]:
    """Commit 2 MB several times beside small reads; all figures in milliseconds.

    ``stall_ms`` is the median over the commits of the longest wait of a read meanwhile, ``stall_worst_ms`` the
    worst of them, ``stall_baseline_ms`` the same without a commit.
    """
    body = json.dumps(commit_request(*snapshots(COMMIT_SNAPSHOTS))).encode()
    tables = content.tables(0, COMMITS, "stalled")
    with Probe(site.address(), content.children()[0]) as probe:
        idle = [window(probe, lambda: threading.Event().wait(0.3)) for _ in range(COMMITS)]
        busy, seconds = [], []
        for table in tables:
            begin = time.monotonic()
            busy.append(window(probe, lambda table=table: commit(content.client, table, body)))
            seconds.append(time.monotonic() - begin)
    return {
        "stall_ms": round(statistics.median(busy), 1),
        "stall_worst_ms": round(max(busy), 1),
        "stall_baseline_ms": round(statistics.median(idle), 1),
        "commit_2m_ms": round(statistics.median(seconds) * 1000, 1),
        "commit_2m_bytes": len(body),
    }


def window(probe: Probe, act: Any) -> float:
    begin = time.monotonic()
    act()
    end = time.monotonic()
    threading.Event().wait(0.1)  # let the reads that were open at the end be answered
    return probe.worst_ms(begin, end)


def commit(client: Client, path: str, body: bytes) -> None:
    answer = client.post(path, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text[:500]
