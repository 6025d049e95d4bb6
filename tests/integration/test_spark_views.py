"""Views through Spark SQL."""

import pytest
from pyspark.errors import AnalysisException

from tests.clients.spark import Engine


@pytest.fixture
def numbers(spark: Engine, database: str) -> str:
    """A table of the numbers 0 to 9."""
    spark.sql("CREATE TABLE numbers USING iceberg AS SELECT id FROM range(10)")
    return "numbers"


def view_names(spark: Engine, database: str) -> set[str]:
    return {row["viewName"] for row in spark.sql(f"SHOW VIEWS IN {database}") if not row["isTemporary"]}


def test_life_of_a_view(spark: Engine, database: str, numbers: str) -> None:
    spark.sql(
        "CREATE VIEW even (n COMMENT 'no remainder') COMMENT 'größe' TBLPROPERTIES ('k' = 'a,b')"
        " AS SELECT id FROM numbers WHERE id % 2 = 0"
    )
    assert spark.columns("even") == ["n"]
    assert spark.rows("SELECT n FROM even ORDER BY n") == [(0,), (2,), (4,), (6,), (8,)]
    assert view_names(spark, database) == {"even"}
    assert dict(spark.rows("SHOW TBLPROPERTIES even"))["k"] == "a,b"
    assert "WHERE id % 2 = 0" in spark.value("SHOW CREATE TABLE even")

    spark.sql("DROP VIEW even")
    assert view_names(spark, database) == set()
    with pytest.raises(AnalysisException, match="VIEW_NOT_FOUND"):
        spark.sql("DROP VIEW even")
    spark.sql("DROP VIEW IF EXISTS even")


def test_view_is_replaced(spark: Engine, database: str, numbers: str) -> None:
    spark.sql("CREATE VIEW v AS SELECT id FROM numbers")
    with pytest.raises(AnalysisException, match="ALREADY_EXISTS"):
        spark.sql("CREATE VIEW v AS SELECT 1 AS one")
    spark.sql("CREATE VIEW IF NOT EXISTS v AS SELECT 1 AS one")
    for limit in (3, 4, 5):
        spark.sql(
            f"CREATE OR REPLACE VIEW v AS SELECT id AS key, 'x' AS label FROM numbers WHERE id < {limit}"
        )
        assert spark.value("SELECT count(*) FROM v") == limit
    assert spark.columns("v") == ["key", "label"]


def test_view_is_altered_and_renamed(spark: Engine, database: str, numbers: str) -> None:
    spark.sql("CREATE VIEW v AS SELECT id FROM numbers")
    spark.sql("ALTER VIEW v SET TBLPROPERTIES ('a' = '1', 'b' = '2')")
    spark.sql("ALTER VIEW v UNSET TBLPROPERTIES ('a')")
    properties = dict(spark.rows("SHOW TBLPROPERTIES v"))
    assert "a" not in properties
    assert properties["b"] == "2"

    spark.sql("ALTER VIEW v RENAME TO w")
    assert view_names(spark, database) == {"w"}
    assert spark.value("SELECT count(*) FROM w") == 10


def test_names_are_shared_with_tables(spark: Engine, database: str, numbers: str) -> None:
    spark.sql("CREATE VIEW v AS SELECT id FROM numbers")
    with pytest.raises(AnalysisException, match="ALREADY_EXISTS"):
        spark.sql("CREATE VIEW numbers AS SELECT 1 AS one")
    with pytest.raises(Exception, match=r"(?i)already exists|ALREADY_EXISTS"):
        spark.sql("CREATE TABLE v (id BIGINT) USING iceberg")
    assert {row["tableName"] for row in spark.sql(f"SHOW TABLES IN {database}")} >= {"numbers"}


def test_view_of_views_in_another_namespace(spark: Engine, database: str, numbers: str) -> None:
    spark.sql(f"CREATE NAMESPACE {database}.inner")
    spark.sql("CREATE VIEW low AS SELECT id FROM numbers WHERE id < 5")
    spark.sql(f"CREATE VIEW {database}.inner.lower AS SELECT max(id) AS top FROM {database}.low WHERE id < 3")
    spark.sql(f"USE {database}.inner")
    assert spark.rows("SELECT top FROM lower") == [(2,)]
