"""Very many connections: a thousand that all ask, and ten thousand that mostly rest."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.benchmark.arithmetic import within
from tests.benchmark.arriving import generator, stream
from tests.benchmark.content import CASES, Content
from tests.benchmark.load import wrk
from tests.benchmark.site import Site
from tests.benchmark.wire import requests_of
from tests.support.proc import session_members

BUSY = 1_000
IDLE = 10_000
RATE = 1_000
MEMORY_MIB = 300.0
ANSWERED = "iceberg_catalog_http_requests_total{"
STATUS = re.compile(r'status_code="(\d+)"')


def measure_busy(site: Site, content: Content, seconds: int) -> dict[str, Any]:
    """All connections load small tables as fast as they can."""
    case = CASES["table_5k"](content, "table_5k")
    before = refusals(site)
    figures = wrk(requests_of(case, site.address()), site.server.url, BUSY, seconds)
    site.settle()
    return {
        "connections": BUSY,
        "rps": round(figures["requests"] / figures["seconds"], 1),
        "p50_ms": figures["p50_ms"],
        "p99_ms": figures["p99_ms"],
        "failed": int(figures["failed"]),
        "refused": refusals(site) - before,
        "timeouts": int(figures["timeouts"]),
    }


def refusals(site: Site) -> Counter[str]:
    """How many answers there were so far with each status of an error."""
    found: Counter[str] = Counter()
    for name, value in site.server.metrics().items():
        status = STATUS.search(name)
        if name.startswith(ANSWERED) and status and status[1] >= "400":
            found[status[1]] += int(value)
    return found


def measure_idle(site: Site, content: Content, seconds: float) -> dict[str, Any]:
    """Ask once on each of the connections, weigh all processes, then load small tables, on each connection in turn."""
    requests = requests_of(CASES["table_5k"](content, "table_5k"), site.address())
    before = memory(site)
    with generator(site.server.url, seconds, [stream("load", RATE, IDLE, requests)]) as running:
        weighed = memory(site)
        (figures,) = running.run()
        opened = running.opened
    return {
        "connections": opened["open"],
        "failed_at_first": opened["failed"],
        "memory_mib": weighed,
        "memory_before_mib": before,
        "limit_mib": MEMORY_MIB,
        "verdict": within(weighed["all"], MEMORY_MIB),
        "load": figures,
    }


def memory(site: Site) -> dict[str, float]:
    """The memory of the service's processes and of PostgreSQL's in MiB; what processes share is divided among them."""
    own, database = (session_members(session) for session in site.pids())
    workers = set(site.server.workers())
    figures = {
        "workers": weight(pid for pid in own if pid in workers),
        "service": weight(own),
        "database": weight(database),
    }
    return {**figures, "all": round(figures["service"] + figures["database"], 1)}


def weight(pids: Iterable[int]) -> float:
    return round(sum(map(share, pids)), 1)


def share(pid: int) -> float:
    """The proportional set size of one process in MiB; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
