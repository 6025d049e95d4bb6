"""The clients of ``make test-engines``, and as their counterparts those of ``make test``, at the shared servers."""

from collections.abc import Iterator

import pytest
from pyiceberg.catalog import Catalog

from tests.clients.duck import DuckDB
from tests.clients.exchange import Exchange
from tests.clients.fixtures import catalog, duck, excuse_spark, js, spark, spark_session  # noqa: F401
from tests.clients.js import JavaScript
from tests.clients.pyiceberg import PyIceberg
from tests.clients.spark import Engine
from tests.clients.trino import Trino, running_trino, session
from tests.support.server import TestServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    excuse_spark(items)


@pytest.fixture(scope="session")
def trino_port(
    server: TestServer, server_s3: TestServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """The port of a Trino that has both servers as catalogs."""
    catalogs = {"file": server, "s3": server_s3}
    with running_trino(catalogs, tmp_path_factory.mktemp("trino")) as port:
        yield port


@pytest.fixture(scope="session")
def trino(trino_port: int, any_server: TestServer, server: TestServer) -> Iterator[Trino]:
    """Trino with the server of this round as its current catalog."""
    with session(trino_port, "file" if any_server is server else "s3") as trino:
        yield trino


@pytest.fixture(scope="session")
def exchange(
    any_server: TestServer,
    catalog: Catalog,  # noqa: F811
    spark: Engine,  # noqa: F811
    duck: DuckDB,  # noqa: F811
    js: JavaScript,  # noqa: F811
    trino: Trino,
) -> Exchange:
    """All of them at the server of this round."""
    return Exchange(any_server, [PyIceberg(catalog), spark, duck, js, trino])
