"""What became visible in the database since one looked last, asked on a connection of its own.

Two equal snapshots (``pg_current_snapshot()``) mean that nothing was committed between them. When they differ, the rows
of the change log that only the newer one sees are what happened: every mutation writes one in its own transaction.
"""

import time
from typing import Any, NamedTuple

import msgspec
import psycopg2

from app.config import Settings
from app.db import connection as connections
from app.db.connection import Connection
from app.db.errors import QueryTimedOut
from app.db.queries import load_queries

QUESTION_SECONDS = 5.0
MOST_CHANGES = 2_000
MOST_IDLE_SECONDS = 600.0
"""The change log is pruned by age: who has not looked for long starts anew."""


class SnapshotUnknown(Exception):
    """The database did not say. What was known of it may not hold any more."""


class ChangeRow(msgspec.Struct, frozen=True):
    """A row of the change log, as far as it tells what it touched."""

    action: str
    warehouse_id: int | None
    object_id: int
    namespace: tuple[str, ...]
    name: str | None
    details: dict[str, Any]


class Seen(NamedTuple):
    """What is new; ``changes`` is None when it is not known what changed, so that anything may have."""

    security_version: int
    changes: tuple[ChangeRow, ...] | None


_decode_changes = msgspec.json.Decoder(tuple[ChangeRow, ...]).decode


class Snapshots:
    """One worker's view of what has been committed. One caller at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: Connection | None = None
        self._seen: str | None = None
        self._looked_at = 0.0
        queries = load_queries()
        self._prepare = [
            "PREPARE read_snapshot AS " + queries["read_snapshot"],
            "PREPARE read_changes_since(text, int) AS "
            + queries["read_changes_since"] % {"seen": "$1", "limit": "$2"},
        ]

    def look(self) -> Seen | None:
        """Return what was committed since the last look; None when that is nothing.

        :raises SnapshotUnknown: when the database cannot say; the next look starts anew
        """
        try:
            return self._look()
        except (psycopg2.Error, QueryTimedOut) as error:
            self.close()
            raise SnapshotUnknown(str(error).strip()) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Forget everything; the next look opens a connection."""
        connection, self._connection, self._seen = self._connection, None, None
        if connection is not None:
            connection.close()

    def _look(self) -> Seen | None:
        now = time.monotonic()
        if now - self._looked_at > MOST_IDLE_SECONDS:
            self._seen = None
        self._looked_at = now
        if self._connection is None:
            self._connection = self._connect()
        if self._seen is not None and self._ask("EXECUTE read_snapshot")[0] == self._seen:
            return None
        before = self._seen
        snapshot, version, changes = self._ask(
            "EXECUTE read_changes_since(%s, %s)", before or "1:1:", MOST_CHANGES if before else 0
        )
        self._seen = snapshot
        rows = _decode_changes(changes)
        is_known = before is not None and len(rows) < MOST_CHANGES and _xmax(snapshot) >= _xmax(before)
        return Seen(version, rows if is_known else None)

    def _ask(self, statement: str, *parameters: object) -> Any:
        assert self._connection is not None
        self._connection.deadline = time.monotonic() + QUESTION_SECONDS
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchone()

    def _connect(self) -> Connection:
        connection = connections.connect(
            self._settings.database,
            application_name="bingsan validation",
            lock_timeout=0,
            seconds=QUESTION_SECONDS,
        )
        self._connection = connection
        with connection.cursor() as cursor:
            for statement in self._prepare:
                cursor.execute(statement)
        return connection


def _xmax(snapshot: str) -> int:
    return int(snapshot.split(":")[1])
