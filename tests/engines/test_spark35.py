"""The life of namespaces, tables and views through Spark 3.5."""

import pytest

from tests.clients.program import ClientError
from tests.clients.spark35 import Spark35
from tests.factories import unique_name
from tests.support.process import eventually
from tests.support.server import TestServer


@pytest.fixture
def space(spark35: Spark35) -> str:
    """A namespace of this test, current in Spark."""
    name = unique_name("ns")
    spark35.rows(f"CREATE NAMESPACE {spark35.catalog}.{name}")
    spark35.rows(f"USE {spark35.catalog}.{name}")
    return name


@pytest.fixture
def numbers(spark35: Spark35, space: str) -> str:
    """A table of the numbers 0 to 4."""
    spark35.rows("CREATE TABLE numbers USING iceberg AS SELECT id, concat('n', id) AS label FROM range(5)")
    return "numbers"


def ids(spark35: Spark35, table: str) -> list[int]:
    return [row[0] for row in spark35.rows(f"SELECT id FROM {table} ORDER BY id")]


def test_it_is_spark_3_5(spark35: Spark35) -> None:
    ((version,),) = spark35.rows("SELECT version()")
    assert version.startswith("3.5.")


def test_nested_namespaces(spark35: Spark35, space: str) -> None:
    inner = f"{spark35.catalog}.{space}.inner"
    spark35.rows(f"CREATE NAMESPACE {inner}")
    with pytest.raises(ClientError, match="SCHEMA_ALREADY_EXISTS"):
        spark35.rows(f"CREATE NAMESPACE {inner}")
    spark35.rows(f"CREATE TABLE {inner}.t USING iceberg AS SELECT 7 AS id")
    with pytest.raises(ClientError, match="NamespaceNotEmptyException"):
        spark35.rows(f"DROP NAMESPACE {inner}")
    assert ids(spark35, f"{inner}.t") == [7]
    spark35.rows(f"DROP TABLE {inner}.t")
    spark35.rows(f"DROP NAMESPACE {inner}")
    assert spark35.rows(f"SHOW NAMESPACES IN {spark35.catalog}.{space}") == []


def test_partitioned_table(spark35: Spark35, space: str) -> None:
    spark35.rows(
        "CREATE TABLE t (id BIGINT NOT NULL COMMENT 'größe', day DATE, tags ARRAY<STRING>) USING iceberg"
        " PARTITIONED BY (months(day), bucket(4, id)) TBLPROPERTIES ('k' = 'a,b')"
    )
    spark35.rows(
        "INSERT INTO t VALUES (1, DATE '2013-01-01', array('a', NULL)), (2, DATE '2013-02-09', array())"
    )
    assert ids(spark35, "t WHERE day > DATE '2013-02-01'") == [2]
    assert spark35.rows(f"SELECT count(*) FROM {spark35.catalog}.{space}.t.partitions") == [(2,)]
    assert ("k", "a,b") in spark35.rows("SHOW TBLPROPERTIES t")


@pytest.mark.parametrize("mode", ["copy-on-write", "merge-on-read"])
def test_update_delete_merge(spark35: Spark35, numbers: str, mode: str) -> None:
    modes = ", ".join(f"'write.{operation}.mode' = '{mode}'" for operation in ("update", "delete", "merge"))
    spark35.rows(f"ALTER TABLE numbers SET TBLPROPERTIES ({modes})")
    spark35.rows("DELETE FROM numbers WHERE id >= 3")
    spark35.rows("UPDATE numbers SET label = 'two' WHERE id = 2")
    spark35.rows(
        "MERGE INTO numbers t USING (SELECT 1 AS id, 'one' AS label UNION ALL SELECT 9, 'nine') s ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET t.label = s.label WHEN NOT MATCHED THEN INSERT *"
    )
    assert spark35.rows("SELECT * FROM numbers ORDER BY id") == [
        (0, "n0"),
        (1, "one"),
        (2, "two"),
        (9, "nine"),
    ]


def test_replace_table(spark35: Spark35, space: str, numbers: str) -> None:
    spark35.rows("CREATE OR REPLACE TABLE numbers USING iceberg AS SELECT id FROM numbers WHERE id > 2")
    assert spark35.rows("SELECT * FROM numbers ORDER BY id") == [(3,), (4,)]
    spark35.rows("REPLACE TABLE numbers USING iceberg AS SELECT 'x' AS word")
    assert spark35.rows("SELECT * FROM numbers") == [("x",)]
    assert spark35.rows(f"SELECT count(*) FROM {spark35.catalog}.{space}.numbers.snapshots") == [(3,)]


def test_schema_evolution(spark35: Spark35, numbers: str) -> None:
    spark35.rows("ALTER TABLE numbers ADD COLUMN score FLOAT AFTER id")
    spark35.rows("ALTER TABLE numbers ALTER COLUMN score TYPE DOUBLE")
    spark35.rows("ALTER TABLE numbers RENAME COLUMN label TO title")
    spark35.rows("ALTER TABLE numbers ADD PARTITION FIELD bucket(2, id)")
    spark35.rows("INSERT INTO numbers VALUES (5, 0.5, 'n5')")
    assert spark35.rows("SELECT * FROM numbers WHERE id > 3 ORDER BY id") == [(4, None, "n4"), (5, 0.5, "n5")]


def test_history(spark35: Spark35, space: str, numbers: str) -> None:
    table = f"{spark35.catalog}.{space}.numbers"
    spark35.rows("ALTER TABLE numbers CREATE TAG v1")
    spark35.rows("INSERT INTO numbers VALUES (5, 'n5')")
    assert ids(spark35, "numbers VERSION AS OF 'v1'") == [0, 1, 2, 3, 4]
    ((first,), _) = spark35.rows(f"SELECT snapshot_id FROM {table}.snapshots ORDER BY committed_at")
    spark35.rows(f"CALL {spark35.catalog}.system.rollback_to_snapshot('{space}.numbers', {first})")
    assert ids(spark35, "numbers") == [0, 1, 2, 3, 4]


def test_views(spark35: Spark35, space: str, numbers: str) -> None:
    spark35.rows("CREATE VIEW v (n COMMENT 'größe') AS SELECT id FROM numbers WHERE id > 2")
    assert spark35.rows("SELECT n FROM v ORDER BY n") == [(3,), (4,)]
    with pytest.raises(ClientError, match=r"(?i)already.exists"):
        spark35.rows("CREATE VIEW v AS SELECT 1 AS one")
    spark35.rows("CREATE OR REPLACE VIEW v AS SELECT id, label FROM numbers WHERE id = 1")
    assert spark35.rows("SELECT * FROM v") == [(1, "n1")]
    spark35.rows("ALTER VIEW v RENAME TO w")
    assert [row[1] for row in spark35.rows("SHOW VIEWS")] == ["w"]
    spark35.rows("DROP VIEW w")
    assert spark35.rows("SHOW VIEWS") == []


def test_rename_drop_and_purge(spark35: Spark35, space: str, numbers: str, any_server: TestServer) -> None:
    def files() -> list[str]:
        return [f for f in any_server.warehouse.files() if f"/{space}/" in f and not f.endswith(".crc")]

    spark35.rows("ALTER TABLE numbers RENAME TO figures")
    assert spark35.tables(space) == {"figures"}
    assert files()
    spark35.rows("DROP TABLE figures PURGE")
    assert spark35.tables(space) == set()
    with pytest.raises(ClientError, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark35.rows("DROP TABLE figures")
    eventually(lambda: not files(), 20, "the files are purged")


def test_foreign_names(spark35: Spark35, space: str) -> None:
    for name in ("with space", "dot.ted", "größe 😀", "sla/sh", "per%cent", "plus+"):
        spark35.rows(f"CREATE TABLE `{name}` (`c {name}` BIGINT) USING iceberg")
        spark35.rows(f"INSERT INTO `{name}` VALUES (1)")
        assert spark35.rows(f"SELECT `c {name}` FROM `{name}`") == [(1,)]
        spark35.rows(f"DROP TABLE `{name}`")
    assert spark35.tables(space) == set()
