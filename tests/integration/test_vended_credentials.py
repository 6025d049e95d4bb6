"""Clients that have no storage keys: each writes and reads a table on MinIO with what the catalog vends."""

import os
from collections.abc import Iterator

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from tests.clients.duck import running_duckdb
from tests.clients.page import configuration
from tests.clients.people import ROWS, RowPeer, SqlPeer
from tests.clients.pyiceberg import PyIceberg, connect
from tests.clients.spark import Engine, catalog_options
from tests.factories import unique_name
from tests.support.server import Client, TestServer

MORE = [(4, "Edsger", "0.00", "1930-05-11", False)]


@pytest.fixture(scope="module")
def space(server_vended: TestServer) -> str:
    name = unique_name("ns")
    with Client(server_vended.url) as client:
        assert client.post("/v1/namespaces", json={"namespace": [name]}).status_code == 200
    return name


@pytest.fixture(scope="module")
def peers(server_vended: TestServer, spark_session: SparkSession) -> Iterator[dict[str, RowPeer]]:
    """PyIceberg, Spark and DuckDB, none of which finds keys anywhere else."""
    assert not [name for name in os.environ if name.startswith(("AWS_ACCESS", "AWS_SECRET", "AWS_PROFILE"))]
    catalog = unique_name("vended")
    for key, value in catalog_options(catalog, configuration("spark", server_vended)).items():
        spark_session.conf.set(key, value)
    with connect(server_vended) as pyiceberg, running_duckdb(server_vended) as duck:
        yield {
            "pyiceberg": PyIceberg(pyiceberg),
            "spark": Engine(spark_session, catalog),
            "duckdb": duck,
        }


@pytest.mark.parametrize("writer", ["pyiceberg", "spark", "duckdb"])
def test_without_keys_of_its_own(peers: dict[str, RowPeer], space: str, writer: str) -> None:
    peers[writer].create(space, writer)
    peers[writer].insert(space, writer, ROWS)
    for reader in peers.values():
        assert reader.read(space, writer) == ROWS
    for other in peers.values():
        if other is not peers[writer]:
            other.insert(space, writer, MORE)
    assert len(peers[writer].read(space, writer)) == len(ROWS) + 2 * len(MORE)


@pytest.mark.parametrize("writer", ["spark", "duckdb"])
def test_tables_that_are_made_of_queries(peers: dict[str, RowPeer], space: str, writer: str) -> None:
    peer = peers[writer]
    assert isinstance(peer, SqlPeer)
    table = peer.qualified(space, f"{writer}_query")
    peer.rows(f"CREATE TABLE {table} {peer.suffix} AS SELECT 1 AS id")
    assert peer.rows(f"SELECT id FROM {table}") == [(1,)]


def test_a_transaction_that_makes_a_table(peers: dict[str, RowPeer], space: str) -> None:
    pyiceberg = peers["pyiceberg"]
    assert isinstance(pyiceberg, PyIceberg)
    rows = pa.table({"id": [1, 2]})
    with pyiceberg.catalog.create_table_transaction((space, "staged"), rows.schema) as transaction:
        transaction.append(rows)
    assert pyiceberg.catalog.load_table((space, "staged")).scan().to_arrow() == rows
