"""Rows of the queue: put in with the caller's transaction, claimed by one worker at a time.

A job runs at least once: it may run again after its worker died or was cut off, so handlers are idempotent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from app.db import Database, Transaction


class JobInterrupted(Exception):
    """The worker stops, or another one has taken the job over: end now, somebody will run it again."""


class JobFailed(Exception):
    """The handler knows that another attempt would come to nothing; its text is for people."""


def enqueue(tx: Transaction, kind: str, payload: Mapping[str, Any], run_at: datetime | None = None) -> int:
    """Put a job into the queue when ``tx`` commits, and return its id.

    :param payload: JSON object that the handler of ``kind`` understands
    :param run_at: not before this time; without it as soon as a worker is free
    """
    row = tx.fetch_one("enqueue_job", kind=kind, payload=msgspec.json.encode(payload).decode(), run_at=run_at)
    return int(row.id)


def delete_finished(db: Database, age: float) -> int:
    """Delete rows of jobs that ended more than ``age`` seconds ago and return how many."""
    return db.execute("delete_finished_jobs", age=age)


@dataclass
class Job:
    """One attempt at a job, as its handler sees it."""

    db: Database
    owner: str
    id: int
    kind: str
    payload: dict[str, Any]
    attempts: int
    progress: dict[str, Any]
    stopping: Callable[[], bool]
    lost: bool = False

    @classmethod
    def from_row(cls, db: Database, owner: str, row: Any, stopping: Callable[[], bool]) -> "Job":
        payload, progress = (msgspec.json.decode(text or "{}") for text in (row.payload, row.progress))
        return cls(db, owner, row.id, row.kind, payload, row.attempts, progress, stopping)

    def check(self) -> None:
        """Call between steps.

        :raises JobInterrupted: when the handler must end now
        """
        if self.lost or self.stopping():
            raise JobInterrupted(f"job {self.id} is interrupted")

    def report(self, tx: Transaction | None = None, /, **progress: Any) -> None:
        """Save how far the job is, for people and for its next attempt; includes :meth:`check`.

        :param tx: save it with what this transaction does, which only the job's owner can then commit
        :raises JobInterrupted: when the handler must end now
        """
        self.check()
        text = msgspec.json.encode(progress).decode()
        if (tx or self.db).execute("save_job_progress", progress=text, **self._key()) != 1:
            self.lost = True
            self.check()
        self.progress = progress

    def finish(self, status: str, message: str | None, period: float | None = None) -> bool:
        """End as ``completed`` or ``failed``; a periodic one is due again after ``period`` seconds.

        False when the job is no longer ours.
        """
        row = self.db.fetch_one("finish_job", status=status, message=message, period=period, **self._key())
        return bool(row.rows == 1)

    def retry(self, message: str, delay: float) -> bool:
        """Have it run again after ``delay`` seconds. False when the job is no longer ours."""
        return self._update("retry_job", message=message, delay=delay)

    def hand_back(self) -> bool:
        """Let any worker run it now; this attempt does not count. False when the job is no longer ours."""
        return self._update("hand_back_job")

    def _update(self, query: str, **parameters: Any) -> bool:
        return self.db.execute(query, **self._key(), **parameters) == 1

    def _key(self) -> dict[str, Any]:
        return {"id": self.id, "owner": self.owner, "attempts": self.attempts}
