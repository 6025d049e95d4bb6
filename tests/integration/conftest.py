"""PyIceberg and Spark, connected to the shared servers."""

import gc
from collections.abc import Iterator

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyspark.sql import SparkSession

from tests.factories import unique_name
from tests.integration.spark import Engine, catalog_options, running_spark
from tests.support.server import TestServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """PySpark leaves the sockets of its results to the garbage collector; that is not ours to fail on."""
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))


@pytest.fixture(scope="session")
def catalog(any_server: TestServer) -> Iterator[Catalog]:
    """PyIceberg's catalog; storage keys are the client's own."""
    catalog = connect(any_server)
    yield catalog
    catalog.close()


def connect(server: TestServer) -> Catalog:
    properties = {"type": "rest", "uri": server.url, "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"}
    return load_catalog(unique_name("catalog"), **properties, **server.warehouse.client_properties())


@pytest.fixture
def space(catalog: Catalog) -> str:
    """A namespace of this test."""
    name = unique_name("ns")
    catalog.create_namespace(name)
    return name


@pytest.fixture
def people() -> pa.Table:
    """Three rows: id (long, required), name, born (date-like long)."""
    schema = pa.schema(
        [pa.field("id", pa.int64(), nullable=False), ("name", pa.string()), ("born", pa.int64())]
    )
    rows = [(1, "Ada", 1815), (2, "Grace", 1906), (3, "Edsger", 1930)]
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)


@pytest.fixture(scope="session")
def spark_session() -> Iterator[SparkSession]:
    """The one Spark session; it is told of a catalog when a test first asks for it."""
    with running_spark() as session:
        yield session


@pytest.fixture(scope="session")
def spark(spark_session: SparkSession, any_server: TestServer) -> Engine:
    """Spark with the server of this round as its current catalog."""
    name = unique_name("cat")
    for key, value in catalog_options(name, any_server).items():
        spark_session.conf.set(key, value)
    return Engine(spark_session, name)


@pytest.fixture
def database(spark: Engine) -> Iterator[str]:
    """A namespace of this test, current in Spark; named with its catalog."""
    name = f"{spark.catalog}.{unique_name('ns')}"
    spark.sql(f"CREATE NAMESPACE {name}")
    spark.sql(f"USE {name}")
    yield name
    spark.sql("USE spark_catalog")
    gc.collect()
