"""Fixtures that start everything a test needs; what cannot be started is an error, never a skip."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import hypothesis
import pytest

from tests.factories import unique_name
from tests.support.identities import Identities, secured_settings
from tests.support.minio import Minio
from tests.support.nodes import Nodes, hold_settings
from tests.support.postgres import DatabaseAddress, Postgres
from tests.support.process import eventually
from tests.support.server import Client, TestServer
from tests.support.warehouses import LocalWarehouse, S3Warehouse, VendingWarehouse, Warehouse

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
SHARED: list[TestServer] = []
MakeServer = Callable[..., AbstractContextManager[TestServer]]
MakeNodes = Callable[..., AbstractContextManager[Nodes]]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this test session."""
    with Postgres() as running:
        yield running


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> DatabaseAddress:
    """A database with the current schema and nothing in it, to clone from."""
    database = postgres.create_database()
    warehouse = LocalWarehouse()
    node = TestServer(warehouse, database)
    outcome = node.cli("migrate")
    node.remove()
    warehouse.remove()
    assert outcome.code == 0, outcome
    return database


@pytest.fixture
def database(postgres: Postgres, template: DatabaseAddress) -> Iterator[DatabaseAddress]:
    """A migrated empty database for one test."""
    clone = postgres.clone(template)
    yield clone
    postgres.drop(clone)


@pytest.fixture(scope="session")
def minio() -> Iterator[Minio]:
    """A MinIO of this test session."""
    with Minio() as running:
        yield running


@pytest.fixture(scope="session")
def make_server(postgres: Postgres, template: DatabaseAddress) -> MakeServer:
    """Start a server: ``with make_server(settings={"limits.max_columns": 3}) as server``.

    Without ``warehouse`` it gets a new folder, without ``database`` a clone of the template. Both are removed
    and leaks are checked at the end.
    """

    @contextmanager
    def make(
        warehouse: Warehouse | None = None, database: DatabaseAddress | None = None, **options: Any
    ) -> Iterator[TestServer]:
        place = warehouse or LocalWarehouse()
        address = database or postgres.clone(template)
        with TestServer(place, address, **options) as running:
            yield running
        if database is None:
            eventually(lambda: not postgres.connections(address), 5, "no connection is left open")
            postgres.drop(address)
        if warehouse is None:
            place.remove()

    return make


@pytest.fixture(scope="session")
def server(make_server: MakeServer) -> Iterator[TestServer]:
    """The server that tests share, on local files; use names of your own (``namespace``)."""
    with make_server() as running:
        SHARED.append(running)
        yield running
        SHARED.remove(running)


@pytest.fixture(scope="session")
def secured(make_server: MakeServer) -> Iterator[TestServer]:
    """A server that wants to know who asks; ``identities`` has its people."""
    with make_server(settings=secured_settings()) as running:
        SHARED.append(running)
        yield running
        SHARED.remove(running)


@pytest.fixture(scope="session")
def identities(secured: TestServer) -> Identities:
    """The people of ``secured``: ``identities.admin``, ``identities.as_(identities.person())``."""
    return Identities(secured)


@pytest.fixture(scope="session")
def admin(identities: Identities) -> Client:
    """An HTTP session to ``secured`` of one who may do all."""
    return identities.admin


@pytest.fixture(scope="session")
def server_s3(make_server: MakeServer, minio: Minio) -> Iterator[TestServer]:
    """The same on MinIO."""
    warehouse = S3Warehouse(minio, minio.create_bucket("warehouse"), "shared")
    with make_server(warehouse) as running:
        SHARED.append(running)
        yield running
        SHARED.remove(running)


@pytest.fixture(scope="session")
def server_vended(make_server: MakeServer, minio: Minio) -> Iterator[TestServer]:
    """The same for clients without keys, to which it vends some."""
    warehouse = VendingWarehouse(minio, minio.create_bucket("vended"), "shared")
    with make_server(warehouse) as running:
        SHARED.append(running)
        yield running
        SHARED.remove(running)


@pytest.fixture(scope="session", params=["file", "s3"])
def any_server(request: pytest.FixtureRequest) -> TestServer:
    """The shared server on local files, then the one on MinIO."""
    return request.getfixturevalue("server" if request.param == "file" else "server_s3")


@pytest.fixture(scope="session")
def make_nodes(
    make_server: MakeServer,
    postgres: Postgres,
    template: DatabaseAddress,
    tmp_path_factory: pytest.TempPathFactory,
) -> MakeNodes:
    """Start nodes of two workers each on one database and one folder; requests can be stopped on their way.

    ``make_nodes(count=3, settings={...})``; without arguments two.
    """

    @contextmanager
    def make(count: int = 2, settings: dict[str, Any] | None = None) -> Iterator[Nodes]:
        warehouse, database = LocalWarehouse(), postgres.clone(template)
        folder = tmp_path_factory.mktemp("failpoints")
        options: dict[str, Any] = {"warehouse": warehouse, "database": database}
        options["settings"] = hold_settings(folder) | (settings or {})
        with ExitStack() as stack:
            first, second, *more = (stack.enter_context(make_server(**options)) for _ in range(count))
            yield Nodes(first, second, folder, *more)
        eventually(lambda: not postgres.connections(database), 5, "no connection is left open")
        postgres.drop(database)
        warehouse.remove()

    return make


@pytest.fixture(scope="session")
def nodes(make_nodes: MakeNodes) -> Iterator[Nodes]:
    """The two nodes that tests share; use names of your own."""
    with make_nodes() as running:
        SHARED.extend(running.servers)
        yield running
        for server in running.servers:
            SHARED.remove(server)


@pytest.fixture(scope="module", autouse=True)
def nothing_leaks() -> Iterator[None]:
    """After each module the shared servers hold no open transaction, no lock and no file."""
    yield
    eventually(all_at_rest, 10, "the shared servers are at rest")


def all_at_rest() -> bool:
    faults = [fault for running in SHARED for fault in running.faults_at_rest()]
    assert not faults, faults
    return True


@pytest.fixture
def client(server: TestServer) -> Iterator[Client]:
    """An HTTP session to the shared server."""
    with Client(server.url) as session:
        yield session


@pytest.fixture
def namespace(client: Client) -> str:
    """A new namespace of the shared server."""
    name = unique_name("ns")
    answer = client.post("/v1/namespaces", json={"namespace": [name]})
    assert answer.status_code == 200, answer.text
    return name
