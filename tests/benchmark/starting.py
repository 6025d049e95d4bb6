"""How long a node takes from its command to the first 200 of /ready."""

import time
from typing import Any

from tests.benchmark.arithmetic import within
from tests.benchmark.site import running_site
from tests.support.postgres import Postgres

LIMITS = {"empty": 10.0, "migrated": 5.0}
"""Seconds, on a database without tables and on one that was used before."""


def measure(postgres: Postgres, rounds: int) -> dict[str, Any]:
    """Start nodes on new databases, and again on the same ones."""
    times: dict[str, list[float]] = {name: [] for name in LIMITS}
    for _ in range(rounds):
        with running_site(postgres, {}) as site:
            times["empty"].append(site.started_in)
            site.server.stop()
            begin = time.monotonic()
            site.server.start().wait_ready()
            times["migrated"].append(time.monotonic() - begin)
    return {
        name: {
            "seconds": [round(one, 2) for one in own],
            "limit": LIMITS[name],
            "verdict": within(max(own), LIMITS[name]),
        }
        for name, own in times.items()
    }
