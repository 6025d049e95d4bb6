"""One burst of load by wrk, and the processor time that the server's processes took for it."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import read_stat, require_program, run, session_members

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
class Burst:
    """The outcome of one burst; processor times in microseconds per request."""

    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    database_cpu_us: float
    failed: int


def burst(
    case: Case, url: str, connections: int, seconds: float, server: int, database: int | None = None
) -> Burst:
    """Load ``url`` for ``seconds``; ``server`` and ``database`` are the ids of the sessions whose time is taken."""
    before = processor_seconds(server), processor_seconds(database)
    figures = wrk(case, url, connections, seconds)
    after = processor_seconds(server), processor_seconds(database)
    requests = max(1, figures["requests"])
    own, foreign = ((end - begin) * 1e6 / requests for begin, end in zip(before, after, strict=True))
    rps = (figures["requests"] - figures["failed"]) / figures["seconds"]
    return Burst(rps, figures["p50_ms"], figures["p99_ms"], own, foreign, figures["failed"])


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
