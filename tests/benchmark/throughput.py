"""Requests per second of every case, as ratios to the yardstick: a raw WSGI "hello" on stock gevent workers.

The cases and the yardstick take turns; the figures are medians over all rounds, the ratio is the median of a case to
the median of all the yardstick's rounds.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmark.arithmetic import ratio, ratio_noise
from tests.benchmark.content import CASES, Content
from tests.benchmark.load import Burst, Processor, burst, wrk
from tests.benchmark.site import WORKERS, Site
from tests.benchmark.wire import Case, check, requests_of
from tests.support.process import eventually, free_port, start, stop
from tests.support.server import ROOT, Client

HOT = "bingsan_hot_answers_total"
BETWEEN = 2  # cases between two bursts of the yardstick
WARMING = 20  # connections, so that every worker has some
SLOW = 3  # times as long a burst
Key = tuple[str, int]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """Bursts of ``seconds`` with each number of connections, ``rounds`` times."""

    seconds: int
    rounds: int
    connections: Sequence[int]


@dataclass(frozen=True)
class Figures:
    """One case with one number of connections. ``noise`` is how far off the ratio may be, as a part of it;
    ``cpu_ratio`` the ratio of all processor time per request (service, database, load), which hardly depends on what
    else runs; ``kernel_us`` is a part of ``cpu_us``; ``hot`` the share of answers from the hot path, where there is
    one."""

    name: str
    connections: int
    rps: float
    ratio: float
    noise: float | None
    cpu_ratio: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    kernel_us: float
    database_cpu_us: float
    others: float
    hot: float | None
    failed: int


class Yardstick:
    """The raw application."""

    def __init__(self, url: str, pid: int) -> None:
        self.url, self._pid = url, pid
        self._requests = [f"GET / HTTP/1.1\r\nHost: {url.removeprefix('http://')}\r\n\r\n"]

    def burst(self, connections: int, seconds: int) -> Burst:
        return burst(
            self._requests, self.url, connections, seconds, lambda: Processor.now(self._pid), lambda: None
        )


@contextmanager
def yardstick() -> Iterator[Yardstick]:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "/dev/null", "-k", "gevent", "-w", str(WORKERS)]
    command += ["-b", f"127.0.0.1:{port}", "--no-control-socket", "tests.benchmark.hello:application"]
    with tempfile.TemporaryDirectory() as folder:
        process = start(command, Path(folder) / "log", cwd=ROOT)
        try:
            url = f"http://127.0.0.1:{port}"
            with Client(url) as client:
                eventually(lambda: client.get("/").ok, 20, "the yardstick answers")
            yield Yardstick(url, process.pid)
        finally:
            stop(process)


class Throughput:
    """Rounds so far; ``measure`` adds to them."""

    def __init__(self, site: Site, content: Content, hello: Yardstick, say: Say) -> None:
        self._site, self._content, self._hello, self._say = site, content, hello, say
        self._bursts: dict[Key, list[Burst]] = {}
        self._yardstick: dict[int, list[Burst]] = {}
        self._hot: dict[Key, list[float]] = {}

    def measure(self, names: Sequence[str], plan: Plan) -> None:
        cases = [CASES[name](self._content, name) for name in names]
        for case in cases:
            self._warm_up(case)
        for number in range(plan.rounds):
            self._say(f"round {number + 1} of {plan.rounds}")
            for connections in plan.connections:
                self._round(cases, connections, plan.seconds)

    def figures(self) -> list[Figures]:
        return [self._figures(key) for key in self._bursts]

    def yardstick(self) -> list[dict[str, float]]:
        """The medians of the yardstick."""
        return [
            {"connections": connections, "failed": sum(one.failed for one in bursts), **medians(bursts)}
            for connections, bursts in self._yardstick.items()
        ]

    def _warm_up(self, case: Case) -> None:
        """See that the case's requests are answered as they should be, and let both workers do it for a moment."""
        address = self._site.address()
        requests = requests_of(case, address)
        check(case, requests, address)
        if not case.body:
            wrk(requests, address.url, WARMING, max(1, len(requests) // 500))

    def _round(self, cases: Sequence[Case], connections: int, seconds: int) -> None:
        for number, case in enumerate(cases):
            if number % BETWEEN == 0:
                hello = self._hello.burst(connections, seconds)
                self._yardstick.setdefault(connections, []).append(hello)
            one = self._burst(case, connections, seconds * SLOW if case.slow else seconds)
            self._bursts.setdefault((case.name, connections), []).append(one)
            rate = one.rps / hello.rps
            self._say(f"  {case.name} with {connections}: {one.rps:.0f}/s, {rate:.3f} of the yardstick")

    def _burst(self, case: Case, connections: int, seconds: int) -> Burst:
        site = self._site
        requests = requests_of(case, site.address())
        before = hot_answers(site)
        one = burst(
            requests, site.server.url, connections, seconds, lambda: Processor.now(*site.pids()), site.settle
        )
        if before is not None and one.requests:
            share = ((hot_answers(site) or 0) - before) / one.requests
            self._hot.setdefault((case.name, connections), []).append(min(1.0, share))
        self._content.tidy(case)
        return one

    def _figures(self, key: Key) -> Figures:
        name, connections = key
        own, hello = self._bursts[key], self._yardstick[connections]
        rates, yardstick = [one.rps for one in own], [one.rps for one in hello]
        cost = statistics.median(one.total_cpu_us for one in own)
        middle = medians(own)
        return Figures(
            name=name,
            connections=connections,
            ratio=round(ratio(rates, yardstick), 4),
            noise=round(ratio_noise(rates, yardstick), 3) if len(rates) > 1 else None,
            cpu_ratio=round(statistics.median(one.total_cpu_us for one in hello) / cost, 4),
            hot=round(statistics.median(self._hot[key]), 4) if key in self._hot else None,
            failed=sum(one.failed for one in own),
            **{field: middle[field] for field in FIELDS},
        )


FIELDS = ("rps", "p50_ms", "p99_ms", "cpu_us", "kernel_us", "database_cpu_us", "others")


def medians(bursts: Sequence[Burst]) -> dict[str, float]:
    rows = [asdict(one) for one in bursts]
    return {field: round(statistics.median(row[field] for row in rows), 3) for field in FIELDS}


def hot_answers(site: Site) -> float | None:
    """How many answers the hot path has given; none where the service has no such figure."""
    samples = site.server.metrics()
    own = [value for key, value in samples.items() if key.partition("{")[0] == HOT]
    return sum(own) if own else None
