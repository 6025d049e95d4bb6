"""``make bench``: starts PostgreSQL and the server with two workers, loads it with wrk, prints one JSON object.

Every case is measured with 10 and 100 connections in interleaved rounds together with the yardstick, a raw WSGI
"hello" on gunicorn's stock gevent worker with as many workers. The figures are medians over the rounds; ``ratio`` is
a case's requests per second to the yardstick's, whose own figures are under ``yardstick``. Processor times are
microseconds per request; they say more than rates where other work shares the machine. What happens meanwhile goes
to standard error.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmark.content import Content
from tests.benchmark.load import Burst, Case, Cost, burst
from tests.benchmark.stall import measure_stall
from tests.support.postgres import Postgres
from tests.support.process import eventually, free_port, start, stop
from tests.support.server import ROOT, Client, TestServer
from tests.support.warehouses import LocalWarehouse

WORKERS = 2
YARDSTICK = Case("hello", "/")
IN_PROGRESS = "iceberg_catalog_http_requests_in_progress"
SETTINGS = {"jobs.poll_interval": "1s"}  # the default; tests look for jobs more often


@dataclass(frozen=True)
class Target:
    """Where a case's requests go, and what they cost whom."""

    case: Case
    url: str
    cost: Cost


def main() -> None:
    options = parse_arguments()
    with ExitStack() as stack:
        hello = stack.enter_context(yardstick())
        postgres = stack.enter_context(Postgres(options=[]))
        server = stack.enter_context(running_server(postgres))
        with Client(server.url) as client:
            content = Content(client)
            say("filling the catalog")
            content.fill()
            cases = [case for case in content.cases() if not options.only or case.name in options.only]
            assert server.process is not None
            cost = Cost(server.process.pid, postgres.process.pid)
            targets = [hello, *(Target(case, server.url, cost) for case in cases)]
            results = measure(server, targets, options)
            stall = measure_stall(content, client) if options.stall else {}
    own = [one for one in results if one["name"] != YARDSTICK.name]
    print(json.dumps({"results": own, "yardstick": [one for one in results if one not in own], **stall}))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=2, help="length of one burst (default 2)")
    parser.add_argument("--rounds", type=int, default=3, help="bursts per case (default 3)")
    parser.add_argument("--connections", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these cases only")
    parser.add_argument("--no-stall", dest="stall", action="store_false", help="leave out the 2 MB commits")
    return parser.parse_args()


@contextmanager
def yardstick() -> Iterator[Target]:
    """The raw WSGI application on stock gevent workers."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "/dev/null", "-k", "gevent", "-w", str(WORKERS)]
    command += ["-b", f"127.0.0.1:{port}", "--no-control-socket", "tests.benchmark.hello:application"]
    with tempfile.TemporaryDirectory() as folder:
        process = start(command, Path(folder) / "log", cwd=ROOT)
        with Client(f"http://127.0.0.1:{port}") as client:
            eventually(lambda: client.get("/").ok, 20, "the yardstick answers")
        try:
            yield Target(YARDSTICK, f"http://127.0.0.1:{port}", Cost(process.pid))
        finally:
            stop(process)


@contextmanager
def running_server(postgres: Postgres) -> Iterator[TestServer]:
    warehouse = LocalWarehouse()
    try:
        with TestServer(warehouse, postgres.create_database(), workers=WORKERS, settings=SETTINGS) as server:
            yield server
    finally:
        warehouse.remove()


def measure(server: TestServer, targets: list[Target], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Load all targets in turn, ``options.rounds`` times, and sum up."""
    bursts: dict[tuple[str, int], list[Burst]] = {}

    def settled() -> None:
        eventually(lambda: server.metric(IN_PROGRESS) == 0, 120, "the server has nothing left to do")

    for number in range(options.rounds):
        for connections in options.connections:
            for target in targets:
                one = burst(target.case, target.url, connections, options.seconds, target.cost, settled)
                bursts.setdefault((target.case.name, connections), []).append(one)
                say(f"round {number + 1}: {target.case.name} with {connections}: {one.rps:.0f}/s")
    return [summary(name, connections, bursts) for name, connections in bursts]


def summary(name: str, connections: int, bursts: dict[tuple[str, int], list[Burst]]) -> dict[str, Any]:
    own, hello = bursts[name, connections], bursts[YARDSTICK.name, connections]
    rps = statistics.median(one.rps for one in own)
    return {
        "name": name,
        "connections": connections,
        "rps": round(rps, 1),
        "p50_ms": round(statistics.median(one.p50_ms for one in own), 3),
        "p99_ms": round(statistics.median(one.p99_ms for one in own), 3),
        "cpu_us": round(statistics.median(one.cpu_us for one in own), 1),
        "database_cpu_us": round(statistics.median(one.database_cpu_us for one in own), 1),
        "ratio": round(rps / statistics.median(one.rps for one in hello), 4),
        "failed": sum(one.failed for one in own),
    }


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
