"""Clients that log in and hold no storage keys: they have as much signed as their rights reach."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from tests.clients.people import ROWS
from tests.clients.program import ClientError
from tests.clients.signed import signed_pyiceberg, signed_spark
from tests.clients.spark import Engine
from tests.conftest import MakeServer
from tests.contract.calls import make_namespace
from tests.contract.rights import on_namespace, person_with
from tests.factories import unique_name
from tests.support.identities import Identities, Person, secured_settings
from tests.support.minio import Minio
from tests.support.warehouses import SigningWarehouse


@pytest.fixture(scope="module")
def people(make_server: MakeServer, minio: Minio) -> Iterator[Identities]:
    warehouse = SigningWarehouse(minio, minio.create_bucket("signing-logins"), "root")
    with make_server(warehouse, settings=secured_settings()) as running:
        yield Identities(running)


@pytest.fixture(scope="module")
def space(people: Identities) -> str:
    return make_namespace(people.admin)


@pytest.fixture(scope="module")
def writer(people: Identities, space: str) -> Person:
    return person_with(people, on_namespace(space), "create", "read-metadata", "list")[0]


@pytest.fixture(scope="module")
def reader(people: Identities, space: str) -> Person:
    return person_with(people, on_namespace(space), "list", "read-metadata", "read-data", "vend")[0]


@pytest.fixture(scope="module")
def spark(people: Identities, spark_session: SparkSession, writer: Person) -> Engine:
    """The signer of Java logs in by itself, for a token with the scope ``sign``."""
    login = {"credential": f"{writer.name}:{writer.secret}"}
    return signed_spark(spark_session, people.server, unique_name("writer"), **login)


def test_who_creates_a_table_writes_it(
    spark: Engine, people: Identities, space: str, reader: Person, tmp_path_factory: pytest.TempPathFactory
) -> None:
    spark.create(space, "made")
    spark.insert(space, "made", ROWS)
    spark.sql(
        f"CREATE TABLE {spark.catalog}.{space}.staged USING iceberg AS SELECT * FROM {spark.catalog}.{space}.made"
    )
    assert spark.read(space, "staged") == spark.read(space, "made") == ROWS
    before = people.server.warehouse.files()
    with signed_pyiceberg(people.server, tmp_path_factory.mktemp("reader"), reader) as pyiceberg:
        assert pyiceberg.read(space, "made") == ROWS
        with pytest.raises(ClientError, match="Failed to sign request 403"):
            pyiceberg.insert(space, "made", ROWS)
    assert people.server.warehouse.files() == before


def test_writer_of_python(
    people: Identities, space: str, writer: Person, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with signed_pyiceberg(people.server, tmp_path_factory.mktemp("writer"), writer) as pyiceberg:
        pyiceberg.create(space, "python")
        pyiceberg.insert(space, "python", ROWS)
        assert pyiceberg.read(space, "python") == ROWS
