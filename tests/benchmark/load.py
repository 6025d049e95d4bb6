"""One burst of load by wrk, and the processor time that everybody took for it."""

import json
import os
import resource
import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmark.wire import as_lua
from tests.support.proc import read_stat, session_members
from tests.support.process import require_program, run

SCRIPT = Path(__file__).with_name("requests.lua")
TICKS = os.sysconf("SC_CLK_TCK")
USER, KERNEL = (11, 13), (12, 14)  # columns of a process's stat from its state on
IDLE = (3, 4)  # columns of /proc/stat: idle, waiting for the disk


@dataclass(frozen=True)
class Processor:
    """Seconds of processor time so far: the service (of it ``kernel`` in the kernel), its database, the load, and all
    that ran on the machine."""

    service: float
    kernel: float
    database: float
    load: float
    machine: float

    @classmethod
    def now(cls, service: int, database: int | None = None) -> "Processor":
        own = resource.getrusage(resource.RUSAGE_CHILDREN)
        kernel = session_seconds(service, KERNEL)
        return cls(
            session_seconds(service, USER) + kernel,
            kernel,
            session_seconds(database, USER + KERNEL),
            own.ru_utime + own.ru_stime,
            machine_seconds(),
        )

    def since(self, before: "Processor") -> "Processor":
        return Processor(
            self.service - before.service,
            self.kernel - before.kernel,
            self.database - before.database,
            self.load - before.load,
            self.machine - before.machine,
        )

    @property
    def ours(self) -> float:
        return self.service + self.database + self.load


@dataclass(frozen=True)
class Burst:
    """The outcome of one burst; processor times in microseconds per request.

    ``others`` is the part of what the machine did meanwhile that had nothing to do with us.
    """

    requests: float
    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    kernel_us: float
    database_cpu_us: float
    total_cpu_us: float
    others: float
    failed: int


def burst(
    requests: Sequence[str],
    url: str,
    connections: int,
    seconds: int,
    clock: Callable[[], Processor],
    settle: Callable[[], None],
) -> Burst:
    """Load ``url`` for ``seconds``, then wait until ``settle`` returns.

    wrk hangs up at the end; what it leaves behind, one request per connection, is worked off and counts as cost.
    """
    before = clock()
    figures = wrk(requests, url, connections, seconds)
    settle()
    taken = clock().since(before)
    each = 1e6 / (figures["requests"] + connections)
    return Burst(
        requests=figures["requests"],
        rps=(figures["requests"] - figures["failed"]) / figures["seconds"],
        p50_ms=figures["p50_ms"],
        p99_ms=figures["p99_ms"],
        cpu_us=taken.service * each,
        kernel_us=taken.kernel * each,
        database_cpu_us=taken.database * each,
        total_cpu_us=taken.ours * each,
        others=max(0.0, 1 - taken.ours / taken.machine) if taken.machine else 0.0,
        failed=int(figures["failed"]),
    )


def wrk(requests: Sequence[str], url: str, connections: int, seconds: int) -> dict[str, float]:
    program = require_program("wrk", "wrk")
    with tempfile.NamedTemporaryFile("w", suffix=".lua", encoding="latin-1") as file:
        file.write(as_lua(requests))
        file.flush()
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "--latency", "-s", SCRIPT]
        out = run([program, *options, url, "--", file.name, secrets.token_hex(4)])
    return dict(json.loads(out.strip().splitlines()[-1]))


def session_seconds(session: int | None, columns: Sequence[int]) -> float:
    """Time so far of a session's processes, their descendants and those of them that ended."""
    if session is None:
        return 0.0
    stats = (read_stat(Path(f"/proc/{pid}/stat")) for pid in session_members(session))
    return sum(int(stat[column]) / TICKS for stat in stats if stat for column in columns)


def machine_seconds() -> float:
    """The time that the machine's processors were busy so far, with whatever."""
    columns = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    return sum(int(value) for column, value in enumerate(columns) if column not in IDLE) / TICKS
