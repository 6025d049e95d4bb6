"""What the figures are held against: the targets of the design, and the figures that were kept."""

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.benchmark.arithmetic import below
from tests.benchmark.throughput import Figures

FOLDER = Path(__file__).parent
KEPT = FOLDER / "figures.toml"
TARGETS = FOLDER / "targets.toml"
SAME = {"create_namespace_coalesced": "create_namespace"}
"""Targets beside a case's own."""
DISK = 1.5
"""How much slower the disk may be than that of the kept figures before those that wait for it say nothing."""
HEADER = """\
# Ratios to the yardstick by case and number of connections as measured, written by `make bench BENCH=--keep`.
# `make bench-check` fails below 0.8 of one. What waits for the disk is compared only where that is as fast.
"""

Ratios = dict[str, dict[int, float]]


def read_ratios(path: Path) -> Ratios:
    tables = tomllib.loads(path.read_text())
    return {
        name: {int(connections): float(figure) for connections, figure in row.items()}
        for name, row in tables.items()
        if isinstance(row, dict)
    }


def kept_fsync_ms() -> float:
    """The time of an fsync where the figures were measured; 0 when there are none."""
    return float(tomllib.loads(KEPT.read_text()).get("fsync_ms", 0.0))


def keep(figures: Iterable[Figures], fsync_ms: float) -> str:
    """Return the text of the kept figures with these in place of their predecessors."""
    ratios = read_ratios(KEPT)
    for one in figures:
        ratios.setdefault(one.name, {})[one.connections] = one.ratio
    lines = [HEADER, f"fsync_ms = {fsync_ms}", ""]
    for name, row in ratios.items():
        inner = ", ".join(f"{connections} = {figure}" for connections, figure in sorted(row.items()))
        lines.append(f"{name} = {{{inner}}}")
    return "\n".join(lines) + "\n"


def too_low(figures: Iterable[Figures], kept: Ratios) -> list[Figures]:
    """Return those below 0.8 of what was kept, and those that failed."""
    return [
        one
        for one in figures
        if one.failed or below(one.ratio, kept.get(one.name, {}).get(one.connections, 0.0))
    ]


def same_disk(fsync_ms: float, kept_ms: float) -> bool:
    return fsync_ms <= DISK * kept_ms


def targets_of(name: str, connections: int, targets: Ratios) -> list[tuple[str, float | None]]:
    """Return the rows under which a case is shown, with the target of each."""
    names: Sequence[str] = [name, *(also for also, case in SAME.items() if case == name)]
    return [(one, targets.get(one, {}).get(connections)) for one in names]
