"""What the figures are held against: the targets of the design, and the figures that were kept."""

import math
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmark.arithmetic import below
from tests.benchmark.throughput import Figures

FOLDER = Path(__file__).parent
KEPT = FOLDER / "figures.toml"
TARGETS = FOLDER / "targets.toml"
SAME = {"create_namespace_coalesced": "create_namespace"}
"""Targets beside a case's own."""
DISK = 1.5
"""How much slower the disk may be than that of the kept figures before those that wait for it say nothing."""
BUSY = 0.1
"""The part that other work may have of the machine before rates say little."""
HEADER = """\
# By case and number of connections: the ratio to the yardstick and the ratio of processor times, as measured, or the
# target of the design where that was reached; `make bench BENCH=--keep` writes this, `make bench-check` fails where
# both are below 0.8 of it. What waits for the disk is compared only where that is as fast as it was (milliseconds of
# an fsync).
"""


class Kept(NamedTuple):
    """The ratio of rates and that of processor times."""

    ratio: float
    cpu_ratio: float


Targets = dict[str, dict[int, float]]
KeptFigures = dict[str, dict[int, Kept]]


def read_targets() -> Targets:
    return {
        name: {int(connections): float(figure) for connections, figure in row.items()}
        for name, row in tomllib.loads(TARGETS.read_text()).items()
    }


def read_kept() -> KeptFigures:
    rows = tomllib.loads(KEPT.read_text()).get("cases", {})
    return {
        name: {int(connections): Kept(*figures) for connections, figures in row.items()}
        for name, row in rows.items()
    }


def kept_fsync_ms() -> float:
    """The time of an fsync where the figures were measured; 0 when there are none."""
    return float(tomllib.loads(KEPT.read_text())["fsync_ms"])


def keep(figures: Iterable[Figures], fsync_ms: float) -> str:
    """Return the text of the kept figures with these in place of their predecessors; the target of the design where
    that was reached."""
    kept, targets = read_kept(), read_targets()
    for one in figures:
        most = targets.get(one.name, {}).get(one.connections, math.inf)
        kept.setdefault(one.name, {})[one.connections] = Kept(min(one.ratio, most), min(one.cpu_ratio, most))
    lines = [HEADER, f"fsync_ms = {fsync_ms}", "", "[cases]"]
    for name, row in kept.items():
        inner = ", ".join(f"{connections} = {list(figures)}" for connections, figures in sorted(row.items()))
        lines.append(f"{name} = {{{inner}}}")
    return "\n".join(lines) + "\n"


def too_low(figures: Iterable[Figures], kept: KeptFigures) -> list[Figures]:
    """Return those that are too far below what was kept, and those that failed."""
    return [
        one for one in figures if one.failed or is_slower(one, kept.get(one.name, {}).get(one.connections))
    ]


def is_slower(figures: Figures, kept: Kept | None) -> bool:
    """Whether both ratios are below 0.8 of the kept ones: each alone has reasons outside the service, such as other
    work on the machine or a slow disk."""
    if kept is None:
        return False
    return below(figures.ratio, kept.ratio) and below(figures.cpu_ratio, kept.cpu_ratio)


def same_disk(fsync_ms: float, kept_ms: float) -> bool:
    return fsync_ms <= DISK * kept_ms


def targets_of(name: str, connections: int, targets: Targets) -> list[tuple[str, float | None]]:
    """Return the rows under which a case is shown, with the target of each."""
    names: Sequence[str] = [name, *(also for also, case in SAME.items() if case == name)]
    return [(one, targets.get(one, {}).get(connections)) for one in names]
