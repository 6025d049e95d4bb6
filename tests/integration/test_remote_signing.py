"""Spark and PyIceberg create, write and read tables on MinIO without any keys: the catalog signs each request."""

import os
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from tests.clients.people import ROWS, RowPeer
from tests.clients.signed import SignedPyIceberg, signed_pyiceberg, signed_spark
from tests.clients.spark import Engine
from tests.conftest import MakeServer
from tests.factories import unique_name
from tests.support.minio import Minio
from tests.support.server import Client, TestServer
from tests.support.warehouses import SigningWarehouse

MORE = [(4, "Edsger", "0.00", "1930-05-11", False)]


@pytest.fixture(scope="module")
def server(make_server: MakeServer, minio: Minio) -> Iterator[TestServer]:
    """A server that gives nothing to clients but signatures."""
    with make_server(SigningWarehouse(minio, minio.create_bucket("signing"), "shared")) as running:
        yield running


@pytest.fixture(scope="module")
def space(server: TestServer) -> str:
    name = unique_name("ns")
    with Client(server.url) as client:
        assert client.post("/v1/namespaces", json={"namespace": [name]}).status_code == 200
    return name


@pytest.fixture(scope="module")
def spark(server: TestServer, spark_session: SparkSession) -> Engine:
    """Uploads begin to have several parts at 7.5 MB."""
    assert not [name for name in os.environ if name.startswith(("AWS_ACCESS", "AWS_SECRET", "AWS_PROFILE"))]
    more = {"s3.multipart.part-size-bytes": "5242880"}
    return signed_spark(spark_session, server, unique_name("signed"), **more)


@pytest.fixture(scope="module")
def pyiceberg(server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedPyIceberg]:
    with signed_pyiceberg(server, tmp_path_factory.mktemp("signed")) as running:
        yield running


@pytest.mark.parametrize("writer", ["spark", "pyiceberg"])
def test_without_keys(spark: Engine, pyiceberg: SignedPyIceberg, space: str, writer: str) -> None:
    peers: dict[str, RowPeer] = {"spark": spark, "pyiceberg": pyiceberg}
    peers[writer].create(space, writer)
    for peer in peers.values():
        peer.insert(space, writer, MORE)
    peers[writer].insert(space, writer, ROWS)
    for reader in peers.values():
        assert sorted(reader.read(space, writer)) == sorted([*MORE, *MORE, *ROWS], key=lambda row: row[0])


def test_large_files_go_up_in_parts(spark: Engine, space: str, server: TestServer) -> None:
    """The table is staged, written while it does not exist, and committed."""
    table = f"{spark.catalog}.{space}.large"
    spark.sql(f"CREATE TABLE {table} USING iceberg AS SELECT id, rand() AS x, rand() AS y FROM range(600000)")
    assert spark.value(f"SELECT count(*) FROM {table} WHERE x <> y") == 600_000
    assert spark.value(f"SELECT max(file_size_in_bytes) FROM {table}.files") > 8_000_000


def test_old_files_are_deleted_in_batches(spark: Engine, space: str, server: TestServer) -> None:
    table = f"{space}.expiring"
    spark.sql(f"CREATE TABLE {spark.catalog}.{table} USING iceberg AS SELECT id FROM range(10)")
    for _ in range(3):
        spark.sql(f"INSERT OVERWRITE {spark.catalog}.{table} SELECT id FROM range(5)")
    before = {file for file in server.warehouse.files() if f"/{space}/expiring-" in file}
    spark.sql(
        f"CALL {spark.catalog}.system.expire_snapshots(table => '{table}', "
        "older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1)"
    )
    after = {file for file in server.warehouse.files() if f"/{space}/expiring-" in file}
    assert len([file for file in before - after if file.endswith(".parquet")]) >= 3
    assert spark.value(f"SELECT count(*) FROM {spark.catalog}.{table}") == 5


def test_replaced_table(spark: Engine, space: str) -> None:
    table = f"{spark.catalog}.{space}.replaced"
    for count in (3, 4):
        spark.sql(f"CREATE OR REPLACE TABLE {table} USING iceberg AS SELECT id FROM range({count})")
        assert spark.value(f"SELECT count(*) FROM {table}") == count


def test_large_file_of_pyiceberg(pyiceberg: SignedPyIceberg, space: str) -> None:
    """s3fs uploads in parts of 50 MB."""
    pyiceberg.create(space, "parts")
    size = 52 << 20
    assert pyiceberg.upload(space, "parts", size) == [size, size]


def test_several_tables_at_once(pyiceberg: SignedPyIceberg, space: str) -> None:
    """s3fs shares one client among all tables, and with it the address where to have something signed."""
    for name in ("one", "two"):
        pyiceberg.create(space, name)
        pyiceberg.insert(space, name, ROWS)
    pyiceberg.insert(space, "two", MORE)
    assert pyiceberg.counts(space, "one", "two") == [3, 4, 3, 4]


def test_only_signatures_were_given(server: TestServer, space: str) -> None:
    with Client(server.url) as client:
        headers = {"X-Iceberg-Access-Delegation": "vended-credentials,remote-signing"}
        loaded = client.get(f"/v1/namespaces/{space}/tables/replaced", headers=headers).json()
    assert loaded["config"]["s3.remote-signing-enabled"] == "true"
    assert "storage-credentials" not in loaded
    assert not [key for key in loaded["config"] if "key" in key or "token" in key]
