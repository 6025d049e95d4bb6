"""How long a node takes from its command to the first 200 of /ready."""

import time
from typing import Any

from tests.benchmark.arithmetic import within
from tests.benchmark.load import Processor
from tests.benchmark.site import Site, running_site
from tests.support.postgres import Postgres

LIMITS = {"empty": 10.0, "migrated": 5.0}
"""Seconds, on a database without tables and on one that was used before."""


def measure(postgres: Postgres, rounds: int) -> dict[str, Any]:
    """Start nodes on new databases, and again on the same ones."""
    times: dict[str, list[float]] = {name: [] for name in LIMITS}
    costs: dict[str, list[float]] = {name: [] for name in LIMITS}
    for _ in range(rounds):
        with running_site(postgres, {}) as site:
            times["empty"].append(site.started_in)
            costs["empty"].append(spent(site))
            site.server.stop()
            begin = time.monotonic()
            site.server.start().wait_ready()
            times["migrated"].append(time.monotonic() - begin)
            costs["migrated"].append(spent(site))
    return {
        name: {
            "seconds": [round(one, 2) for one in own],
            "cpu_seconds": costs[name],
            "limit": LIMITS[name],
            "verdict": within(max(own), LIMITS[name]),
        }
        for name, own in times.items()
    }


def spent(site: Site) -> float:
    """Seconds of processor time that all processes of the node have taken so far."""
    return round(Processor.now(*site.pids()).service, 2)
