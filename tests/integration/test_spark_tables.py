"""Table definitions through Spark SQL: create, CTAS, RTAS, ALTER, rename, drop, purge."""

import pytest
from pyspark.errors import AnalysisException

from tests.clients.spark import Engine
from tests.support.process import eventually
from tests.support.server import TestServer
from tests.support.warehouses import same_place


def shown_properties(spark: Engine, table: str) -> dict[str, str]:
    return dict(spark.rows(f"SHOW TBLPROPERTIES {table}"))


def location(spark: Engine, table: str) -> str:
    rows = spark.rows(f"DESCRIBE TABLE EXTENDED {table}")
    return next(value for name, value, _ in rows if name == "Location")


def test_create_with_everything(spark: Engine, database: str) -> None:
    spark.sql(
        "CREATE TABLE t (id BIGINT NOT NULL COMMENT 'key', name STRING, at TIMESTAMP, tags ARRAY<STRING>,"
        " place STRUCT<lat: DOUBLE, lon: DOUBLE>, more MAP<STRING, DECIMAL(10, 2)>)"
        " USING iceberg PARTITIONED BY (days(at), bucket(4, id)) COMMENT 'größe'"
        " TBLPROPERTIES ('format-version' = '2', 'my.key' = 'a=b,c')"
    )
    assert spark.columns("t") == ["id", "name", "at", "tags", "place", "more"]
    properties = shown_properties(spark, "t")
    assert (properties["my.key"], properties["format-version"]) == ("a=b,c", "2")
    assert "bucket(4, id)" in str(spark.rows("DESCRIBE TABLE EXTENDED t"))

    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_ALREADY_EXISTS"):
        spark.sql("CREATE TABLE t (id BIGINT) USING iceberg")
    spark.sql("CREATE TABLE IF NOT EXISTS t (id BIGINT) USING iceberg")
    assert len(spark.columns("t")) == 6


@pytest.mark.parametrize("version", [1, 2, 3])
def test_format_versions(spark: Engine, database: str, version: int) -> None:
    spark.sql(
        f"CREATE TABLE t (id BIGINT, v INT) USING iceberg TBLPROPERTIES ('format-version' = '{version}')"
    )
    spark.sql("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)")
    spark.sql("DELETE FROM t WHERE id = 2")
    assert spark.rows("SELECT id FROM t ORDER BY id") == [(1,), (3,)]


def test_create_table_as_select(spark: Engine, database: str) -> None:
    spark.sql(
        "CREATE TABLE t USING iceberg PARTITIONED BY (even) AS SELECT id, id % 2 = 0 AS even FROM range(10)"
    )
    assert spark.value("SELECT count(*) FROM t WHERE even") == 5
    assert spark.value(f"SELECT count(*) FROM {database}.t.snapshots") == 1


def test_failed_ctas_leaves_nothing(spark: Engine, database: str) -> None:
    with pytest.raises(Exception, match=r"DIVIDE_BY_ZERO|Division by zero"):
        spark.sql("CREATE TABLE t USING iceberg AS SELECT 1 / (id - id) AS x FROM range(3)")
    assert spark.rows(f"SHOW TABLES IN {database}") == []


def test_replace_table_as_select_keeps_history(spark: Engine, database: str) -> None:
    spark.sql("CREATE TABLE t USING iceberg AS SELECT id FROM range(3)")
    old = spark.value(f"SELECT snapshot_id FROM {database}.t.snapshots")
    spark.sql("REPLACE TABLE t USING iceberg AS SELECT id AS key, 'x' AS label FROM range(2)")
    assert spark.columns("t") == ["key", "label"]
    assert spark.value("SELECT count(*) FROM t") == 2
    assert spark.value(f"SELECT count(*) FROM t VERSION AS OF {old}") == 3

    spark.sql("CREATE OR REPLACE TABLE t USING iceberg AS SELECT id FROM range(7)")
    spark.sql("CREATE OR REPLACE TABLE u USING iceberg AS SELECT id FROM range(8)")
    assert spark.value("SELECT count(*) FROM t") == 7
    assert spark.value("SELECT count(*) FROM u") == 8


def test_alter_columns(spark: Engine, database: str) -> None:
    spark.sql("CREATE TABLE t (id INT, name STRING, place STRUCT<x: INT>) USING iceberg")
    spark.sql("INSERT INTO t VALUES (1, 'a', named_struct('x', 5))")
    for change in [
        "ADD COLUMNS (score FLOAT COMMENT 'points', place.y DOUBLE)",
        "RENAME COLUMN name TO title",
        "ALTER COLUMN id TYPE BIGINT",
        "ALTER COLUMN score TYPE DOUBLE",
        "ALTER COLUMN score AFTER id",
        "ALTER COLUMN title COMMENT 'what it is called'",
        "DROP COLUMN place.x",
    ]:
        spark.sql(f"ALTER TABLE t {change}")
    spark.sql("INSERT INTO t VALUES (2, 0.5, 'b', named_struct('y', 1.5))")
    assert spark.columns("t") == ["id", "score", "title", "place"]
    assert spark.rows("SELECT id, score, title, place.y FROM t ORDER BY id") == [
        (1, None, "a", None),
        (2, 0.5, "b", 1.5),
    ]


def test_alter_partitioning(spark: Engine, database: str) -> None:
    spark.sql("CREATE TABLE t (id BIGINT, at TIMESTAMP, name STRING) USING iceberg")
    row = "(1, TIMESTAMP '2024-01-02 03:04:05', 'abc')"
    spark.sql(f"INSERT INTO t VALUES {row}")
    for change in ["ADD PARTITION FIELD days(at)", "ADD PARTITION FIELD bucket(4, id) AS shard"]:
        spark.sql(f"ALTER TABLE t {change}")
    spark.sql(f"INSERT INTO t VALUES {row}")
    spark.sql("ALTER TABLE t REPLACE PARTITION FIELD days(at) WITH hours(at)")
    spark.sql("ALTER TABLE t DROP PARTITION FIELD shard")
    spark.sql(f"INSERT INTO t VALUES {row}")
    assert spark.value("SELECT count(*) FROM t WHERE name = 'abc'") == 3
    assert spark.value(f"SELECT count(DISTINCT spec_id) FROM {database}.t.files") == 3
    assert spark.value("SELECT count(*) FROM t WHERE at >= DATE '2024-01-02'") == 3


def test_alter_properties_order_and_identity(spark: Engine, database: str) -> None:
    spark.sql("CREATE TABLE t (id BIGINT NOT NULL, name STRING) USING iceberg")
    spark.sql("ALTER TABLE t SET TBLPROPERTIES ('a' = '1', 'b' = '2')")
    spark.sql("ALTER TABLE t UNSET TBLPROPERTIES ('a')")
    spark.sql("ALTER TABLE t WRITE ORDERED BY name DESC NULLS LAST, bucket(4, id)")
    spark.sql("ALTER TABLE t SET IDENTIFIER FIELDS id")
    properties = shown_properties(spark, "t")
    assert "a" not in properties
    assert properties["b"] == "2"
    assert "name DESC NULLS LAST" in properties["sort-order"]
    assert properties["identifier-fields"] == "[id]"

    spark.sql("INSERT INTO t VALUES (1, 'b'), (2, 'c')")
    spark.sql("ALTER TABLE t WRITE UNORDERED")
    spark.sql("ALTER TABLE t DROP IDENTIFIER FIELDS id")
    assert "sort-order" not in shown_properties(spark, "t")
    assert spark.value("SELECT count(*) FROM t") == 2


def test_rename(spark: Engine, database: str) -> None:
    spark.sql("CREATE TABLE t USING iceberg AS SELECT 1 AS id")
    spark.sql("ALTER TABLE t RENAME TO u")
    assert spark.rows("SELECT id FROM u") == [(1,)]
    assert [row["tableName"] for row in spark.sql(f"SHOW TABLES IN {database}")] == ["u"]
    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.sql("SELECT * FROM t")


def test_drop_and_purge(spark: Engine, database: str, any_server: TestServer) -> None:
    spark.sql("CREATE TABLE kept USING iceberg AS SELECT 1 AS id")
    spark.sql("CREATE TABLE purged USING iceberg AS SELECT 1 AS id")
    kept, purged = (same_place(location(spark, name)) + "/" for name in ("kept", "purged"))
    spark.sql("DROP TABLE kept")
    spark.sql("DROP TABLE purged PURGE")

    assert spark.rows(f"SHOW TABLES IN {database}") == []
    files = any_server.warehouse.files
    eventually(
        lambda: not [f for f in files() if f.startswith(purged)], 30, "the purged table's files are deleted"
    )
    assert [f for f in files() if f.startswith(kept)]
    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.sql("DROP TABLE kept")
    spark.sql("DROP TABLE IF EXISTS kept")


def test_odd_names(spark: Engine, database: str) -> None:
    for name in ["with space", "dot.ted", "數據", "sla/sh", "per%cent", "plus+", "🧊"]:
        spark.sql(f"CREATE TABLE `{name}` (`c {name}` BIGINT) USING iceberg")
        spark.sql(f"INSERT INTO `{name}` VALUES (1)")
        assert spark.rows(f"SELECT `c {name}` FROM `{name}`") == [(1,)]
        spark.sql(f"DROP TABLE `{name}`")
    assert spark.rows(f"SHOW TABLES IN {database}") == []


def test_location_outside_the_warehouse_is_refused(spark: Engine, database: str) -> None:
    with pytest.raises(Exception, match=r"(?i)location"):
        spark.sql("CREATE TABLE t (id BIGINT) USING iceberg LOCATION 'file:///tmp/elsewhere-bingsan'")
    assert spark.rows(f"SHOW TABLES IN {database}") == []
