"""What all clients of a load have in common."""

import random
import threading
import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from tests.load.history import Commit, History, Outcome
from tests.load.pace import Pace
from tests.support.warehouses import Warehouse

AFTER_FAILURE = 0.05  # seconds until a client that was refused asks again


@dataclass(frozen=True)
class Target:
    """Whom to ask for what, and until when."""

    urls: list[str]
    tables: list[str]
    warehouse: Warehouse
    token: str | None
    pace: Pace
    weights: Mapping[str, int]
    stopping: threading.Event


class LoadClient(threading.Thread):
    """Asks one thing after the other; ``last_change`` and ``last_sight`` tell when what succeeded last began."""

    kind = ""

    def __init__(self, name: str, target: Target, history: History, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.target, self.history, self.chance = target, history, random.Random(seed)
        self.number = self.acts = 0
        self.last_change = self.last_sight = 0.0
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            self.open()
            while not self.target.stopping.is_set():
                well = self.act()
                self.acts += 1
                self.target.stopping.wait(self.target.pace.rest() if well else AFTER_FAILURE)
        except BaseException as fault:  # noqa: BLE001 -- handed to the test, which raises it
            self.fault = fault
        finally:
            self.close()

    def open(self) -> None:
        """Prepare; the service is well."""

    def close(self) -> None:
        """Give back what ``open`` took."""

    @abstractmethod
    def act(self) -> bool:
        """Ask for one thing and write down what came of it; return whether it succeeded."""

    def next_number(self) -> int:
        self.number += 1
        return self.number

    def committed(
        self, tables: tuple[str, ...], began: float, outcome: Outcome, *, number: int, **more: object
    ) -> bool:
        """Write down a commit that has just ended; return whether it succeeded."""
        ended = time.monotonic()
        self.history.commits.append(Commit(tables, self.name, number, began, ended, outcome, **more))
        if outcome is Outcome.DONE:
            self.last_change = began
            if more.get("location"):  # the answer showed the table
                self.last_sight = began
        return outcome is Outcome.DONE
