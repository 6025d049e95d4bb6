"""Judges every exchange of a test run and remembers which test saw which status."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.support.contract import Contract
from tests.support.exchanges import Exchange

# The variable that names the folder to keep recordings in, one of each process that runs tests.
RECORDING = "BINGSAN_RECORDING"
FAILED: set[str] = set()


class Seen(NamedTuple):
    """``error`` is the wire type of an error, else empty."""

    operation: str
    status: int
    error: str
    test: str


class Recording:
    """Fails the test whose exchange is not what a document says; ``write`` what was seen by tests that passed.

    ``judges`` are documents by the name that a failure calls them. Requests that are taken although the document
    does not allow them are excused while ``excuse`` names a test function that says so.
    """

    def __init__(self, judges: dict[str, Contract]) -> None:
        self._judges = judges
        self._seen: Counter[Seen] = Counter()
        self.excused: dict[str, bool] = {}
        self.excuse = ""

    def observe(self, exchange: Exchange) -> None:
        own = next(iter(self._judges.values()))
        if operation := own.find(exchange.method, exchange.path):
            self._seen[Seen(operation.name, exchange.status, _error(exchange), running_test())] += 1
        for name, judge in self._judges.items():
            faults = judge.faults_of_answer(exchange)
            if asked := judge.faults_of_request(exchange):
                faults += [] if self._is_excused() else asked
            assert not faults, (
                f"{exchange.method} {exchange.target} answered {exchange.status}; by the {name}: {faults}; "
                f"sent {exchange.request.body[:300]!r}; got {exchange.answer.body[:300]!r}"
            )

    def _is_excused(self) -> bool:
        if self.excuse:
            self.excused[self.excuse] = True
        return bool(self.excuse)

    def write(self, folder: Path) -> None:
        """Write what was seen by tests that passed, and which excuses nobody needed."""
        seen = sorted(seen for seen in self._seen if seen.test and seen.test not in FAILED)
        unneeded = [name for name, needed in self.excused.items() if not needed]
        content = json.dumps({"seen": [list(one) for one in seen], "unneeded": unneeded})
        (folder / f"{os.getpid()}.json").write_text(content)


def running_test() -> str:
    """Return the name of the test that runs, also while its fixtures are made; else nothing."""
    name = os.environ.get("PYTEST_CURRENT_TEST", "")
    return name.rpartition(" ")[0]


def _error(exchange: Exchange) -> str:
    if exchange.status < 400 or not exchange.answer.body:
        return ""
    try:
        return str(exchange.answer.json()["error"]["type"])
    except (ValueError, LookupError, TypeError):
        return ""
