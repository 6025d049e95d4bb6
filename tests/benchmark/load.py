"""One burst of load by wrk, and the processor time that the server's processes took for it."""

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.proc import read_stat, session_members
from tests.support.process import require_program, run

SCRIPT = Path(__file__).with_name("requests.lua")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Case:
    """What is asked: ``kind`` as in requests.lua; ``targets`` tables named ``<path>0`` … for commits."""

    name: str
    path: str
    kind: str = "get"
    targets: int = 1


@dataclass(frozen=True)
class Cost:
    """Whose processor time is taken: the sessions of the service and of its database."""

    server: int
    database: int | None = None

    def seconds(self) -> tuple[float, float]:
        return processor_seconds(self.server), processor_seconds(self.database)


@dataclass(frozen=True)
class Burst:
    """The outcome of one burst; processor times in microseconds per request."""

    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    database_cpu_us: float
    failed: int


def burst(
    case: Case, url: str, connections: int, seconds: float, cost: Cost, settled: Callable[[], None]
) -> Burst:
    """Load ``url`` for ``seconds``, then wait until ``settled`` returns.

    wrk hangs up at the end; what it leaves behind, one request per connection, is worked off and counts as cost.
    """
    before = cost.seconds()
    figures = wrk(case, url, connections, seconds)
    settled()
    requests = figures["requests"] + connections
    own, database = (
        (end - begin) * 1e6 / requests for begin, end in zip(before, cost.seconds(), strict=True)
    )
    rps = (figures["requests"] - figures["failed"]) / figures["seconds"]
    return Burst(rps, figures["p50_ms"], figures["p99_ms"], own, database, figures["failed"])


def wrk(case: Case, url: str, connections: int, seconds: float) -> dict[str, float]:
    program = require_program("wrk", "wrk")
    options = ["-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "20s", "--latency", "-s", SCRIPT]
    arguments = [case.kind, case.path, secrets.token_hex(4), str(case.targets)]
    out = run([program, *options, url, "--", *arguments])
    return json.loads(out.strip().splitlines()[-1])


def processor_seconds(session: int | None) -> float:
    """User and system time so far of a session's processes, their descendants and those of them that ended."""
    if session is None:
        return 0.0
    stats = (read_stat(Path(f"/proc/{pid}/stat")) for pid in session_members(session))
    return sum(sum(map(int, stat[11:15])) / TICKS for stat in stats if stat)
