"""Clients that get new keys when theirs are about to end."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import SparkSession

from tests.clients.page import configuration
from tests.clients.people import ROWS
from tests.clients.pyiceberg import SCHEMA, connect
from tests.clients.spark import Engine, catalog_options
from tests.conftest import SHARED, MakeServer
from tests.contract.rights import on_namespace, person_with
from tests.factories import unique_name
from tests.support.faults import Exchange, Proxy
from tests.support.identities import Identities, secured_settings
from tests.support.minio import Minio
from tests.support.process import eventually
from tests.support.server import TestServer
from tests.support.warehouses import VendingWarehouse

EXPIRATION = re.compile(rb"(?<=<Expiration>)[^<]+")


def end_soon(exchange: Exchange) -> None:
    """Say of new keys that they end in less than the five minutes at which Java gets others."""
    status, body, headers = exchange.forward()
    end = datetime.now(UTC) + timedelta(minutes=4)
    exchange.answer(status, EXPIRATION.sub(end.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), body), headers)


@pytest.fixture(scope="module")
def sts(minio: Minio) -> Iterator[Proxy]:
    with Proxy(minio.endpoint, end_soon).running() as running:
        yield running


@pytest.fixture(scope="module")
def hasty(make_server: MakeServer, minio: Minio, sts: Proxy) -> Iterator[TestServer]:
    """A server whose vended keys end soon."""
    warehouse = VendingWarehouse(minio, minio.create_bucket("hasty"), "shared")
    with make_server(warehouse, settings={"storage.s3.sts_endpoint": sts.endpoint}) as running:
        SHARED.append(running)
        yield running
        SHARED.remove(running)


@pytest.fixture(scope="module")
def guarded(make_server: MakeServer, minio: Minio, sts: Proxy) -> Iterator[TestServer]:
    """Another one, which wants to know who asks."""
    warehouse = VendingWarehouse(minio, minio.create_bucket("hasty-guarded"), "shared")
    settings = secured_settings(storage__s3__sts_endpoint=sts.endpoint)
    with make_server(warehouse, settings=settings) as running:
        SHARED.append(running)
        yield running
        SHARED.remove(running)


def renewals(server: TestServer, namespace: str) -> int:
    """Return how often credentials of a table called t were asked for by themselves."""
    paths = [line.get("path") for line in server.logs() if line.get("msg") == "request completed"]
    return paths.count(f"/v1/default/namespaces/{namespace}/tables/t/credentials")


def test_spark_renews_keys_that_are_about_to_end(hasty: TestServer, spark_session: SparkSession) -> None:
    catalog = unique_name("hasty")
    for key, value in catalog_options(catalog, configuration("spark", hasty)).items():
        spark_session.conf.set(key, value)
    spark = Engine(spark_session, catalog)
    name = unique_name("ns")
    spark.rows(f"CREATE NAMESPACE {catalog}.{name}")
    spark.create(name, "t")
    spark.insert(name, "t", ROWS)
    assert spark.read(name, "t") == ROWS
    eventually(lambda: renewals(hasty, name) >= 1, 10, "Spark has asked for new keys")


def test_spark_renews_keys_as_the_principal_that_it_is(
    guarded: TestServer, spark_session: SparkSession
) -> None:
    """The renewal is a login and a session of its own in Java."""
    people, name = Identities(guarded), unique_name("ns")
    assert people.admin.post("/v1/namespaces", json={"namespace": [name]}).status_code == 200
    person, _ = person_with(people, on_namespace(name), "create")
    catalog = unique_name("guarded")
    options = {
        **catalog_options(catalog, configuration("spark", guarded)),
        f"spark.sql.catalog.{catalog}.credential": f"{person.name}:{person.secret}",
        f"spark.sql.catalog.{catalog}.rest.auth.type": "oauth2",
    }
    for key, value in options.items():
        spark_session.conf.set(key, value)
    spark = Engine(spark_session, catalog)
    spark.create(name, "t")
    spark.insert(name, "t", ROWS)
    assert spark.read(name, "t") == ROWS
    eventually(lambda: renewals(guarded, name) >= 1, 10, "Spark has asked for new keys")
    assert guarded.database is not None
    issued = "SELECT DISTINCT principal FROM audit_events WHERE action = 'credentials.issued'"
    assert guarded.database.query(issued) == [(person.name,)]


def test_spark_creates_a_table_as_it_is_queried(hasty: TestServer, spark_session: SparkSession) -> None:
    """The keys of a staged table cannot be renewed, as there is no table yet: Spark must not be told to."""
    catalog, name = unique_name("hasty"), unique_name("ns")
    for key, value in catalog_options(catalog, configuration("spark", hasty)).items():
        spark_session.conf.set(key, value)
    spark = Engine(spark_session, catalog)
    spark.rows(f"CREATE NAMESPACE {catalog}.{name}")
    spark.rows(f"CREATE TABLE {catalog}.{name}.t USING iceberg AS SELECT 1 AS id")
    assert spark.rows(f"SELECT id FROM {catalog}.{name}.t") == [(1,)]


def test_pyiceberg_renews_keys_when_it_is_told_to(hasty: TestServer) -> None:
    with connect(hasty) as catalog:
        name = unique_name("ns")
        catalog.create_namespace(name)
        table = catalog.create_table((name, "t"), SCHEMA)
        renewed = catalog.load_credentials((name, "t"), table.metadata_location)
        assert {"s3.access-key-id", "s3.secret-access-key", "s3.session-token"} <= set(renewed)
        assert renewed["s3.session-token-expires-at-ms"]
