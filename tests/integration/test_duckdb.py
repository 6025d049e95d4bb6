"""The life of tables through DuckDB's SQL."""

from collections.abc import Iterator

import duckdb
import pytest

from tests.clients.duck import DuckDB, running_duckdb
from tests.factories import unique_name
from tests.support.server import TestServer


@pytest.fixture
def space(duck: DuckDB) -> Iterator[str]:
    """A schema of this test, current in DuckDB."""
    name = unique_name("ns")
    duck.rows(f"CREATE SCHEMA bingsan.{name}")
    duck.rows(f"USE bingsan.{name}")
    yield name
    duck.rows("USE memory")


@pytest.fixture
def numbers(duck: DuckDB, space: str) -> str:
    """A table of the numbers 0 to 4."""
    duck.rows("CREATE TABLE numbers AS SELECT range AS id, 'n' || range AS label FROM range(5)")
    return "numbers"


def ids(duck: DuckDB, table: str) -> list[int]:
    return [row[0] for row in duck.rows(f"SELECT id FROM {table} ORDER BY id")]


def commits(any_server: TestServer, space: str, table: str) -> int:
    loaded = any_server.client().get(f"/v1/namespaces/{space}/tables/{table}").json()
    return len(loaded["metadata"]["snapshots"])


def test_life_of_a_schema(duck: DuckDB) -> None:
    name = unique_name("ns")
    known = (
        "SELECT count(*) FROM information_schema.schemata WHERE catalog_name = 'bingsan' AND schema_name = "
    )
    duck.rows(f"CREATE SCHEMA bingsan.{name}")
    duck.rows(f"CREATE SCHEMA IF NOT EXISTS bingsan.{name}")
    with pytest.raises(duckdb.Error, match="already exists"):
        duck.rows(f"CREATE SCHEMA bingsan.{name}")
    assert duck.rows(f"{known}'{name}'") == [(1,)]

    duck.rows(f"DROP SCHEMA bingsan.{name}")
    assert duck.rows(f"{known}'{name}'") == [(0,)]
    with pytest.raises(duckdb.Error, match="does not exist"):
        duck.rows(f"DROP SCHEMA bingsan.{name}")


def test_schema_with_tables_is_not_dropped(duck: DuckDB, space: str, numbers: str) -> None:
    with pytest.raises(duckdb.Error, match="NamespaceNotEmptyException"):
        duck.rows(f"DROP SCHEMA bingsan.{space}")
    assert ids(duck, f"bingsan.{space}.numbers") == [0, 1, 2, 3, 4]


def test_nested_schema(duck: DuckDB, space: str, any_server: TestServer) -> None:
    duck.rows(f'CREATE SCHEMA bingsan."{space}.inner"')
    duck.rows(f'CREATE TABLE bingsan."{space}.inner".t AS SELECT 7 AS id')
    assert duck.rows(f'FROM bingsan."{space}.inner".t') == [(7,)]
    listed = any_server.client().get("/v1/namespaces", params={"parent": space}).json()
    assert listed["namespaces"] == [[space, "inner"]]


def test_create_table_as(duck: DuckDB, numbers: str) -> None:
    assert duck.rows("FROM numbers ORDER BY id LIMIT 2") == [(0, "n0"), (1, "n1")]
    with pytest.raises(duckdb.Error, match="already exists"):
        duck.rows("CREATE TABLE numbers (id BIGINT)")


def test_partitioned_table(duck: DuckDB, space: str) -> None:
    duck.rows("CREATE TABLE t (id BIGINT, day DATE) PARTITIONED BY (month(day))")
    duck.rows("INSERT INTO t SELECT range, DATE '2013-01-01' + 20 * range::INTEGER FROM range(6)")
    assert duck.rows("SELECT count(*), count(DISTINCT month(day)) FROM t WHERE day < DATE '2013-03-01'") == [
        (3, 2)
    ]


def test_update_delete_merge(duck: DuckDB, numbers: str) -> None:
    duck.rows("DELETE FROM numbers WHERE id >= 3")
    duck.rows("UPDATE numbers SET label = 'two' WHERE id = 2")
    duck.rows(
        "MERGE INTO numbers t USING (SELECT 1 AS id, 'one' AS label UNION ALL SELECT 9, 'nine') s ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET label = s.label WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.label)"
    )
    assert duck.rows("FROM numbers ORDER BY id") == [(0, "n0"), (1, "one"), (2, "two"), (9, "nine")]


def test_schema_evolution(duck: DuckDB, numbers: str) -> None:
    duck.rows("ALTER TABLE numbers ADD COLUMN score DOUBLE")
    duck.rows("ALTER TABLE numbers RENAME label TO title")
    duck.rows("INSERT INTO numbers VALUES (5, 'n5', 0.5)")
    assert duck.rows("SELECT id, title, score FROM numbers WHERE id > 3 ORDER BY id") == [
        (4, "n4", None),
        (5, "n5", 0.5),
    ]
    duck.rows("ALTER TABLE numbers DROP COLUMN title")
    assert duck.rows("SELECT * FROM numbers WHERE id = 5") == [(5, 0.5)]


def test_time_travel(duck: DuckDB, space: str, numbers: str) -> None:
    duck.rows("INSERT INTO numbers VALUES (5, 'n5')")
    history = f"SELECT snapshot_id FROM iceberg_snapshots(bingsan.{space}.numbers) ORDER BY sequence_number"
    ((first,), _) = duck.rows(history)
    assert ids(duck, f"numbers AT (VERSION => {first})") == [0, 1, 2, 3, 4]
    assert ids(duck, "numbers") == [0, 1, 2, 3, 4, 5]


def test_rename_and_drop(duck: DuckDB, space: str, numbers: str) -> None:
    duck.rows("ALTER TABLE numbers RENAME TO figures")
    assert duck.tables(space) == {"figures"}
    assert ids(duck, "figures") == [0, 1, 2, 3, 4]
    duck.rows("DROP TABLE figures")
    duck.rows("DROP TABLE IF EXISTS figures")
    assert duck.tables(space) == set()
    with pytest.raises(duckdb.Error, match="does not exist"):
        duck.rows("DROP TABLE figures")


def test_transaction_over_several_tables(
    duck: DuckDB, any_server: TestServer, space: str, numbers: str
) -> None:
    duck.rows("CREATE TABLE log AS SELECT 0 AS id")
    duck.rows("BEGIN")
    duck.rows("INSERT INTO numbers VALUES (5, 'n5'), (6, 'n6')")
    duck.rows("DELETE FROM numbers WHERE id = 0")
    duck.rows("INSERT INTO log VALUES (1)")
    with running_duckdb(any_server) as other:
        assert ids(other, f"bingsan.{space}.log") == [0]
    duck.rows("COMMIT")
    with running_duckdb(any_server) as other:
        assert ids(other, f"bingsan.{space}.numbers") == [1, 2, 3, 4, 5, 6]
        assert ids(other, f"bingsan.{space}.log") == [0, 1]


def test_rollback_leaves_nothing(duck: DuckDB, any_server: TestServer, space: str, numbers: str) -> None:
    before = commits(any_server, space, "numbers")
    duck.rows("BEGIN")
    duck.rows("INSERT INTO numbers VALUES (5, 'n5')")
    duck.rows("DELETE FROM numbers WHERE id = 1")
    duck.rows("ROLLBACK")
    assert ids(duck, "numbers") == [0, 1, 2, 3, 4]
    assert commits(any_server, space, "numbers") == before


def test_conflicting_transaction_changes_no_table(
    duck: DuckDB, any_server: TestServer, space: str, numbers: str
) -> None:
    duck.rows("CREATE TABLE log AS SELECT 0 AS id")
    duck.rows("BEGIN")
    duck.rows("DELETE FROM numbers WHERE id = 1")
    duck.rows("INSERT INTO log VALUES (1)")
    with running_duckdb(any_server) as other:
        other.rows(f"DELETE FROM bingsan.{space}.numbers WHERE id = 1")
    with pytest.raises(duckdb.Error):
        duck.rows("COMMIT")
    assert ids(duck, "numbers") == [0, 2, 3, 4]
    assert ids(duck, "log") == [0]


def test_foreign_names(duck: DuckDB, space: str) -> None:
    for name in ("plain", "a b", "a/b", "a%2Fb", "ä😀", "select", "a+b&c=d?e#f"):
        duck.rows(f'CREATE TABLE "{name}" AS SELECT 1 AS "{name}"')
        assert duck.rows(f'SELECT "{name}" FROM "{name}"') == [(1,)]
        duck.rows(f'DROP TABLE "{name}"')
    assert duck.tables(space) == set()
