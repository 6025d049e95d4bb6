"""The named queries against the real schema: each is used, each can be prepared, none scans a table."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2.extensions
import pytest

from app.db.queries import load_queries
from tests.support.postgres import DatabaseAddress, Postgres

ROOT = Path(__file__).resolve().parents[2]
QUERIES = load_queries()
PARAMETER = re.compile(r"%\((\w+)\)s")
DATA = re.compile(r"^(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
LARGE = {"namespaces", "tabulars", "changes", "audit_events", "jobs", "metric_reports", "functions"}
# These read all there is, once at start-up or for the figures of a scrape.
WHOLE = {"count_entities", "count_namespaces", "count_tabulars"}


FILL = """
INSERT INTO warehouses (name, prefix, root_location) VALUES ('w', 'w', 'file:///w');
INSERT INTO namespaces (warehouse_id, levels, location) SELECT 1, ARRAY['n' || i], 'file:///w/' || i
FROM generate_series(1, 3000) i;
INSERT INTO namespaces (warehouse_id, parent_id, levels, location)
SELECT 1, i, ARRAY['n' || i, 'child'], 'file:///w/c' || i FROM generate_series(1, 3000) i;
INSERT INTO tabulars (
    warehouse_id, namespace_id, name, kind, uuid, location, location_key, metadata_location, document
)
SELECT 1, 1 + i % 6000, 't' || i, CASE WHEN i % 10 = 0 THEN 'view' ELSE 'table' END, gen_random_uuid(),
    'file:///w/t' || i, 'file:///w/t' || i, 'file:///w/t' || i || '/m', repeat('x', 1000)
FROM generate_series(1, 20000) i;
INSERT INTO changes (
    xid, commit_id, warehouse_id, action, object_kind, object_id, namespace, name, principal, request_id
)
SELECT (1000 + i)::text::xid8, gen_random_uuid(), 1, 'table.committed', 'table', i, ARRAY['n'], 't', 'anonymous', 'r'
FROM generate_series(1, 10000) i;
INSERT INTO functions (warehouse_id, namespace_id, name, uuid, document)
SELECT 1, 1 + i % 6000, 'f' || i, gen_random_uuid(), repeat('x', 1000) FROM generate_series(1, 10000) i;
INSERT INTO metric_reports (
    id, at, warehouse_id, table_id, namespace, name, report_type, principal, request_id, report
)
SELECT gen_random_uuid(), now() + make_interval(days => i % 8), 1, i % 100, ARRAY['n'], 't', 'scan-report', 'a', 'r',
    '{}'
FROM generate_series(1, 10000) i;
INSERT INTO audit_events (id, at, action, outcome, status, principal, principal_kind, request_id)
SELECT gen_random_uuid(), now() - make_interval(secs => i), 'access.denied', 'denied', 403, 'a', 'user', 'r'
FROM generate_series(1, 10000) i;
INSERT INTO jobs (kind, payload, status, heartbeat_at, finished_at)
SELECT 'purge', '{}', CASE WHEN i % 1000 = 0 THEN 'running' WHEN i % 100 = 0 THEN 'queued' ELSE 'completed' END,
    now(), now()
FROM generate_series(1, 10000) i;
"""

FOREIGN_KEYS_WITHOUT_INDEX = """
SELECT conrelid::regclass::text, conname FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype = 'f'
    AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1])
"""


@pytest.fixture(scope="module")
def session(template: DatabaseAddress, postgres: Postgres) -> Iterator[psycopg2.extensions.cursor]:
    """A session of the service's kind, in a database that holds something."""
    database = postgres.clone(template)
    with closing(database.connect()) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(FILL)
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("SET enable_seqscan = off")
            cursor.execute("SET plan_cache_mode = force_generic_plan")
            yield cursor
    postgres.drop(database)


def prepared(name: str) -> tuple[str, int]:
    """Return a query with numbered parameters, and how many there are."""
    numbers: dict[str, int] = {}
    text = PARAMETER.sub(lambda found: f"${numbers.setdefault(found[1], len(numbers) + 1)}", QUERIES[name])
    return text.replace("%%", "%"), len(numbers)


@pytest.mark.parametrize("name", [name for name, text in QUERIES.items() if DATA.match(text)])
def test_query_can_be_prepared_and_uses_indexes(session: psycopg2.extensions.cursor, name: str) -> None:
    text, count = prepared(name)
    session.execute(f"PREPARE {name} AS {text}")
    arguments = f"({', '.join(['NULL'] * count)})" if count else ""
    session.execute(f"EXPLAIN (FORMAT JSON) EXECUTE {name}{arguments}")
    row = session.fetchone()
    assert row is not None
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    session.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL")
    partial = {name for (name,) in session.fetchall()}
    scanned = {relation for relation in scans(plan[0]["Plan"], partial) if base_table(relation) in LARGE}
    assert not scanned or name in WHOLE, (name, scanned)


def scans(node: dict[str, object], partial: set[str]) -> Iterator[str]:
    """Yield the relations that a plan reads from end to end; a partial index holds only what is wanted."""
    unindexed = node["Node Type"] == "Seq Scan"
    whole_index = node["Node Type"] in {"Index Scan", "Index Only Scan"} and "Index Cond" not in node
    if unindexed or (whole_index and node["Index Name"] not in partial):
        yield str(node["Relation Name"])
    for child in node.get("Plans", []):  # type: ignore[attr-defined]
        yield from scans(child, partial)


def base_table(relation: str) -> str:
    return re.sub(r"_(default|[0-9]{8})$", "", relation)


def test_every_query_is_used() -> None:
    code = "\n".join(path.read_text() for path in sorted((ROOT / "app").rglob("*.py")))
    named = set(re.findall(r'"([a-z_0-9]+)"', code))
    assert set(QUERIES) - named == set()


def test_every_query_that_is_named_exists() -> None:
    calls = re.compile(r'\.(?:fetch_one|fetch_all|execute|queue)\(\s*"([a-z_0-9]+)"')
    code = [path.read_text() for path in sorted((ROOT / "app").rglob("*.py"))]
    named = {name for text in code for name in calls.findall(text)}
    assert named - set(QUERIES) == set()
    assert len(named) > 20


def test_no_sql_in_python() -> None:
    """Words of SQL inside string literals, but for what the transaction itself sends."""
    sql = re.compile(r'"(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|ALTER|DROP) [^"]*"')
    found = [
        (path.name, text)
        for path in sorted((ROOT / "app").rglob("*.py"))
        for text in sql.findall(path.read_text())
    ]
    assert found == []


def test_every_foreign_key_has_an_index(session: psycopg2.extensions.cursor) -> None:
    """Or else every drop of a parent would scan the children."""
    session.execute(FOREIGN_KEYS_WITHOUT_INDEX)
    assert session.fetchall() == []
