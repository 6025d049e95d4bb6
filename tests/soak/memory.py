"""How the memory of processes changes while they serve."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

MOST_GROWTH = 512 * 1024  # bytes per process and round
FEWEST_STEPS = 20  # fewer say nothing: processes still take what they will keep


class Growth(NamedTuple):
    """``per_round`` is in bytes, the mean over ``steps`` rounds of all processes that lived through some."""

    per_round: float
    steps: int

    def __str__(self) -> str:
        return f"{self.per_round / 1024:+.0f} KB per round ({self.steps} steps)"

    @property
    def is_flat(self) -> bool:
        return self.steps < FEWEST_STEPS or self.per_round <= MOST_GROWTH


class Memory:
    """Samples of every process's share of memory (PSS), taken when nobody asks for anything, by what it is for."""

    def __init__(self) -> None:
        self.samples: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))

    def sample(self, processes: Mapping[int, str]) -> int:
        """Look at the processes, and return the sum in bytes."""
        sizes = {pid: size for pid in processes if (size := shared_out(pid))}
        for pid, size in sizes.items():
            self.samples[processes[pid]][pid].append(size)
        return sum(sizes.values())

    def growth(self) -> dict[str, Growth]:
        """The first round of a process fills what stays; what grows after it is judged."""
        return {kind: growth_of(samples.values()) for kind, samples in self.samples.items()}


def growth_of(samples: Iterable[Sequence[int]]) -> Growth:
    later = [each[1:] for each in samples if len(each) > 1]
    steps = sum(len(each) - 1 for each in later)
    grown = sum(each[-1] - each[0] for each in later)
    return Growth(grown / steps if steps else 0.0, steps)


def shared_out(pid: int) -> int:
    """Return a process's proportional set size in bytes; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
