"""What clients report about their scans and commits.

Requests only append to a buffer of their worker; a thread of its own writes it to the database, so that neither a slow
nor an absent database holds a client up.
"""

import threading
import time
import uuid
from collections import deque
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from app.catalog import tabulars
from app.catalog.context import Catalog, Warehouse
from app.catalog.kinds import TABLE
from app.db import Database, DatabaseUnavailable
from app.identifiers import TableIdentifier
from app.observability.logs import get_logger
from app.observability.metrics import metrics

log = get_logger(__name__)

INTERVAL = 0.5
"""Seconds between two writes."""
MOST_REPORTS, MOST_BYTES = 10_000, 8 << 20
"""What one worker keeps while the database does not take it."""
BATCH = 500
CLOSING_SECONDS = 1.5
_FIRST_US, _LAST_US = 0, 253_402_300_799_000_000
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class Report(NamedTuple):
    """A report as it was sent: ``body`` is its JSON text."""

    report_type: str
    snapshot_id: int | None
    body: bytes


class StoredReport(NamedTuple):
    """``at_us`` are microseconds since the epoch, ``report`` is JSON text."""

    id: str
    at_us: int
    report_type: str
    snapshot_id: int | None
    principal: str
    request_id: str
    report: str


class ReportFilter(NamedTuple):
    """Which reports to list: of one type, between two times (microseconds since the epoch, inclusive)."""

    report_type: str | None = None
    since_us: int | None = None
    until_us: int | None = None


class ReportBuffer:
    """The reports of one worker that are not in the database yet. Full, it counts what it cannot take."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._writing = threading.Lock()

    def add(self, row: bytes) -> None:
        """Take a row (a JSON object) unless the buffer is full."""
        if len(self._waiting) >= MOST_REPORTS or self._bytes + len(row) > MOST_BYTES:
            metrics.metric_reports_dropped.inc("full")
            return
        self._bytes += len(row)
        self._waiting.append(row)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="metric-reports", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write what is left, within ``CLOSING_SECONDS``; what the database does not take by then is lost."""
        self._stopped.set()
        last = threading.Thread(target=self._write_all, name="metric-reports-end", daemon=True)
        last.start()
        last.join(CLOSING_SECONDS)
        if self._waiting:
            log.warning("metric reports lost", count=len(self._waiting))
            metrics.metric_reports_dropped.inc("stopped", by=len(self._waiting))

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL):
            self._write_all()

    def _write_all(self) -> None:
        with self._writing:
            try:
                while self._waiting:
                    self._write_batch(list(islice(self._waiting, BATCH)))
            except DatabaseUnavailable as error:
                log.debug(
                    "metric reports wait for the database", error=error.message, count=len(self._waiting)
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
            self._db.execute("store_metric_reports", reports=(b"[" + b",".join(rows) + b"]").decode())
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a row, the others are good
            if len(rows) == 1:
                log.warning("metric report refused by the database", error=error)
                metrics.metric_reports_dropped.inc("refused")
                return
            self._store(rows[: len(rows) // 2])
            self._store(rows[len(rows) // 2 :])


def report_metrics(
    catalog: Catalog,
    buffer: ReportBuffer,
    warehouse: Warehouse,
    table: TableIdentifier,
    report: Report,
    *,
    principal: str,
    request_id: str,
) -> None:
    """Have a report stored soon.

    :raises NoSuchTableException: when the table, or its namespace, does not exist
    """
    row = tabulars.fetch(catalog, warehouse, "table_exists", TABLE, table)
    stored: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "at_us": time.time_ns() // 1000,
        "warehouse_id": warehouse.id,
        "table_id": row.id,
        "namespace": table.namespace,
        "name": table.name,
        "report_type": report.report_type,
        "snapshot_id": report.snapshot_id,
        "principal": principal,
        "request_id": request_id,
        "report": msgspec.Raw(report.body),
    }
    buffer.add(msgspec.json.encode(stored))


def list_reports(
    catalog: Catalog,
    warehouse: Warehouse,
    table: TableIdentifier,
    wanted: ReportFilter,
    after: tuple[int, str] | None,
    limit: int,
) -> list[StoredReport]:
    """Return stored reports about a table, newest first, behind the one with this time and id.

    :raises NoSuchTableException: when the table, or its namespace, does not exist
    """
    row = tabulars.fetch(catalog, warehouse, "table_exists", TABLE, table)
    after_us, after_id = after or (_LAST_US, _LAST_ID)
    rows = catalog.db.fetch_all(
        "list_metric_reports",
        table_id=row.id,
        report_type=wanted.report_type,
        since_us=_FIRST_US if wanted.since_us is None else wanted.since_us,
        until_us=_LAST_US if wanted.until_us is None else wanted.until_us,
        after_us=after_us,
        after_id=after_id,
        limit=limit,
    )
    return [StoredReport(*found) for found in rows]
