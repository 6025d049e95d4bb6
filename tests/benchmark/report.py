"""What was measured, as tables of Markdown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.benchmark.arithmetic import verdict
from tests.benchmark.judgement import BUSY as BUSY_MACHINE
from tests.benchmark.judgement import KeptFigures, Targets, is_slower, targets_of
from tests.benchmark.throughput import Figures

HOT_ENOUGH = 0.99
READS = ("health", "namespace", "head_table", "table_", "list_")
THROUGHPUT = {
    "case": "name",
    "connections": "connections",
    "ratio": "ratio",
    "±": "noise",
    "target": "target",
    "verdict": "verdict",
    "ratio of processor times": "cpu_ratio",
    "requests/s": "rps",
    "p50 ms": "p50_ms",
    "p99 ms": "p99_ms",
    "µs service": "cpu_us",
    "in the kernel": "kernel_us",
    "µs PostgreSQL": "database_cpu_us",
    "hot": "hot",
    "other work": "others",
    "failed": "failed",
}
OPEN_LOOP = {
    "what": "name",
    "per second": "rate",
    "answered": "answered",
    "failed": "failed",
    "p50 ms": "p50_ms",
    "p99 ms": "p99_ms",
    "limit": "limit_ms",
    "verdict": "verdict",
    "p99.9 ms": "p999_ms",
    "worst ms": "worst_ms",
    "sent late by (p99) ms": "own_lag_p99_ms",
}
BUSY = {
    "busy connections": "connections",
    "requests/s": "rps",
    "p50 ms": "p50_ms",
    "p99 ms": "p99_ms",
    "failed": "failed",
    "refused": "refused",
    "not answered in 20 s": "timeouts",
}
IDLE = {
    "resting connections": "connections",
    "failed at first": "failed_at_first",
    "MiB workers": "workers",
    "MiB service": "service",
    "MiB PostgreSQL": "database",
    "MiB in all": "all",
    "limit": "limit_mib",
    "verdict": "verdict",
    "MiB before": "before",
    "loads/s on them": "rate",
    "p50 ms": "p50_ms",
    "p99 ms": "p99_ms",
    "worst ms": "worst_ms",
    "failed": "failed",
}
START = {
    "database": "name",
    "seconds until ready": "seconds",
    "of processor time": "cpu_seconds",
    "limit": "limit",
    "verdict": "verdict",
}
STALL = {
    "2 MB commit, ms": "commit_2m_ms",
    "longest wait of a read meanwhile, ms": "stall_ms",
    "worst, ms": "stall_worst_ms",
    "without a commit, ms": "stall_baseline_ms",
}
CHECK = {
    "case": "name",
    "connections": "connections",
    "ratio": "ratio",
    "±": "noise",
    "kept": "kept",
    "ratio of processor times": "cpu_ratio",
    "was": "kept_cpu",
    "other work": "others",
    "verdict": "verdict",
    "failed": "failed",
}
SHARES = {"noise", "hot", "others"}
"""Members that are shown in percent."""
COSTS = {"pages": "pages", "rows": "rows", "cpu_us": "µs service", "database_cpu_us": "µs PostgreSQL"}


def table(columns: Mapping[str, str], rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """``columns`` tell the member of a row under each head; a row without it has an empty cell."""
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(shown(row.get(key), share=key in SHARES) for key in columns.values()) + " |"
    yield ""


def shown(value: object, *, share: bool = False) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        if share:
            return f"{value * 100:.1f} %"
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {shown(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def disk(fsync: Mapping[str, float]) -> str:
    return f"An fsync of 6 KB takes {fsync['p50_ms']} ms (p99 {fsync['p99_ms']} ms)."


def hot_share(figures: Iterable[Figures]) -> str:
    """The share of answers from the hot path, over all cases that only read."""
    own = [(one.hot, one.rps) for one in figures if one.hot is not None and one.name.startswith(READS)]
    if not own:
        return "No answers of a hot path were counted."
    share = sum(hot * rps for hot, rps in own) / sum(rps for _, rps in own)
    return (
        f"From the hot path: {shown(share, share=True)} of the answers to reads, {verdict(share, HOT_ENOUGH)}"
        f" (wanted are {shown(HOT_ENOUGH, share=True)})."
    )


def disturbance(figures: Sequence[Figures]) -> str:
    """Whether rates mean anything: how much else the machine did."""
    others = max((one.others for one in figures), default=0.0)
    judged = "rates say little, compare processor times" if others > BUSY_MACHINE else "rates can be compared"
    return f"Other work took up to {shown(others, share=True)} of what the machine did: {judged}."


def throughput(
    figures: Iterable[Figures], yardstick: Iterable[Mapping[str, float]], targets: Targets
) -> Iterator[str]:
    """One line per case and number of connections; the yardstick first."""
    rows: list[dict[str, object]] = [
        {"name": "hello", "ratio": 1.0, "cpu_ratio": 1.0, **one} for one in yardstick
    ]
    for each in figures:
        for name, target in targets_of(each.name, each.connections, targets):
            judged = verdict(each.ratio, target) if target else None
            rows.append({**asdict(each), "name": name, "target": target, "verdict": judged})
    yield from table(THROUGHPUT, rows)


def open_loop(figures: Mapping[str, Any]) -> Iterator[str]:
    rounds, seconds, others = figures["rounds"], figures["seconds"], figures["others"]
    yield f"{rounds} rounds of {seconds:g} s; other work was {shown(others, share=True)} of what the machine did."
    yield ""
    yield from table(OPEN_LOOP, figures["streams"])


def busy(figures: Mapping[str, Any]) -> Iterator[str]:
    yield from table(BUSY, [figures])


def idle(figures: Mapping[str, Any]) -> Iterator[str]:
    before = figures["memory_before_mib"]["all"]
    yield from table(IDLE, [{**figures["load"], **figures, **figures["memory_mib"], "before": before}])


def start(figures: Mapping[str, Any]) -> Iterator[str]:
    yield from table(START, ({"name": name, **one} for name, one in figures.items()))


def growth(figures: Mapping[str, Any]) -> Iterator[str]:
    """Pages, rows and processor time of each operation by the number of tables."""
    sizes: Sequence[int] = figures["sizes"]
    columns = {"operation": "name"}
    columns |= {f"{head}, {size:,}": f"{key} {size}" for key, head in COSTS.items() for size in sizes}
    columns |= {"pages grow by": "growth_pages", "time grows by": "growth_cpu", "verdict": "verdict"}
    yield "The numbers are those of tables in the catalog; what grows is judged per thing that is listed."
    yield ""
    yield from table(
        columns,
        (
            {
                **one,
                **{
                    f"{key} {size}": cost[key]
                    for size, cost in zip(sizes, one["costs"], strict=True)
                    for key in COSTS
                },
            }
            for one in figures["operations"]
        ),
    )


def stall(figures: Mapping[str, Any]) -> Iterator[str]:
    yield from table(STALL, [figures])


def check(figures: Iterable[Figures], kept: KeptFigures) -> Iterator[str]:
    """Each ratio beside the one that was kept."""
    rows = []
    for one in figures:
        was = kept.get(one.name, {}).get(one.connections)
        row = asdict(one)
        if was is not None:
            row |= {"kept": was.ratio, "kept_cpu": was.cpu_ratio}
            row["verdict"] = "too slow" if is_slower(one, was) else "as before"
        rows.append(row)
    yield from table(CHECK, rows)
