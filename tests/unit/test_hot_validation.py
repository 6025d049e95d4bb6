"""What a worker does about what it learns of changes, also when it cannot make sense of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from gevent.event import AsyncResult

from app.db.snapshots import ChangeRow, Seen, SnapshotUnknown
from app.server.hot.validation import Validation


def change(action: str, **details: Any) -> ChangeRow:
    return ChangeRow(action, 1, 7, ("a",), "t", details)


class Answers:
    """What the database says, one after the other."""

    def __init__(self) -> None:
        self.coming: Iterator[Seen | Exception | None] = iter(())

    def look(self) -> Seen | None:
        found = next(self.coming)
        if isinstance(found, Exception):
            raise found
        return found


class Worker:
    """``evicted`` is what it was told to forget."""

    def __init__(self, *, is_blind: bool = False) -> None:
        self.answers = Answers()
        self.evicted: list[frozenset[Any] | None] = []
        self.validation = Validation(self.answers, self.evicted.append, is_blind=is_blind)

    def ask(self, *answers: Seen | Exception | None) -> list[int | None]:
        """Let as many requests come, one after the other, and return what each was told."""
        self.answers.coming = iter(answers)
        return [self._one() for _ in answers]

    def _one(self) -> int | None:
        told: AsyncResult = AsyncResult()
        self.validation.submit(told.set)
        found: int | None = told.get(timeout=10)
        return found


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    made.validation.start()
    yield made
    made.validation.close()


def test_what_was_touched_is_forgotten(worker: Worker) -> None:
    first, commit = Seen(3, None), Seen(3, (change("table.committed"),))
    assert worker.ask(first, None, commit) == [3, 3, 3]
    assert worker.evicted == [None, frozenset({("tabular", 7)})]


def test_everything_is_forgotten_when_rights_change(worker: Worker) -> None:
    assert worker.ask(Seen(3, None), Seen(4, (change("table.committed"),))) == [3, 4]
    assert worker.evicted == [None, None]


def test_everything_is_forgotten_when_the_database_does_not_say(worker: Worker) -> None:
    assert worker.ask(Seen(3, None), SnapshotUnknown("gone"), None) == [3, None, 3]
    assert worker.evicted == [None, None]


def test_nobody_waits_twice_for_a_silent_database(worker: Worker) -> None:
    """Who comes while it does not answer is told so with the others; who comes later makes it be asked again."""
    told: list[AsyncResult] = [AsyncResult(), AsyncResult()]

    def silent() -> None:
        worker.validation.submit(told[1].set)
        raise SnapshotUnknown("silent")

    worker.answers.look = silent
    worker.validation.submit(told[0].set)
    assert [each.get(timeout=10) for each in told] == [None, None]
    del worker.answers.look
    assert worker.ask(Seen(3, None)) == [3]


def test_what_is_not_understood_forgets_everything_and_stops_nobody(worker: Worker) -> None:
    """A rename that does not say where to."""
    nonsense = Seen(3, (change("table.renamed"),))
    assert worker.ask(Seen(3, None), nonsense, ValueError("?"), None) == [3, None, None, 3]
    assert worker.evicted == [None, None, None]


def test_a_blind_worker_forgets_nothing() -> None:
    worker = Worker(is_blind=True)
    worker.validation.start()
    assert worker.ask(Seen(3, None), Seen(4, (change("table.committed"),))) == [3, 4]
    assert worker.evicted == []
    worker.validation.close()
