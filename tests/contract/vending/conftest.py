"""A service that vends, and what stands between it and MinIO's token service."""

from collections.abc import Iterator

import pytest

from tests.conftest import SHARED, MakeServer
from tests.contract.calls import (
    Tabular,
    make_namespace,
    make_table,
)
from tests.contract.managed import Grounds
from tests.contract.vending.keys import BUCKET, OTHER, SECURED
from tests.support.faults import Exchange, Proxy
from tests.support.identities import Identities, secured_settings
from tests.support.minio import Minio
from tests.support.server import Client, TestServer
from tests.support.warehouses import VendingWarehouse


@pytest.fixture(scope="session")
def sts(minio: Minio) -> Iterator[Proxy]:
    """Stands before MinIO where the service asks for keys; tests say how it behaves."""
    with Proxy(minio.endpoint, Exchange.pass_through).running() as running:
        yield running


@pytest.fixture(scope="session")
def warehouse(minio: Minio) -> VendingWarehouse:
    minio.create_bucket(BUCKET)
    minio.create_bucket(OTHER)
    return VendingWarehouse(minio, BUCKET, "root", also=(OTHER,))


@pytest.fixture(scope="session")
def given(minio: Minio, sts: Proxy) -> Iterator[Grounds]:
    grounds = Grounds(minio.endpoint, sts.endpoint)
    yield grounds
    grounds.remove()


@pytest.fixture(scope="session")
def vending(
    make_server: MakeServer, warehouse: VendingWarehouse, sts: Proxy, given: Grounds
) -> Iterator[TestServer]:
    settings = {**given.settings(), "storage.s3.sts_endpoint": sts.endpoint, "storage.timeout": "2s"}
    with make_server(warehouse, settings=settings) as running:
        SHARED.append(running)
        yield running
        SHARED.remove(running)


@pytest.fixture
def client(vending: TestServer, sts: Proxy) -> Iterator[Client]:
    with Client(vending.url) as session:
        yield session
    sts.behave = Exchange.pass_through


@pytest.fixture
def namespace(client: Client) -> str:
    return make_namespace(client)


@pytest.fixture
def table(client: Client, namespace: str) -> Tabular:
    return make_table(client, namespace)


@pytest.fixture(scope="session")
def secured(make_server: MakeServer, minio: Minio) -> Iterator[TestServer]:
    warehouse = VendingWarehouse(minio, minio.create_bucket(SECURED), "root")
    with make_server(warehouse, settings=secured_settings()) as running:
        SHARED.append(running)
        yield running
        SHARED.remove(running)


@pytest.fixture(scope="session")
def people(secured: TestServer) -> Identities:
    return Identities(secured)


@pytest.fixture
def space(people: Identities) -> str:
    return make_namespace(people.admin)
