"""When API keys were last used: noted in memory, written now and then."""

import threading
import time

from app.db import Database, DatabaseUnavailable
from app.observability.logs import get_logger

log = get_logger(__name__)
INTERVAL = 2.0
"""Seconds between two writes."""
CLOSING_SECONDS = 1.0


class LastUsed:
    """The keys that one worker saw since it last wrote; at most one entry for each."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._seen: dict[int, float] = {}
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, key_id: int) -> None:
        """A key is used now."""
        self._seen[key_id] = time.time()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="last-used", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write what is left, within ``CLOSING_SECONDS``."""
        self._stopped.set()
        last = threading.Thread(target=self._write, name="last-used-end", daemon=True)
        last.start()
        last.join(CLOSING_SECONDS)

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL):
            self._write()

    def _write(self) -> None:
        seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            self._db.execute("note_used_keys", ids=list(seen), times=list(seen.values()))
        except DatabaseUnavailable as error:
            self._seen = seen | self._seen
            log.debug("use of keys waits for the database", error=error.message, count=len(seen))
