"""The audit's list over 100,000 entries: the usual questions are answered by indexes."""

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from typing import Any

import psycopg2.extensions
import pytest

from app.changes.trail import AuditFilter, Place, list_audit
from app.config import Settings
from app.db import Database
from app.db.queries import load_queries
from app.identifiers import Namespace
from tests.support.postgres import DatabaseAddress, Postgres

FILL = """
SELECT create_changes_partition(day), create_day_partition('audit_events', day)
FROM (SELECT (current_date - i)::date AS day FROM generate_series(1, 5) i) AS days;
INSERT INTO warehouses (name, prefix, root_location)
SELECT 'w' || i, 'w' || i, 'file:///w' || i FROM generate_series(1, 3) i;
INSERT INTO changes
    (at, commit_id, warehouse_id, action, object_kind, object_id, namespace, name, principal, address, request_id)
SELECT current_date - make_interval(secs => i * 8), gen_random_uuid(), 1 + i % 3,
    CASE WHEN i % 5000 = 0 THEN 'table.dropped' ELSE 'table.committed' END, 'table', i % 1000, ARRAY['n' || i % 100],
    't' || i % 1000, 'p' || i % 500, '10.0.0.' || i % 250, md5('c' || i)
FROM generate_series(1, 50000) i;
INSERT INTO audit_events
    (id, at, action, outcome, status, warehouse_id, namespace, name, principal, principal_kind, address, request_id)
SELECT gen_random_uuid(), current_date - make_interval(secs => i * 8), 'access.denied', 'denied', 403, 1 + i % 3,
    ARRAY['n' || i % 100], 't' || i % 1000, 'p' || i % 500, 'service', '10.0.0.' || i % 250, md5('e' || i)
FROM generate_series(1, 50000) i;
ANALYZE;
"""
DAY_US = 86_400_000_000


@pytest.fixture(scope="module")
def filled(template: DatabaseAddress, postgres: Postgres) -> Iterator[DatabaseAddress]:
    clone = postgres.clone(template)
    clone.query("DELETE FROM changes")  # of how the template was made
    clone.query(FILL)
    yield clone
    postgres.drop(clone)


@pytest.fixture
def db(filled: DatabaseAddress) -> Iterator[Database]:
    connected = Database(Settings.load(environ=filled.environment()), pool_size=1)
    yield connected
    connected.close()


class Explained:
    """A database that tells how it would answer."""

    def __init__(self, cursor: psycopg2.extensions.cursor) -> None:
        self.cursor = cursor

    def fetch_all(self, query: str, **parameters: Any) -> list[Any]:
        self.cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {load_queries()[query]}", parameters)
        row = self.cursor.fetchone()
        assert row is not None
        return row[0] if isinstance(row[0], list) else json.loads(row[0])


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


NOBODY = "nobody"
QUESTIONS = {
    "nothing": AuditFilter(),
    "actor": AuditFilter(actor="p7"),
    "unknown actor": AuditFilter(actor=NOBODY),
    "event type": AuditFilter(event_type="table.dropped"),
    "request": AuditFilter(request_id="6f1c0b9e4a3d4f5c8b7a695847362514"),
    "outcome": AuditFilter(outcome="denied"),
    "namespace": AuditFilter(warehouse="w2", namespace=Namespace(["n7"])),
    "table": AuditFilter(warehouse="w2", namespace=Namespace(["n7"]), name="t7"),
    "actor and outcome": AuditFilter(actor="p7", outcome="denied"),
}
# The planner may look through the newest entries until a page is full, or sort all of the namespace's.
WALKED = [QUESTIONS["namespace"]]


@pytest.mark.parametrize("wanted", QUESTIONS.values(), ids=QUESTIONS)
def test_no_table_is_read_from_end_to_end(filled: DatabaseAddress, wanted: AuditFilter) -> None:
    with closing(filled.connect()) as connection, connection.cursor() as cursor:
        plan = list_audit(Explained(cursor), wanted, None, 101)  # type: ignore[arg-type]
    for node in nodes(plan[0]["Plan"]):  # type: ignore[arg-type,call-overload]
        read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        whole = node["Node Type"] == "Seq Scan"
        assert not whole or read < 100, (node["Relation Name"], read)
        assert wanted in WALKED or read < 2_500, (node["Node Type"], node.get("Relation Name"), read)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (AuditFilter(), 100_000),
        (AuditFilter(actor="p7"), 200),
        (AuditFilter(event_type="table.dropped"), 10),
        (AuditFilter(outcome="success"), 50_000),
        (AuditFilter(name="t7", outcome="denied"), 50),
        (AuditFilter(address="10.0.0.9"), 400),
    ],
)
def test_pages_lead_through_everything(db: Database, wanted: AuditFilter, count: int) -> None:
    seen: set[str] = set()
    place, last = None, None
    while rows := list_audit(db, wanted, place, 5_000):
        seen.update(row.source + row.id for row in rows)
        assert all(earlier.at_us >= later.at_us for earlier, later in pairwise(rows))
        assert last is None or last >= rows[0].at_us
        last = rows[-1].at_us
        place = Place(rows[-1].at_us, rows[-1].source, rows[-1].id)
    assert len(seen) == count
