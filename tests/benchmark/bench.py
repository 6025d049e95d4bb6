"""``make bench``: measures the service and prints tables, each figure with its target and a verdict.

Names are those of cases (requests per second as ratios to a raw "hello") and of parts. What happens meanwhile goes
to standard error. The exit status is 1 when a request failed, and with ``--check`` when both ratios of a case are below
0.8 of those in figures.toml.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.benchmark import crowd, growth, judgement, open_loop, report, stall, starting
from tests.benchmark.content import CASES, Content
from tests.benchmark.disk import measure_fsync
from tests.benchmark.machine import described
from tests.benchmark.site import Site, running_site
from tests.benchmark.throughput import Plan, Throughput, yardstick
from tests.support.postgres import Postgres

TRIES = 3  # of a figure that is too low


class Bench:
    """What one run measures with; each server starts when it is needed."""

    def __init__(self, stack: ExitStack, options: argparse.Namespace) -> None:
        self.options = options
        self._stack = stack
        self.results: dict[str, Any] = {}
        self.failed = 0

    @cached_property
    def postgres(self) -> Postgres:
        return self._stack.enter_context(Postgres(options=[]))

    @cached_property
    def site(self) -> Site:
        return self._stack.enter_context(running_site(self.postgres, self.options.set))

    @cached_property
    def content(self) -> Content:
        return Content(self.site)

    @cached_property
    def fsync(self) -> dict[str, float]:
        return measure_fsync(self.site.warehouse.folder)

    @cached_property
    def throughput(self) -> Throughput:
        return Throughput(self.site, self.content, self._stack.enter_context(yardstick()), say)

    @property
    def plan(self) -> Plan:
        return Plan(self.options.seconds, self.options.rounds, self.options.connections)

    # -- parts: each keeps its figures and returns its table ---------------------------------------

    def cases(self, names: Sequence[str]) -> Iterator[str]:
        self.throughput.measure(names, self.plan)
        figures, hello = self.throughput.figures(), self.throughput.yardstick()
        self.results |= {"cases": [asdict(one) for one in figures], "yardstick": hello, "fsync": self.fsync}
        self.failed += sum(one.failed for one in figures)
        yield described(self.postgres)
        yield report.disk(self.fsync)
        yield report.hot_share(figures)
        yield report.disturbance(figures)
        yield ""
        yield from report.throughput(figures, hello, judgement.read_targets())

    def open_loop(self) -> Iterator[str]:
        figures = open_loop.measure(
            self.site, self.content, self.options.open_seconds, self.options.open_rounds
        )
        self.results |= {"open_loop": figures, "fsync": self.fsync}
        self.failed += sum(one["failed"] for one in figures["streams"])
        yield report.disk(self.fsync)
        yield from report.open_loop(figures)

    def busy(self) -> Iterator[str]:
        figures = self.results["busy"] = crowd.measure_busy(self.site, self.content, 5)
        self.failed += figures["failed"]
        yield from report.busy(figures)

    def idle(self) -> Iterator[str]:
        with Postgres(options=[]) as postgres, running_site(postgres, self.options.set) as site:
            figures = self.results["idle"] = crowd.measure_idle(site, Content(site), 10)
        self.failed += figures["failed_at_first"] + figures["load"]["failed"]
        yield from report.idle(figures)

    def start(self) -> Iterator[str]:
        figures = self.results["start"] = starting.measure(self.postgres, 3)
        yield from report.start(figures)

    def growth(self) -> Iterator[str]:
        figures = self.results["growth"] = growth.measure(self.options.sizes)
        yield from report.growth(figures)

    def stall(self) -> Iterator[str]:
        figures = self.results["stall"] = stall.measure(self.site, self.content)
        yield from report.stall(figures)


PARTS: dict[str, Callable[[Bench], Iterator[str]]] = {
    "open_loop": Bench.open_loop,
    "busy": Bench.busy,
    "idle": Bench.idle,
    "start": Bench.start,
    "growth": Bench.growth,
    "stall": Bench.stall,
}


def main() -> None:
    options = parse_arguments()
    with ExitStack() as stack:
        bench = Bench(stack, options)
        code = check(bench) if options.check else measure(bench)
    if options.json:
        options.json.write_text(json.dumps(bench.results, indent=1) + "\n")
    sys.exit(code)


def measure(bench: Bench) -> int:
    only = bench.options.only
    cases = [name for name in CASES if not only or name in only]
    if cases:
        printed("Requests per second", bench.cases(cases))
        if bench.options.keep:
            figures = bench.throughput.figures()
            judgement.KEPT.write_text(judgement.keep(figures, bench.fsync["p50_ms"]))
    for name, part in PARTS.items():
        if not only or name in only:
            printed(name.replace("_", " ").capitalize(), part(bench))
    if bench.failed:
        print(f"{bench.failed} requests failed.")
    return int(bench.failed > 0)


def check(bench: Bench) -> int:
    """Measure what figures are kept of; those that are too low are measured again before that counts."""
    kept = judgement.read_kept()
    only = bench.options.only
    names = [name for name in CASES if name in kept and (not only or name in only)]
    if not names:
        print('No figures are kept; `make bench BENCH="--keep"` writes them.')
        return 1
    if not judgement.same_disk(bench.fsync["p50_ms"], judgement.kept_fsync_ms()):
        print("The disk is slower than where the figures were kept: what waits for it is not compared.")
        names = [name for name in names if not CASES[name](bench.content, name).writes]
    low = names
    for _ in range(TRIES):
        bench.throughput.measure(low, bench.plan)
        found = judgement.too_low(bench.throughput.figures(), kept)
        low = sorted({one.name for one in found})
        if not low:
            break
    printed("Check", report.check(bench.throughput.figures(), kept))
    return int(bool(low))


def printed(title: str, lines: Iterator[str]) -> None:
    say(title)
    text = "\n".join(lines)
    print(f"## {title}\n\n{text}", flush=True)


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected key=value, not {text!r}")
    return key, value


def parse_arguments() -> argparse.Namespace:
    names = [*CASES, *PARTS]
    parser = argparse.ArgumentParser(
        prog="bench",
        description=__doc__,
        epilog=f"Names: {', '.join(names)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names, help="these cases and parts only")
    parser.add_argument("--seconds", type=int, default=1, help="length of one burst (default 1)")
    parser.add_argument("--rounds", type=int, default=6, help="bursts per case (default 6)")
    parser.add_argument("--connections", type=int, nargs="+", default=[10, 100])
    parser.add_argument(
        "--open-seconds", type=float, default=10, help="length of a round at a constant rate (default 10)"
    )
    parser.add_argument("--open-rounds", type=int, default=3, help="rounds at a constant rate (default 3)")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=list(growth.SIZES), help="numbers of tables for growth"
    )
    parser.add_argument(
        "--set", type=setting, nargs="+", default=[], metavar="KEY=VALUE", help="settings of the service"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures to this file")
    parser.add_argument("--keep", action="store_true", help="write the ratios to figures.toml")
    parser.add_argument("--check", action="store_true", help="compare the ratios with figures.toml")
    options = parser.parse_args()
    options.set = dict(options.set)
    return options


if __name__ == "__main__":
    main()
