"""The clients of ``make test``, connected to the shared servers."""

import gc
from collections.abc import Iterator

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog

from tests.clients.duck import DuckDB
from tests.clients.exchange import Exchange
from tests.clients.fixtures import catalog, duck, excuse_spark, js, spark, spark_session  # noqa: F401
from tests.clients.js import JavaScript
from tests.clients.pyiceberg import PyIceberg
from tests.clients.spark import Engine
from tests.factories import unique_name
from tests.support.server import TestServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    excuse_spark(items)


@pytest.fixture
def space(catalog: Catalog) -> str:  # noqa: F811
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


@pytest.fixture
def database(spark: Engine) -> Iterator[str]:  # noqa: F811
    """A namespace of this test, current in Spark; named with its catalog."""
    name = f"{spark.catalog}.{unique_name('ns')}"
    spark.sql(f"CREATE NAMESPACE {name}")
    spark.sql(f"USE {name}")
    yield name
    spark.sql("USE spark_catalog")
    gc.collect()


@pytest.fixture(scope="session")
def exchange(
    any_server: TestServer,
    catalog: Catalog,  # noqa: F811
    spark: Engine,  # noqa: F811
    duck: DuckDB,  # noqa: F811
    js: JavaScript,  # noqa: F811
) -> Exchange:
    """All of them at the server of this round."""
    return Exchange(any_server, [PyIceberg(catalog), spark, duck, js])
