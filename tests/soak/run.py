"""Rounds of load, in each of which something breaks; and what is judged after each and at the end."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.load import Load
from tests.soak.faults import FAULTS
from tests.soak.memory import Memory
from tests.soak.site import Site
from tests.support.process import eventually

SHARE = 0.7
HTTP_CLIENTS = 6
PYICEBERG_CLIENTS = 1


@dataclass(frozen=True)
class Plan:
    """``seconds`` of load in all, in rounds of ``interval`` seconds. Each has one of ``faults``: all in an order by
    chance, then all again."""

    seconds: float = 900.0
    interval: float = 30.0
    faults: Sequence[str] = tuple(FAULTS)
    seed: int = 0


@dataclass
class Soak:
    """``say`` is told what happens."""

    site: Site
    plan: Plan
    say: Callable[[str], None]
    memory: Memory = field(default_factory=Memory)

    def run(self) -> None:
        """Go through all rounds.

        :raises AssertionError: with what is wrong
        """
        chance = random.Random(self.plan.seed)
        capacity = self.capacity()
        self.say(f"capacity {capacity:.0f}/s; from now on {SHARE * capacity:.0f}/s")
        rounds = max(1, round(self.plan.seconds / self.plan.interval))
        left: list[str] = []
        for number in range(1, rounds + 1):
            left = left or chance.sample(self.plan.faults, len(self.plan.faults))
            fault = left.pop()
            self.say(f"round {number} of {rounds}: {fault}: {self.round(fault, SHARE * capacity, chance)}")
            if number == rounds // 2:
                self.memory = Memory()  # what grows while everything is new says nothing
        self.judge_memory()

    def load(self, rate: float | None) -> Load:
        return Load(
            [self.site.url],
            self.site.warehouse,
            http_clients=HTTP_CLIENTS,
            pyiceberg_clients=PYICEBERG_CLIENTS,
            pause=0.0,
            rate=rate,
        )

    def capacity(self) -> float:
        """Return how many operations per second these clients get done when they do not rest."""
        with self.load(None) as load:
            load.flows()
            began, before = time.monotonic(), load.operations
            load.stopping.wait(self.plan.interval / 2)
            done, seconds = load.operations - before, time.monotonic() - began
        self.judge(load)
        return done / seconds

    def round(self, fault: str, rate: float, chance: random.Random) -> str:
        end = time.monotonic() + self.plan.interval
        with self.load(rate) as load:
            load.flows()
            FAULTS[fault](self.site, chance)
            mended = time.monotonic()
            load.flows()
            flows = time.monotonic()
            load.stopping.wait(max(0.0, end - flows))
            load.flows()
        size = self.judge(load)
        memory = f"{size / 2**20:.0f} MB, of them {self.site.remembered() / 2**20:.1f} MB of answers"
        return f"everybody works {flows - mended:.1f} s later; {memory}; {load.history}"

    def judge(self, load: Load) -> int:
        """Check the history of a load and that nothing is left of it; return the memory of both nodes in bytes."""
        load.verify(self.site.database)
        left, most = load.orphans(self.site.database), load.unknown()
        assert len(left) <= most, f"{len(left)} metadata files that nothing names, {most} changes unknown"
        self.site.forget(load.history.namespace)
        eventually(self.at_rest, 30, "nothing is left over", interval=0.2)
        return self.memory.sample(self.site.processes())

    def at_rest(self) -> bool:
        leaks = self.site.leaks()
        assert not leaks, leaks
        return True

    def judge_memory(self) -> None:
        growth = self.memory.growth()
        for kind, one in sorted(growth.items()):
            self.say(f"memory of each {kind}: {one}")
        assert all(one.is_flat for one in growth.values()), growth
