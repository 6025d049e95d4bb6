"""Namespaces through Spark SQL."""

import pytest
from pyspark.errors import AnalysisException

from tests.clients.spark import Engine
from tests.factories import unique_name


def names(spark: Engine, statement: str) -> list[str]:
    return [row[0] for row in spark.rows(statement)]


def described(spark: Engine, namespace: str) -> str:
    return str(spark.rows(f"DESCRIBE NAMESPACE EXTENDED {namespace}"))


def test_namespace_is_created_shown_and_dropped(spark: Engine) -> None:
    name = unique_name("ns")
    spark.sql(
        f"CREATE NAMESPACE {spark.catalog}.{name} COMMENT 'größe' WITH DBPROPERTIES ('owner-team' = 'a')"
    )
    assert name in names(spark, f"SHOW NAMESPACES IN {spark.catalog}")
    assert "größe" in described(spark, f"{spark.catalog}.{name}")
    assert "owner-team" in described(spark, f"{spark.catalog}.{name}")

    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {spark.catalog}.{name}")
    with pytest.raises(AnalysisException, match="SCHEMA_ALREADY_EXISTS"):
        spark.sql(f"CREATE NAMESPACE {spark.catalog}.{name}")

    spark.sql(f"DROP NAMESPACE {spark.catalog}.{name}")
    assert name not in names(spark, f"SHOW NAMESPACES IN {spark.catalog}")
    spark.sql(f"DROP NAMESPACE IF EXISTS {spark.catalog}.{name}")
    with pytest.raises(AnalysisException, match="SCHEMA_NOT_FOUND"):
        spark.sql(f"DROP NAMESPACE {spark.catalog}.{name}")


def test_properties_are_altered(spark: Engine, database: str) -> None:
    spark.sql(f"ALTER NAMESPACE {database} SET DBPROPERTIES ('k' = 'value 1', 'l' = '2')")
    spark.sql(f"ALTER NAMESPACE {database} SET DBPROPERTIES ('k' = 'value 9')")
    assert "value 9" in described(spark, database)
    spark.sql(f"ALTER NAMESPACE {database} UNSET DBPROPERTIES ('k')")
    assert "value 9" not in described(spark, database)


def test_nested_namespaces(spark: Engine, database: str) -> None:
    spark.sql(f"CREATE NAMESPACE {database}.`in ner`")
    spark.sql(f"CREATE TABLE {database}.`in ner`.t (id BIGINT) USING iceberg")
    spark.sql(f"INSERT INTO {database}.`in ner`.t VALUES (1)")
    assert spark.rows(f"SELECT * FROM {database}.`in ner`.t") == [(1,)]
    (shown,) = names(spark, f"SHOW NAMESPACES IN {database}")
    assert shown.endswith("`in ner`")


def test_namespace_with_tables_is_not_dropped(spark: Engine, database: str) -> None:
    spark.sql("CREATE TABLE t (id BIGINT) USING iceberg")
    with pytest.raises(Exception, match="NamespaceNotEmptyException"):
        spark.sql(f"DROP NAMESPACE {database}")
    assert [row["tableName"] for row in spark.sql(f"SHOW TABLES IN {database}")] == ["t"]
