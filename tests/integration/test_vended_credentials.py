"""Clients that have no storage keys: each writes and reads a table on MinIO with what the catalog vends."""

import os
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from tests.clients.duck import running_duckdb
from tests.clients.page import configuration
from tests.clients.people import ROWS, RowPeer
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
