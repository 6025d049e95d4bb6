"""The clients of ``make test-engines``, and as their counterparts those of ``make test``, at the shared servers."""

from collections.abc import Iterator

import pytest
from pyiceberg.catalog import Catalog

from tests.clients.duck import DuckDB
from tests.clients.exchange import Exchange
from tests.clients.fixtures import catalog, duck, excuse_spark, js, spark, spark_session  # noqa: F401
from tests.clients.flink import Flink, running_flink
from tests.clients.go import IcebergGo
from tests.clients.js import JavaScript
from tests.clients.program import Program
from tests.clients.pyiceberg import PyIceberg
from tests.clients.spark import Engine
from tests.clients.spark35 import Spark35, running_spark35
from tests.clients.trino import Trino, running_trino, session
from tests.support.server import TestServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    excuse_spark(items)


@pytest.fixture(scope="session")
def both(server: TestServer, server_s3: TestServer) -> dict[str, TestServer]:
    """The shared servers by the name of their catalog, for engines that start once for both."""
    return {"file": server, "s3": server_s3}


@pytest.fixture(scope="session")
def all_three(both: dict[str, TestServer], server_vended: TestServer) -> dict[str, TestServer]:
    """The same with the one for clients without keys, for engines that take them from the catalog."""
    return {**both, "vended": server_vended}


@pytest.fixture(scope="session")
def current(any_server: TestServer, both: dict[str, TestServer]) -> str:
    """The catalog of this round."""
    return next(name for name, server in both.items() if server is any_server)


@pytest.fixture(scope="session")
def trino_port(all_three: dict[str, TestServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of the one Trino."""
    with running_trino(all_three, tmp_path_factory.mktemp("trino")) as port:
        yield port


@pytest.fixture(scope="session")
def trino(trino_port: int, current: str) -> Iterator[Trino]:
    """Trino with the server of this round as its current catalog."""
    with session(trino_port, current) as trino:
        yield trino


@pytest.fixture(scope="session")
def spark35_program(
    both: dict[str, TestServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    """The one process of Spark 3.5."""
    with running_spark35(both, tmp_path_factory.mktemp("spark35")) as program:
        yield program


@pytest.fixture(scope="session")
def spark35(spark35_program: Program, current: str) -> Spark35:
    """Spark 3.5 at the server of this round."""
    return Spark35(spark35_program, current)


@pytest.fixture(scope="session")
def flink_program(
    all_three: dict[str, TestServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    """The one process of Flink."""
    with running_flink(all_three, tmp_path_factory.mktemp("flink")) as program:
        yield program


@pytest.fixture(scope="session")
def flink(flink_program: Program, current: str) -> Flink:
    """Flink at the server of this round."""
    return Flink(flink_program, current)


@pytest.fixture(scope="session")
def go(any_server: TestServer) -> IcebergGo:
    """iceberg-go at the server of this round."""
    return IcebergGo(any_server)


@pytest.fixture(scope="session")
def exchange(
    any_server: TestServer,
    catalog: Catalog,  # noqa: F811
    spark: Engine,  # noqa: F811
    duck: DuckDB,  # noqa: F811
    js: JavaScript,  # noqa: F811
    trino: Trino,
    spark35: Spark35,
    flink: Flink,
    go: IcebergGo,
) -> Exchange:
    """All of them at the server of this round."""
    return Exchange(any_server, [PyIceberg(catalog), spark, duck, js, trino, spark35, flink, go])
