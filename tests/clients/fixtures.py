"""One of each client per session and server; a conftest imports those that its tests may ask for."""

from collections.abc import Iterator

import pytest
from pyiceberg.catalog import Catalog
from pyspark.sql import SparkSession

from tests.clients.duck import DuckDB, running_duckdb
from tests.clients.js import JavaScript, running_js
from tests.clients.page import configuration
from tests.clients.pyiceberg import connect
from tests.clients.spark import Engine, catalog_options, running_spark
from tests.factories import unique_name
from tests.support.server import TestServer


@pytest.fixture(scope="session")
def catalog(any_server: TestServer) -> Iterator[Catalog]:
    """PyIceberg's catalog; storage keys are the client's own."""
    with connect(any_server) as catalog:
        yield catalog


@pytest.fixture(scope="session")
def spark_session() -> Iterator[SparkSession]:
    """The one Spark session; it is told of a catalog when a test first asks for it."""
    with running_spark() as session:
        yield session


@pytest.fixture(scope="session")
def spark(spark_session: SparkSession, any_server: TestServer) -> Engine:
    """Spark with the server of this round as its current catalog."""
    name = unique_name("cat")
    for key, value in catalog_options(name, configuration("spark", any_server)).items():
        spark_session.conf.set(key, value)
    return Engine(spark_session, name)


@pytest.fixture(scope="session")
def duck(any_server: TestServer) -> Iterator[DuckDB]:
    """DuckDB with the server of this round attached."""
    with running_duckdb(any_server) as duck:
        yield duck


@pytest.fixture(scope="session")
def js(any_server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JavaScript]:
    """iceberg-js, connected to the server of this round."""
    with running_js(any_server, tmp_path_factory.mktemp("js")) as js:
        yield js


def excuse_spark(items: list[pytest.Item]) -> None:
    """PySpark leaves the sockets of its results to the garbage collector; that is not ours to fail on."""
    for item in items:
        if {"spark", "spark_session"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))
