"""What clients report about their scans and commits.

Requests only append to a buffer of their worker, so that neither a slow nor an absent database holds a client up.
"""

import time
import uuid
from typing import Any, NamedTuple

import msgspec

from app.catalog import tabulars
from app.catalog.context import Catalog, Warehouse
from app.catalog.kinds import TABLE
from app.db import Database
from app.db.row_buffer import RowBuffer
from app.identifiers import TableIdentifier
from app.observability.metrics import metrics

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


def report_buffer(db: Database) -> RowBuffer:
    """The reports of one worker that are not in the database yet."""
    return RowBuffer(db, "metric reports", "store_metric_reports", metrics.metric_reports_dropped)


def report_metrics(
    catalog: Catalog,
    buffer: RowBuffer,
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
