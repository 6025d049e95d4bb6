"""The life of schemas, tables and views through Trino's SQL."""

import pytest
from trino.exceptions import TrinoExternalError, TrinoUserError

from tests.clients.trino import Trino
from tests.factories import unique_name
from tests.support.process import eventually
from tests.support.server import TestServer

FOREIGN = ["a b", "a/b", "a%2fb", "größe 你好", "a+b&c=d", "select", "'"]


@pytest.fixture
def space(trino: Trino) -> str:
    """A schema of this test, current in Trino."""
    name = unique_name("ns")
    trino.rows(f"CREATE SCHEMA {trino.catalog}.{name}")
    trino.rows(f"USE {trino.catalog}.{name}")
    return name


@pytest.fixture
def numbers(trino: Trino, space: str) -> str:
    """A table of the numbers 0 to 4."""
    trino.rows(
        "CREATE TABLE numbers AS SELECT id, 'n' || CAST(id AS VARCHAR) AS label FROM UNNEST(sequence(0, 4)) t(id)"
    )
    return "numbers"


def ids(trino: Trino, table: str) -> list[int]:
    return [row[0] for row in trino.rows(f"SELECT id FROM {table} ORDER BY id")]


def schemas(trino: Trino) -> set[str]:
    return {name for (name,) in trino.rows(f"SHOW SCHEMAS FROM {trino.catalog}")}


def test_life_of_a_schema(trino: Trino) -> None:
    name = unique_name("ns")
    trino.rows(f"CREATE SCHEMA {name}")
    trino.rows(f"CREATE SCHEMA IF NOT EXISTS {name}")
    with pytest.raises(TrinoUserError, match="already exists"):
        trino.rows(f"CREATE SCHEMA {name}")
    assert name in schemas(trino)
    trino.rows(f"DROP SCHEMA {name}")
    assert name not in schemas(trino)
    with pytest.raises(TrinoUserError, match="does not exist"):
        trino.rows(f"DROP SCHEMA {name}")


def test_schema_with_tables_is_not_dropped_unless_told_so(trino: Trino, space: str, numbers: str) -> None:
    with pytest.raises(TrinoUserError, match="non-empty schema"):
        trino.rows(f"DROP SCHEMA {space}")
    trino.rows("CREATE VIEW v AS SELECT id FROM numbers")
    trino.rows(f"DROP SCHEMA {space} CASCADE")
    assert space not in schemas(trino)


def test_nested_namespaces(trino: Trino, space: str, any_server: TestServer) -> None:
    trino.rows(f'CREATE SCHEMA "{space}.inner"')
    trino.rows(f'CREATE TABLE "{space}.inner".t AS SELECT 7 AS id')
    trino.rows(f'CREATE VIEW "{space}.inner".v AS SELECT id + 1 AS id FROM "{space}.inner".t')
    assert schemas(trino) >= {space, f"{space}.inner"}
    assert trino.tables(f"{space}.inner") == {"t", "v"}
    assert ids(trino, f'"{space}.inner".v') == [8]
    listed = any_server.client().get("/v1/namespaces", params={"parent": space}).json()
    assert listed["namespaces"] == [[space, "inner"]]


def test_create_and_insert(trino: Trino, space: str) -> None:
    trino.rows(
        "CREATE TABLE t (id BIGINT NOT NULL COMMENT 'größe', day DATE, at TIMESTAMP(6) WITH TIME ZONE,"
        " tags ARRAY(VARCHAR)) COMMENT 'all of it'"
        " WITH (partitioning = ARRAY['month(day)', 'bucket(id, 4)'], sorted_by = ARRAY['id'])"
    )
    trino.rows(
        "INSERT INTO t VALUES (1, DATE '2013-01-01', TIMESTAMP '2013-01-01 10:00:00 UTC', ARRAY['a', NULL])"
    )
    trino.rows("INSERT INTO t SELECT id + 1, day + INTERVAL '40' DAY, at, tags FROM t")
    assert trino.rows("SELECT id, day, tags FROM t WHERE day > DATE '2013-02-01'")[0][0] == 2
    assert trino.rows('SELECT count(*) FROM "t$partitions"') == [(2,)]
    (shown,) = trino.rows("SHOW CREATE TABLE t")[0]
    assert "month(day)" in shown
    assert "all of it" in shown
    with pytest.raises(TrinoUserError, match="already exists"):
        trino.rows("CREATE TABLE t (id BIGINT)")


def test_create_table_as_and_replace(trino: Trino, numbers: str) -> None:
    assert trino.rows("SELECT * FROM numbers ORDER BY id LIMIT 2") == [(0, "n0"), (1, "n1")]
    trino.rows("CREATE OR REPLACE TABLE numbers AS SELECT id, 2 * id AS twice FROM numbers WHERE id > 2")
    assert trino.rows("SELECT * FROM numbers ORDER BY id") == [(3, 6), (4, 8)]
    trino.rows("CREATE OR REPLACE TABLE fresh AS SELECT 1 AS id")
    assert ids(trino, "fresh") == [1]


def test_merge_update_delete(trino: Trino, numbers: str) -> None:
    trino.rows("DELETE FROM numbers WHERE id >= 3")
    trino.rows("UPDATE numbers SET label = 'two' WHERE id = 2")
    trino.rows(
        "MERGE INTO numbers t USING (VALUES (0, 'gone'), (1, 'one'), (9, 'nine')) s(id, label) ON t.id = s.id"
        " WHEN MATCHED AND s.label = 'gone' THEN DELETE WHEN MATCHED THEN UPDATE SET label = s.label"
        " WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.label)"
    )
    assert trino.rows("SELECT * FROM numbers ORDER BY id") == [(1, "one"), (2, "two"), (9, "nine")]


def test_schema_evolution(trino: Trino, numbers: str) -> None:
    trino.rows("ALTER TABLE numbers ADD COLUMN score DOUBLE")
    trino.rows("ALTER TABLE numbers RENAME COLUMN label TO title")
    trino.rows("ALTER TABLE numbers SET PROPERTIES partitioning = ARRAY['bucket(id, 2)']")
    trino.rows("INSERT INTO numbers VALUES (5, 'n5', 0.5)")
    assert trino.rows("SELECT * FROM numbers WHERE id > 3 ORDER BY id") == [(4, "n4", None), (5, "n5", 0.5)]
    trino.rows("ALTER TABLE numbers DROP COLUMN title")
    assert trino.rows("SELECT * FROM numbers WHERE id = 5") == [(5, 0.5)]


def test_history_and_maintenance(trino: Trino, numbers: str) -> None:
    trino.rows("INSERT INTO numbers VALUES (5, 'n5')")
    ((first,), _) = trino.rows('SELECT snapshot_id FROM "numbers$snapshots" ORDER BY committed_at')
    assert ids(trino, f"numbers FOR VERSION AS OF {first}") == [0, 1, 2, 3, 4]
    trino.rows("ALTER TABLE numbers EXECUTE optimize")
    trino.rows("ANALYZE numbers")
    trino.rows(f"ALTER TABLE numbers EXECUTE rollback_to_snapshot({first})")
    assert ids(trino, "numbers") == [0, 1, 2, 3, 4]


def test_views(trino: Trino, space: str, numbers: str) -> None:
    trino.rows("CREATE VIEW v COMMENT 'größe' AS SELECT id FROM numbers WHERE id > 2")
    assert ids(trino, "v") == [3, 4]
    with pytest.raises(TrinoUserError, match="already exists"):
        trino.rows("CREATE VIEW v AS SELECT 1 AS one")
    trino.rows("CREATE OR REPLACE VIEW v AS SELECT id, label FROM numbers WHERE id = 1")
    assert trino.rows("SELECT * FROM v") == [(1, "n1")]
    trino.rows("ALTER VIEW v RENAME TO w")
    assert trino.tables(space) == {"numbers", "w"}
    trino.rows("DROP VIEW w")
    assert trino.tables(space) == {"numbers"}


def test_rename(trino: Trino, space: str, numbers: str) -> None:
    other = unique_name("ns")
    trino.rows(f"CREATE SCHEMA {other}")
    trino.rows(f"ALTER TABLE numbers RENAME TO {other}.figures")
    assert trino.tables(space) == set()
    assert ids(trino, f"{other}.figures") == [0, 1, 2, 3, 4]


def test_drop_deletes_the_files(trino: Trino, space: str, numbers: str, any_server: TestServer) -> None:
    def files() -> list[str]:
        return [file for file in any_server.warehouse.files() if f"/{space}/" in file]

    assert files()
    trino.rows("DROP TABLE numbers")
    assert trino.tables(space) == set()
    with pytest.raises(TrinoUserError, match="does not exist"):
        trino.rows("DROP TABLE numbers")
    trino.rows("DROP TABLE IF EXISTS numbers")
    eventually(lambda: not [f for f in files() if not f.endswith(".crc")], 20, "the files are purged")


def test_name_that_no_location_can_hold_is_refused(trino: Trino, space: str) -> None:
    with pytest.raises(TrinoExternalError, match="create"):
        trino.rows('CREATE TABLE "who?" AS SELECT 1 AS one')  # Trino puts the name into the location
    assert trino.tables(space) == set()


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_names(trino: Trino, space: str, name: str) -> None:
    trino.rows(f'CREATE TABLE "{name}" AS SELECT 1 AS "{name}"')
    assert trino.rows(f'SELECT "{name}" FROM "{name}"') == [(1,)]
    assert trino.tables(space) == {name}
    trino.rows(f'DROP TABLE "{name}"')
    assert trino.tables(space) == set()
