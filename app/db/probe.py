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


class Probe:
    """Answers within a tenth of a second, also when the server is frozen. Concurrent callers share one question."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._query = load_queries()["ping"]
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._asked_at = 0.0
        self._alive = False

    def is_alive(self) -> bool:
        """Whether the database answered a question that was sent after this call, or at most 50 ms before it."""
        if not self._lock.acquire(timeout=PROBE_SECONDS):
            return False
        try:
            now = time.monotonic()
            if now - self._asked_at > 0.05:
                self._alive = self._ask()
                self._asked_at = now
            return self._alive
        finally:
            self._lock.release()

    def _ask(self) -> bool:
        try:
            connection = self._connection or self._connect()
            connection.deadline = time.monotonic() + PROBE_SECONDS
            with connection.cursor() as cursor:
                cursor.execute(self._query)
        except (psycopg2.Error, QueryTimedOut):
            self.close()
            return False
        self._connection = connection
        return True

    def _connect(self) -> Connection:
        return connections.connect(
            self._settings.database, application_name="bingsan probe", lock_timeout=0, seconds=PROBE_SECONDS
        )

    def close(self) -> None:
        """Drop the probe's connection; the next question opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
