"""Tables and views that one engine writes are read, and written on, by the other."""

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.transforms import BucketTransform

from tests.clients.spark import Engine
from tests.integration.shapes import PEOPLE


def plain(database: str) -> str:
    """Return the namespace without Spark's catalog name."""
    return database.partition(".")[2]


def test_spark_reads_and_extends_what_pyiceberg_wrote(
    spark: Engine, database: str, catalog: Catalog, people: pa.Table
) -> None:
    spec = PartitionSpec(PartitionField(1, 1000, BucketTransform(2), "shard"))
    table = catalog.create_table((plain(database), "t"), PEOPLE, partition_spec=spec)
    table.append(people)
    with table.update_schema() as update:
        update.rename_column("born", "year")
    assert spark.rows("SELECT id, name, year FROM t ORDER BY id")[0] == (1, "Ada", 1815)

    spark.sql("INSERT INTO t VALUES (4, 'Barbara', 1939)")
    spark.sql("DELETE FROM t WHERE id = 1")
    spark.sql("ALTER TABLE t ADD COLUMN score DOUBLE")
    rows = catalog.load_table(table.name()).scan().to_arrow().sort_by("id").to_pylist()
    assert [(row["id"], row["year"], row["score"]) for row in rows] == [
        (2, 1906, None),
        (3, 1930, None),
        (4, 1939, None),
    ]


def test_pyiceberg_reads_and_extends_what_spark_wrote(spark: Engine, database: str, catalog: Catalog) -> None:
    spark.sql(
        "CREATE TABLE t USING iceberg PARTITIONED BY (part) TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')"
        " AS SELECT id, CAST(id % 2 AS STRING) AS part FROM range(10)"
    )
    spark.sql("DELETE FROM t WHERE id IN (3, 4)")
    spark.sql(
        "ALTER TABLE t UNSET TBLPROPERTIES ('write.delete.mode')"
    )  # PyIceberg would warn that it cannot
    table = catalog.load_table((plain(database), "t"))
    assert sorted(table.scan().to_arrow()["id"].to_pylist()) == [0, 1, 2, 5, 6, 7, 8, 9]

    table.append(pa.table({"id": pa.array([10], pa.int64()), "part": ["0"]}))
    table.delete("part = '1'")
    assert spark.rows("SELECT id FROM t ORDER BY id") == [(0,), (2,), (6,), (8,), (10,)]
    assert spark.value(f"SELECT count(*) FROM {database}.t.snapshots") == 4


def test_pyiceberg_loads_a_view_of_spark(spark: Engine, database: str, catalog: Catalog) -> None:
    spark.sql("CREATE TABLE t USING iceberg AS SELECT id FROM range(3)")
    spark.sql("CREATE VIEW v AS SELECT id AS n FROM t")
    spark.sql("CREATE OR REPLACE VIEW v AS SELECT id AS m FROM t")
    view = catalog.load_view((plain(database), "v"))
    assert view.sql_for("spark").sql == "SELECT id AS m FROM t"
    assert [field.name for field in view.schema().fields] == ["m"]
    assert len(view.versions) == 2
