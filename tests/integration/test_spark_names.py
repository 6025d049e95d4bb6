"""Odd names through Spark, and so through Iceberg's Java client, in every place where a user may choose one."""

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog

from tests.clients.spark import Engine
from tests.contract.calls import namespace_path, ok, segment
from tests.integration.odd_names import NAMES
from tests.support.server import Client, TestServer


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


@pytest.mark.parametrize("name", NAMES)
def test_name_in_every_position(spark: Engine, any_server: TestServer, database: str, name: str) -> None:
    """What Spark writes is what a plain HTTP client reads, and Spark itself."""
    level = [database.rpartition(".")[2], name]
    space = f"{database}.{quoted(name)}"
    property_ = f"{text(name)} = {text(name)}"
    spark.sql(f"CREATE NAMESPACE {space} WITH DBPROPERTIES ({property_})")
    spark.sql(f"CREATE TABLE {space}.{quoted(name)} ({quoted(name)} BIGINT) TBLPROPERTIES ({property_})")
    spark.sql(f"INSERT INTO {space}.{quoted(name)} VALUES (1)")
    spark.sql(f"ALTER TABLE {space}.{quoted(name)} CREATE BRANCH {quoted(name)}")
    spark.sql(f"ALTER TABLE {space}.{quoted(name)} CREATE TAG {quoted('tag ' + name)}")
    view = f"view {name}"
    spark.sql(f"CREATE VIEW {space}.{quoted(view)} AS SELECT * FROM {space}.{quoted(name)}")

    with Client(any_server.url) as client:
        path = namespace_path(*level)
        loaded = ok(client.get(path))
        assert loaded["namespace"] == level
        assert loaded["properties"][name] == name
        assert ok(client.get(f"{path}/tables"))["identifiers"] == [{"namespace": level, "name": name}]
        assert ok(client.get(f"{path}/views"))["identifiers"] == [{"namespace": level, "name": view}]
        metadata = ok(client.get(f"{path}/tables/{segment(name)}"))["metadata"]
        assert ok(client.get(f"{path}/views/{segment(view)}"))["metadata"]["versions"]
    assert metadata["properties"][name] == name
    assert set(metadata["refs"]) == {"main", name, f"tag {name}"}
    assert metadata["schemas"][0]["fields"][0]["name"] == name

    assert [row["tableName"] for row in spark.sql(f"SHOW TABLES IN {space}")] == [name]
    assert spark.value(f"SELECT {quoted(name)} FROM {space}.{quoted(name)}") == 1
    assert spark.value(f"SELECT count(*) FROM {space}.{quoted(view)}") == 1
    assert (name, name) in spark.rows(f"SHOW TBLPROPERTIES {space}.{quoted(name)}")
    refs = {row[0] for row in spark.rows(f"SELECT name FROM {space}.{quoted(name)}.refs")}
    assert refs == {"main", name, f"tag {name}"}

    # What follows RENAME TO is a name inside the catalog.
    new_name = ".".join(map(quoted, [*level, f"{name} 2"]))
    spark.sql(f"ALTER TABLE {space}.{quoted(name)} RENAME TO {new_name}")
    spark.sql(f"DROP VIEW {space}.{quoted(view)}")
    spark.sql(f"DROP TABLE {space}.{quoted(name + ' 2')}")
    spark.sql(f"DROP NAMESPACE {space}")
    assert spark.rows(f"SHOW NAMESPACES IN {database}") == []


def test_each_client_finds_the_names_of_the_other(spark: Engine, catalog: Catalog, database: str) -> None:
    space = database.rpartition(".")[2]
    for number, name in enumerate(NAMES):
        rows = pa.table({"id": pa.array([number])})
        catalog.create_table((space, name), rows.schema).append(rows)
        assert spark.value(f"SELECT id FROM {database}.{quoted(name)}") == number
        spark.sql(f"CREATE NAMESPACE {database}.{quoted(name)}")
        spark.sql(f"CREATE VIEW {database}.{quoted('view ' + name)} AS SELECT {number} AS id")
    assert {row["tableName"] for row in spark.sql(f"SHOW TABLES IN {database}")} == set(NAMES)
    assert {level for _, level in catalog.list_namespaces(space)} == set(NAMES)
    views = {f"view {name}" for name in NAMES}
    assert {view for _, view in catalog.list_views(space)} == views
    for view in views:
        assert catalog.view_exists((space, view))
        catalog.drop_view((space, view))
    assert spark.rows(f"SHOW VIEWS IN {database}") == []
