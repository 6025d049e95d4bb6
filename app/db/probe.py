"""Is the database there? Asked on a connection of its own, so that a busy pool does not look like an outage."""

import threading
import time

import psycopg2

from app.config import Settings
from app.db import connection as connections
from app.db.connection import Connection
from app.db.errors import QueryTimedOut
from app.db.queries import load_queries

PROBE_SECONDS = 0.08
QUESTION_SECONDS = 2.0


class Question:
    """One question under way; everybody who asks meanwhile waits for it."""

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.alive = False


class Probe:
    """Answers within a tenth of a second, also when the server is frozen. Concurrent callers share one question.

    A worker that is short of processor time is no outage: while a question takes longer than that, what the
    last one found counts, for as long as it is younger than ``QUESTION_SECONDS``.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._query = load_queries()["ping"]
        self._lock = threading.Lock()
        self._question: Question | None = None
        self._connection: Connection | None = None
        self._last_alive = -QUESTION_SECONDS

    def is_alive(self) -> bool:
        """Whether the database answers; at worst as it was two seconds ago."""
        with self._lock:
            question = self._question
            if question is None:
                question = self._question = Question()
                threading.Thread(target=self._ask, args=(question,), daemon=True).start()
        if question.answered.wait(PROBE_SECONDS):
            return question.alive
        return time.monotonic() - self._last_alive < QUESTION_SECONDS

    def _ask(self, question: Question) -> None:
        try:
            self._ping()
        except (psycopg2.Error, QueryTimedOut):
            self.close()
        else:
            self._last_alive = time.monotonic()
            question.alive = True
        finally:
            with self._lock:
                self._question = None
            question.answered.set()

    def _ping(self) -> None:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.deadline = time.monotonic() + QUESTION_SECONDS
        with self._connection.cursor() as cursor:
            cursor.execute(self._query)

    def _connect(self) -> Connection:
        return connections.connect(
            self._settings.database,
            application_name="bingsan probe",
            lock_timeout=0,
            seconds=QUESTION_SECONDS,
        )

    def close(self) -> None:
        """Drop the probe's connection; the next question opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
