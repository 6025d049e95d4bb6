"""Latency at a constant arrival rate: 1,000 loads and 50 commits per second of the same 100 tables."""

import statistics
from typing import Any

from tests.benchmark.arithmetic import within
from tests.benchmark.arriving import generator, stream
from tests.benchmark.content import LISTED, TABLE, Content
from tests.benchmark.load import Processor
from tests.benchmark.site import Site
from tests.benchmark.wire import Case, requests_of

RATES = {"load": 1000, "commit": 50}
CONNECTIONS = {"load": 100, "commit": 20}
LIMITS = {"load": 3.0, "commit": 8.0}
"""Milliseconds that 99 of 100 may take at most, where an fsync takes 0.2."""


def measure(site: Site, content: Content, seconds: float, rounds: int) -> dict[str, Any]:
    """Several rounds on the same connections."""
    commit = content.commit("commit", 5_000)
    load = Case("load", f"GET {TABLE}", content.tables(5_000, LISTED, "committed"))
    streams = [
        stream(case.name, RATES[case.name], CONNECTIONS[case.name], requests_of(case, site.address()))
        for case in (load, commit)
    ]
    before = Processor.now(*site.pids())
    with generator(site.server.url, seconds, streams) as running:
        runs = [running.run() for _ in range(rounds)]
    taken = Processor.now(*site.pids()).since(before)
    content.tidy(commit)
    return {
        "seconds": seconds,
        "rounds": rounds,
        "others": round(max(0.0, 1 - taken.ours / taken.machine), 3),
        "streams": [pooled([run[number] for run in runs]) for number in range(len(streams))],
    }


def pooled(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the medians of the rounds' times, the worst of all, and the sum of the failures."""
    middle = {
        field: round(statistics.median(run[field] for run in runs), 3)
        for field in ("p50_ms", "p99_ms", "p999_ms", "own_lag_p99_ms")
    }
    name = runs[0]["name"]
    return {
        "name": name,
        "rate": runs[0]["rate"],
        **middle,
        "worst_ms": max(run["worst_ms"] for run in runs),
        "answered": sum(run["answered"] for run in runs),
        "failed": sum(run["failed"] for run in runs),
        "limit_ms": LIMITS[name],
        "verdict": within(middle["p99_ms"], LIMITS[name]),
    }
