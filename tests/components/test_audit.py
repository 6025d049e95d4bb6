"""What one worker tells the audit, on a real PostgreSQL."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.changes.audit import Audit, AuditEvent, AuditObject, level_of, record_issued
from app.changes.origin import Origin
from app.config import Settings
from app.config.settings import AuditSettings
from app.db import Database, DatabaseUnavailable
from app.db.row_buffer import BATCH, MOST_ROWS
from app.observability.metrics import metrics
from tests.support.postgres import DatabaseAddress
from tests.support.process import eventually

ORIGIN = Origin(
    principal="anna",
    principal_id=7,
    principal_kind="user",
    credential="key:3",
    address="192.0.2.1",
    user_agent="engine/1",
    request_id="r-1",
)
TABLE = AuditObject("table", 11, 2, ("a", "b"), "t")


@pytest.fixture
def db(database: DatabaseAddress) -> Iterator[Database]:
    connected = Database(Settings.load(environ=database.environment()), pool_size=2)
    yield connected
    connected.close()


def event(**more: Any) -> AuditEvent:
    values = {"action": "access.denied", "outcome": "denied", "status": 403, "level": "all", "origin": ORIGIN}
    return AuditEvent(**{**values, **more})


def count(database: DatabaseAddress) -> int:
    ((number,),) = database.query("SELECT count(*) FROM audit_events")
    return int(number)


def dropped(reason: str) -> float:
    return metrics.audit_events_dropped.values.get((reason,), 0)


def test_an_event_is_stored_whole(db: Database, database: DatabaseAddress) -> None:
    audit = Audit(db, AuditSettings())
    more = {"privilege": "drop", "operation": "DELETE /x", "details": {"message": "no", "client_secret": "s"}}
    audit.note(event(on=TABLE, **more))
    audit.close()
    query = """SELECT action, outcome, status, operation, privilege, warehouse_id, object_kind, object_id, namespace,
        name, details::jsonb, principal, principal_id, principal_kind, credential, address, user_agent, request_id,
        now() - at < interval '1 minute' FROM audit_events"""
    assert database.query(query) == [
        (
            *("access.denied", "denied", 403, "DELETE /x", "drop", 2, "table", 11, ["a", "b"], "t"),
            *({"message": "no", "client_secret": "***"}, "anna", 7, "user", "key:3", "192.0.2.1", "engine/1"),
            *("r-1", True),
        )
    ]


def test_a_burst_is_stored_in_batches(db: Database, database: DatabaseAddress) -> None:
    audit = Audit(db, AuditSettings())
    for _ in range(BATCH * 2 + 10):
        audit.note(event())
    eventually(lambda: count(database) == BATCH * 2 + 10, 10, "all are stored")
    audit.close()


def test_so_many_wait_and_no_more(db: Database, database: DatabaseAddress) -> None:
    full, stopped = dropped("full"), dropped("stopped")
    audit = Audit(db, AuditSettings())
    with database.connect() as lock, lock.cursor() as cursor:
        cursor.execute("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE")
        for _ in range(MOST_ROWS + 3):
            audit.note(event())
        assert dropped("full") == full + 3
        audit.close()
        assert dropped("stopped") == stopped + MOST_ROWS
    lock.close()
    # Here the process goes on, and so does its last write.
    eventually(lambda: count(database) == MOST_ROWS, 20, "the last write is over")


def test_an_issued_credential_is_stored_before_it_leaves(db: Database, database: DatabaseAddress) -> None:
    record_issued(db, AuditSettings(), event(action="token.issued", outcome="success", status=200))
    assert database.query("SELECT action, outcome FROM audit_events") == [("token.issued", "success")]


def test_without_the_database_no_credential_leaves(database: DatabaseAddress) -> None:
    environment = {**database.environment(), "ICEBERG_DATABASE_STATEMENT_TIMEOUT": "300ms"}
    db = Database(Settings.load(environ=environment), pool_size=1)
    with database.connect() as lock, lock.cursor() as cursor:
        cursor.execute("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseUnavailable):
            record_issued(db, AuditSettings(), event(action="token.issued", outcome="success", status=200))
    lock.close()
    db.close()


@pytest.mark.parametrize(
    ("settings", "stored"),
    [
        (AuditSettings(), ["read-data", "write-data", "administer", None]),
        (AuditSettings(log_level="write"), ["write-data", "administer", None]),
        (AuditSettings(log_level="manage"), ["administer"]),
        (AuditSettings(enabled=False), []),
    ],
    ids=["all", "write", "manage", "off"],
)
def test_what_the_settings_want(
    db: Database, database: DatabaseAddress, settings: AuditSettings, stored: list[str | None]
) -> None:
    audit = Audit(db, settings)
    privileges = ["read-data", "write-data", "administer", None]
    for privilege in privileges:
        audit.note(event(privilege=privilege, level=level_of(privilege)))
    audit.close()
    assert [row[0] for row in database.query("SELECT privilege FROM audit_events ORDER BY at")] == stored
    database.query("TRUNCATE audit_events")
    for privilege in privileges:
        record_issued(db, settings, event(privilege=privilege, level=level_of(privilege)))
    assert [row[0] for row in database.query("SELECT privilege FROM audit_events ORDER BY at")] == stored
