"""The buffer of clients' reports on a real PostgreSQL."""

import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from app.catalog.metric_reports import report_buffer
from app.config import Settings
from app.db import Database
from app.db.row_buffer import BATCH, MOST_ROWS
from app.observability.metrics import metrics
from tests.support.postgres import DatabaseAddress
from tests.support.process import eventually


@pytest.fixture
def db(database: DatabaseAddress) -> Iterator[Database]:
    connected = Database(Settings.load(environ=database.environment()), pool_size=2)
    yield connected
    connected.close()


def row(number: int, **more: Any) -> bytes:
    values = {
        "id": str(uuid.uuid4()),
        "at_us": 1_700_000_000_000_000 + number,
        "warehouse_id": 1,
        "table_id": number,
        "namespace": ["n"],
        "name": "t",
        "report_type": "scan-report",
        "principal": "p",
        "request_id": "r",
        "report": {},
    }
    return msgspec.json.encode({**values, **more})


def count(database: DatabaseAddress) -> int:
    ((number,),) = database.query("SELECT count(*) FROM metric_reports")
    return int(number)


def dropped(reason: str) -> float:
    return metrics.metric_reports_dropped.values.get((reason,), 0)


def test_a_row_that_the_database_refuses_takes_no_other_with_it(
    db: Database, database: DatabaseAddress
) -> None:
    before, buffer = dropped("refused"), report_buffer(db)
    for number in range(BATCH + 10):
        buffer.add(row(number, id="no uuid") if number in {7, 300} else row(number))
    eventually(lambda: count(database) == BATCH + 8, 10, "all the others are stored")
    buffer.close()
    assert dropped("refused") == before + 2


def test_a_row_that_is_sent_again_is_stored_once(db: Database, database: DatabaseAddress) -> None:
    """The connection may break after the database has stored a batch and before it could say so."""
    buffer, again = report_buffer(db), row(1)
    buffer.add(again)
    buffer.add(again)
    buffer.close()
    assert count(database) == 1


def test_what_is_left_at_the_end_is_written(db: Database, database: DatabaseAddress) -> None:
    buffer = report_buffer(db)
    for number in range(5):
        buffer.add(row(number))
    buffer.close()
    assert count(database) == 5


def test_so_many_reports_wait_and_no_more(db: Database, database: DatabaseAddress) -> None:
    """A database that is away at the end costs reports, not the worker's end."""
    full, stopped, buffer = dropped("full"), dropped("stopped"), report_buffer(db)
    with database.connect() as lock, lock.cursor() as cursor:
        cursor.execute("LOCK TABLE metric_reports IN ACCESS EXCLUSIVE MODE")
        for number in range(MOST_ROWS + 3):
            buffer.add(row(number))
        assert dropped("full") == full + 3
        buffer.close()
        assert dropped("stopped") == stopped + MOST_ROWS
    lock.close()
    # Here the process goes on, and so does its last write.
    eventually(lambda: count(database) == MOST_ROWS, 20, "the last write is over")
