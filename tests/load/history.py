"""What clients did and saw, with the times between which it happened."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

NEVER = float("inf")


class Outcome(Enum):
    """What the answer said about a change."""

    DONE = "done"
    REFUSED = "refused"  # certainly not applied
    UNKNOWN = "unknown"  # no answer, or one that leaves it open


class Commit(NamedTuple):
    """A client set its property in ``tables`` to ``number``: in all of them or in none.

    ``location`` is the metadata file that the answer named, if it named one. ``repeated``: under the same
    Idempotency-Key, so that the answer may be newer than the commit.
    """

    tables: tuple[str, ...]
    client: str
    number: int
    began: float
    ended: float
    outcome: Outcome
    location: str | None = None
    repeated: bool = False


class Birth(NamedTuple):
    """A table was created (``drop`` false) or dropped under a name that nobody uses twice."""

    table: str
    drop: bool
    began: float
    ended: float
    outcome: Outcome


class Sight(NamedTuple):
    """A table was seen or was not. ``properties`` are None where the answer did not say them (304)."""

    table: str
    began: float
    ended: float
    present: bool
    location: str | None = None
    properties: dict[str, str] | None = None


@dataclass
class History:
    """Filled by many threads: each only appends. ``faults`` are answers that no fault excuses."""

    namespace: str
    commits: list[Commit] = field(default_factory=list)
    births: list[Birth] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, operation: str, answer: object) -> None:
        """Count an answer: a status, or the name of what came instead of one."""
        with self.lock:
            self.answers[operation, str(answer)] += 1

    def acknowledged(self, client: str | None = None) -> list[Commit]:
        return [
            each for each in self.commits if each.outcome is Outcome.DONE and client in (None, each.client)
        ]

    def __str__(self) -> str:
        done = len(self.acknowledged())
        unknown = sum(each.outcome is Outcome.UNKNOWN for each in self.commits)
        answers = ", ".join(f"{count} x {' '.join(key)}" for key, count in sorted(self.answers.items()))
        return f"{done} commits acknowledged, {unknown} unknown, {len(self.sights)} sights ({answers})"
