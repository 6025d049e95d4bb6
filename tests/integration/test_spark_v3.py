"""Format version 3 through Spark: row lineage, deletion vectors, variants, default values."""

from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyspark.sql import SparkSession

from tests.clients.page import configuration
from tests.clients.spark import Engine, catalog_options
from tests.contract.calls import namespace_path, ok, table_path
from tests.factories import commit_request, unique_name
from tests.support.nodes import Nodes
from tests.support.process import eventually
from tests.support.server import Client, TestServer

V3 = "'format-version' = '3'"
ON_READ = ", ".join(
    f"'write.{operation}.mode' = 'merge-on-read'" for operation in ("update", "delete", "merge")
)


# What does not touch the service's own storage is run on one kind of it.
on_files = pytest.mark.parametrize("any_server", ["file"], indirect=True)


@pytest.fixture
def api(any_server: TestServer) -> Client:
    return any_server.client()


def load(api: Client, database: str, table: str) -> dict[str, Any]:
    """Return the metadata that the catalog answers with."""
    return dict(ok(api.get(table_path(database.partition(".")[2], table)))["metadata"])


def snapshots(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(metadata["snapshots"], key=lambda each: each["sequence-number"])


LINEAGE = "SELECT id, _row_id, _last_updated_sequence_number FROM {} ORDER BY id"


def lineage(spark: Engine, table: str) -> dict[int, tuple[int, int]]:
    """Return row id and last sequence number by the column ``id``."""
    return {number: (row, sequence) for number, row, sequence in spark.rows(LINEAGE.format(table))}


def assert_row_ids(metadata: dict[str, Any]) -> None:
    """Every snapshot has taken the row ids that follow those of the one before it."""
    following = 0
    for snapshot in snapshots(metadata):
        assert snapshot["first-row-id"] == following, snapshot
        following += snapshot["added-rows"]
    assert metadata["next-row-id"] == following


@on_files
def test_row_lineage_of_appends(spark: Engine, database: str, api: Client) -> None:
    spark.sql(f"CREATE TABLE t (id BIGINT, name STRING) USING iceberg TBLPROPERTIES ({V3})")
    assert load(api, database, "t")["next-row-id"] == 0
    spark.sql("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    spark.sql("INSERT INTO t VALUES (4, 'd'), (5, 'e')")
    metadata = load(api, database, "t")
    assert [(each["first-row-id"], each["added-rows"]) for each in snapshots(metadata)] == [(0, 3), (3, 2)]
    assert metadata["next-row-id"] == 5
    assert lineage(spark, "t") == {1: (0, 1), 2: (1, 1), 3: (2, 1), 4: (3, 2), 5: (4, 2)}


@on_files
@pytest.mark.parametrize("modes", ["", ON_READ], ids=["copy-on-write", "merge-on-read"])
def test_rows_keep_their_ids_through_changes(spark: Engine, database: str, api: Client, modes: str) -> None:
    properties = ", ".join(filter(None, (V3, modes)))
    spark.sql(f"CREATE TABLE t (id BIGINT, name STRING) USING iceberg TBLPROPERTIES ({properties})")
    spark.sql("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')")
    before = lineage(spark, "t")
    spark.sql("UPDATE t SET name = 'B' WHERE id = 2")
    spark.sql("DELETE FROM t WHERE id = 1")
    spark.sql(
        "MERGE INTO t USING (SELECT 3 AS id, 'C' AS name UNION ALL SELECT 9, 'i') s ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET t.name = s.name WHEN NOT MATCHED THEN INSERT *"
    )
    after = lineage(spark, "t")
    assert spark.rows("SELECT id, name FROM t ORDER BY id") == [(2, "B"), (3, "C"), (4, "d"), (9, "i")]
    assert {number: after[number][0] for number in (2, 3, 4)} == {
        number: before[number][0] for number in (2, 3, 4)
    }
    assert [after[number][1] for number in (2, 3, 4)] == [2, 4, 1]
    assert after[9][1] == 4
    assert after[9][0] not in {row for row, _ in before.values()}
    metadata = load(api, database, "t")
    assert_row_ids(metadata)
    assert max(row for row, _ in after.values()) < metadata["next-row-id"]


def test_deletion_vectors(spark: Engine, database: str, api: Client) -> None:
    spark.sql(f"CREATE TABLE t (id BIGINT) USING iceberg TBLPROPERTIES ({V3}, {ON_READ})")
    spark.sql("INSERT INTO t SELECT id FROM range(100)")
    spark.sql("DELETE FROM t WHERE id % 10 = 3")
    spark.sql("DELETE FROM t WHERE id % 10 = 4")
    assert spark.value("SELECT count(*) FROM t") == 80
    columns = "file_format, record_count, content_offset, referenced_data_file"
    ((file_format, records, offset, data_file),) = spark.rows(
        f"SELECT {columns} FROM {database}.t.delete_files"
    )
    assert (file_format, records) == ("PUFFIN", 20)
    assert offset > 0
    assert data_file.endswith(".parquet")
    _, first, second = snapshots(load(api, database, "t"))
    assert (first["summary"]["added-dvs"], second["summary"]["added-dvs"]) == ("1", "1")
    assert second["summary"]["removed-dvs"] == "1"
    assert second["summary"]["total-delete-files"] == "1"


@on_files
def test_upgrade_of_a_table_with_rows(spark: Engine, database: str, api: Client) -> None:
    """Rows that are older than the upgrade get their ids with the first snapshot after it."""
    spark.sql("CREATE TABLE t (id BIGINT) USING iceberg")
    spark.sql("INSERT INTO t VALUES (1), (2)")
    spark.sql("ALTER TABLE t SET TBLPROPERTIES ('format-version' = '3')")
    metadata = load(api, database, "t")
    assert (metadata["format-version"], metadata["next-row-id"]) == (3, 0)
    spark.sql("INSERT INTO t VALUES (3)")
    metadata = load(api, database, "t")
    old, new = snapshots(metadata)
    assert "first-row-id" not in old
    assert metadata["next-row-id"] == new["first-row-id"] + new["added-rows"] == 3
    assert sorted(row for row, _ in lineage(spark, "t").values()) == [0, 1, 2]


@on_files
def test_variant(spark: Engine, database: str, api: Client) -> None:
    spark.sql(f"CREATE TABLE t (id BIGINT, v VARIANT) USING iceberg TBLPROPERTIES ({V3})")
    spark.sql("""INSERT INTO t SELECT 1, parse_json('{"a": {"b": [1, 2.5, "x"]}, "ü": null}')""")
    spark.sql("INSERT INTO t SELECT id, parse_json(concat('{\"a\": ', id, '}')) FROM range(2, 5)")
    assert spark.rows("SELECT id, variant_get(v, '$.a', 'int') FROM t WHERE id > 1 ORDER BY id") == [
        (2, 2),
        (3, 3),
        (4, 4),
    ]
    assert spark.value("SELECT variant_get(v, '$.a.b[2]', 'string') FROM t WHERE id = 1") == "x"
    assert spark.value("SELECT to_json(v) FROM t WHERE id = 1") == '{"a":{"b":[1,2.5,"x"]},"ü":null}'
    (schema,) = load(api, database, "t")["schemas"]
    assert schema["fields"][1]["type"] == "variant"


@on_files
def test_default_values(spark: Engine, database: str, api: Client) -> None:
    """Old rows read a new column's initial default, which the catalog keeps as it was sent."""
    spark.sql(f"CREATE TABLE t (id BIGINT) USING iceberg TBLPROPERTIES ({V3})")
    spark.sql("INSERT INTO t VALUES (1)")
    (schema,) = load(api, database, "t")["schemas"]
    defaults = {
        "n": ("int", 7),
        "s": ("string", "ü'\""),
        "d": ("decimal(9, 2)", "14.20"),
        "day": ("date", "2026-11-21"),
        "b": ("boolean", True),
    }
    added = [
        {
            "id": number,
            "name": name,
            "type": kind,
            "required": False,
            "initial-default": value,
            "write-default": value,
        }
        for number, (name, (kind, value)) in enumerate(defaults.items(), 2)
    ]
    updates = (
        {"action": "add-schema", "schema": {**schema, "fields": [*schema["fields"], *added]}},
        {"action": "set-current-schema", "schema-id": -1},
    )
    ok(api.post(table_path(database.partition(".")[2], "t"), json=commit_request(*updates)))
    row = spark.rows("SELECT id, n, s, CAST(d AS STRING), CAST(day AS STRING), b FROM t")
    assert row == [(1, 7, "ü'\"", "14.20", "2026-11-21", True)]
    fields = load(api, database, "t")["schemas"][1]["fields"]
    assert {each["name"]: each["write-default"] for each in fields[1:]} == {
        name: value for name, (_, value) in defaults.items()
    }


def test_purge_deletes_deletion_vectors(
    spark: Engine, database: str, api: Client, any_server: TestServer
) -> None:
    spark.sql(f"CREATE TABLE t (id BIGINT) USING iceberg TBLPROPERTIES ({V3}, {ON_READ})")
    spark.sql("INSERT INTO t SELECT id FROM range(10)")
    spark.sql("DELETE FROM t WHERE id = 3")
    namespace = database.partition(".")[2]
    location = load(api, database, "t")["location"].removeprefix("file://")
    files = {name for name in any_server.warehouse.files() if location in name}
    assert any(name.endswith(".puffin") for name in files)
    assert api.delete(table_path(namespace, "t"), params={"purgeRequested": "true"}).status_code == 204
    assert ok(api.get(f"{namespace_path(namespace)}/tables"))["identifiers"] == []
    eventually(
        lambda: not {name for name in any_server.warehouse.files() if location in name},
        30,
        "all files are deleted",
    )


@on_files
def test_pyiceberg_reads_what_it_knows_of_version_3(
    spark: Engine, database: str, catalog: Catalog, api: Client
) -> None:
    """Rows behind deletion vectors, defaults aside; and the row ids in its model of the metadata."""
    spark.sql(f"CREATE TABLE t (id BIGINT, name STRING) USING iceberg TBLPROPERTIES ({V3}, {ON_READ})")
    spark.sql("INSERT INTO t SELECT id, concat('n', id) FROM range(10)")
    spark.sql("DELETE FROM t WHERE id IN (3, 4)")
    spark.sql("UPDATE t SET name = 'x' WHERE id = 5")
    table = catalog.load_table((database.partition(".")[2], "t"))
    metadata = load(api, database, "t")
    assert table.format_version == 3
    assert table.metadata.next_row_id == metadata["next-row-id"]
    assert [each.first_row_id for each in table.metadata.snapshots] == [
        each["first-row-id"] for each in metadata["snapshots"]
    ]
    found: pa.Table = table.scan().to_arrow()
    names = dict(zip(found["id"].to_pylist(), found["name"].to_pylist(), strict=True))
    assert names == {number: f"n{number}" for number in (0, 1, 2, 6, 7, 8, 9)} | {5: "x"}


@pytest.fixture
def pair(spark_session: SparkSession, nodes: Nodes) -> list[Engine]:
    """Spark twice, each with a node of its own as a catalog."""
    engines = []
    for server in nodes.servers:
        name = unique_name("cat")
        for key, value in catalog_options(name, configuration("spark", server)).items():
            spark_session.conf.set(key, value)
        engines.append(Engine(spark_session, name))
    return engines


@pytest.mark.parametrize(
    "statement", ["INSERT INTO {} VALUES (9, 'i')", "UPDATE {} SET name = 'x' WHERE id = 2"]
)
def test_row_ids_stay_unique_when_writers_of_two_nodes_meet(
    pair: list[Engine], nodes: Nodes, statement: str
) -> None:
    """The held commit's first row id is stale by the time it goes on: it is refused, and Spark takes the next ones."""
    namespace = unique_name("ns")
    tables = [f"{engine.catalog}.{namespace}.t" for engine in pair]
    pair[0].sql(f"CREATE NAMESPACE {pair[0].catalog}.{namespace}")
    pair[0].sql(
        f"CREATE TABLE {tables[0]} (id BIGINT, name STRING) USING iceberg TBLPROPERTIES ({V3}, {ON_READ})"
    )
    pair[0].sql(f"INSERT INTO {tables[0]} VALUES (1, 'a'), (2, 'b')")
    with nodes.held("mutation.begin", lambda: pair[0].sql(statement.format(tables[0]))) as stopped:
        pair[1].sql(f"INSERT INTO {tables[1]} VALUES (3, 'c'), (4, 'd')")
    stopped.result()
    found = lineage(pair[1], tables[1])
    assert found.keys() >= {1, 2, 3, 4}
    assert len({row for row, _ in found.values()}) == len(found)
    metadata = dict(ok(nodes.servers[0].client().get(table_path(namespace, "t")))["metadata"])
    assert [each["added-rows"] for each in snapshots(metadata)[:2]] == [2, 2]
    assert len(metadata["snapshots"]) == 3
    assert_row_ids(metadata)
    assert max(row for row, _ in found.values()) < metadata["next-row-id"]


def test_deletes_of_two_nodes_from_one_data_file(pair: list[Engine], nodes: Nodes) -> None:
    """A data file has one deletion vector: the second writer is refused instead of replacing the first one's."""
    namespace = unique_name("ns")
    tables = [f"{engine.catalog}.{namespace}.t" for engine in pair]
    pair[0].sql(f"CREATE NAMESPACE {pair[0].catalog}.{namespace}")
    pair[0].sql(f"CREATE TABLE {tables[0]} (id BIGINT) USING iceberg TBLPROPERTIES ({V3}, {ON_READ})")
    pair[0].sql(f"INSERT INTO {tables[0]} SELECT id FROM range(10)")
    delete = f"DELETE FROM {tables[0]} WHERE id = 1"
    with nodes.held("mutation.begin", lambda: pair[0].sql(delete)) as stopped:
        pair[1].sql(f"DELETE FROM {tables[1]} WHERE id = 2")
    assert "concurrently added" in str(stopped.exception())
    assert pair[1].value(f"SELECT count(*) FROM {tables[1]} WHERE id IN (1, 2)") == 1
    pair[0].sql(delete)
    assert pair[1].rows(f"SELECT id FROM {tables[1]} ORDER BY id") == [(n,) for n in (0, 3, 4, 5, 6, 7, 8, 9)]
    assert pair[1].rows(f"SELECT file_format, record_count FROM {tables[1]}.delete_files") == [("PUFFIN", 2)]
