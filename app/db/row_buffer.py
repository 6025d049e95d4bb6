"""Rows that a request need not wait for: kept by the worker, written in batches by a thread of its own."""

import threading
from collections import deque
from itertools import islice

from app.db.database import Database
from app.db.errors import DatabaseUnavailable
from app.observability.logs import get_logger
from app.observability.metrics import Counter

log = get_logger(__name__)

INTERVAL = 0.5
"""Seconds between two writes."""
MOST_ROWS, MOST_BYTES = 10_000, 8 << 20
"""What one worker keeps while the database does not take it."""
BATCH = 500
CLOSING_SECONDS = 1.5


class RowBuffer:
    """Rows of one worker that are not in the database yet. Full, it counts and tells of what it cannot take.

    :param what: what the rows are, in the plural, for the log
    :param query: its parameter ``rows`` is a JSON array; a row that is stored already it must leave alone
    :param dropped: counts by the reason: ``full``, ``refused`` by the database, ``stopped`` without a database
    """

    def __init__(self, db: Database, what: str, query: str, dropped: Counter) -> None:
        self._db = db
        self._what = what
        self._query = query
        self._dropped = dropped
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._untold = 0
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._writing = threading.Lock()

    def add(self, row: bytes) -> None:
        """Take a row (a JSON object) unless the buffer is full."""
        if len(self._waiting) >= MOST_ROWS or self._bytes + len(row) > MOST_BYTES:
            self._dropped.inc("full")
            self._untold += 1
            return
        self._bytes += len(row)
        self._waiting.append(row)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._what, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write what is left, within ``CLOSING_SECONDS``; what the database does not take by then is lost."""
        self._stopped.set()
        last = threading.Thread(target=self._write_all, name=f"{self._what}, the last", daemon=True)
        last.start()
        last.join(CLOSING_SECONDS)
        self._tell_of_refused()
        if self._waiting:
            log.warning(f"{self._what} lost", count=len(self._waiting), reason="the database is away")
            self._dropped.inc("stopped", by=len(self._waiting))

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL):
            self._write_all()
            self._tell_of_refused()

    def _tell_of_refused(self) -> None:
        untold, self._untold = self._untold, 0
        if untold:
            log.warning(f"{self._what} lost", count=untold, reason="the buffer is full")

    def _write_all(self) -> None:
        with self._writing:
            try:
                while self._waiting:
                    self._write_batch(list(islice(self._waiting, BATCH)))
            except DatabaseUnavailable as error:
                log.debug(
                    f"{self._what} wait for the database", error=error.message, count=len(self._waiting)
                )

    def _write_batch(self, rows: list[bytes]) -> None:
        self._store(rows)
        for row in rows:
            self._waiting.popleft()
            self._bytes -= len(row)

    def _store(self, rows: list[bytes]) -> None:
        """Write rows; those that the database refuses for themselves are dropped, the others are not.

        :raises DatabaseUnavailable: when nothing can be written now
        """
        try:
            self._db.execute(self._query, rows=(b"[" + b",".join(rows) + b"]").decode())
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a row, the others are good
            if len(rows) == 1:
                log.warning(f"one of the {self._what} refused by the database", error=error)
                self._dropped.inc("refused")
                return
            self._store(rows[: len(rows) // 2])
            self._store(rows[len(rows) // 2 :])
