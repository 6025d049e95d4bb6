"""Clients that log in at an external OpenID provider and show its tokens to the catalog."""

import time
from collections.abc import Iterator

import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import ForbiddenError, OAuthError, UnauthorizedError
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField
from pyspark.sql import SparkSession

from tests.clients.spark import Engine
from tests.conftest import MakeServer
from tests.contract.calls import ok
from tests.contract.rights import ROLES, SERVER, grant
from tests.factories import unique_name
from tests.support.identities import Identities, secured_settings
from tests.support.process import eventually
from tests.support.provider import Provider
from tests.support.server import TestServer

ROWS = Schema(NestedField(1, "id", LongType()))


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as running:
        running.add_client("loader", "loader-secret", seconds=3, groups=["writers"])
        running.add_client("spark", "spark-secret", seconds=8, groups=["writers"])
        running.add_client("guest", "guest-secret", groups=["guests"])
        yield running


@pytest.fixture(scope="module")
def trusting(make_server: MakeServer, provider: Provider) -> Iterator[TestServer]:
    """A server on which the role ``writer`` may do all; tokens are good for a few seconds."""
    mapping = "writers=writer, guests=guest"
    mapped = provider.settings(clock_skew="2s", roles_claim="groups", role_mapping=mapping)
    with make_server(settings=secured_settings() | mapped) as running:
        admin = Identities(running).admin
        for role, privilege in (("writer", "administer"), ("guest", "list")):
            ok(admin.post(ROLES, json={"name": role}), 201)
            grant(admin, SERVER, f"role:{role}", privilege)
        yield running


def test_pyiceberg_session_outlives_its_tokens(trusting: TestServer, provider: Provider) -> None:
    login = {"credential": "loader:loader-secret", "oauth2-server-uri": provider.token_url}
    with load_catalog("lake", type="rest", uri=trusting.url, **login) as catalog:
        space = unique_name("ns")
        catalog.create_namespace(space)
        table = catalog.create_table((space, "t"), ROWS)
        given = provider.tokens_given()
        younger = provider.token("loader", exp=int(time.time()) + 3)
        eventually(lambda: is_refused(trusting, younger), 10, "the session's token has expired")
        table.transaction().set_properties(a="b").commit_transaction()
        assert catalog.load_table((space, "t")).properties["a"] == "b"
        assert provider.tokens_given() > given


def is_refused(server: TestServer, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    with server.client() as client:
        return client.get("/v1/config", headers=headers).status_code == 401


def test_pyiceberg_may_what_its_role_may(trusting: TestServer, provider: Provider) -> None:
    login = {"credential": "guest:guest-secret", "oauth2-server-uri": provider.token_url}
    with load_catalog("lake", type="rest", uri=trusting.url, **login) as catalog:
        catalog.list_namespaces()
        with pytest.raises(ForbiddenError):
            catalog.create_namespace(unique_name("ns"))


def test_pyiceberg_with_a_wrong_secret_or_a_foreign_token(trusting: TestServer, provider: Provider) -> None:
    options = {"type": "rest", "uri": trusting.url, "oauth2-server-uri": provider.token_url}
    with pytest.raises(OAuthError):
        load_catalog("lake", **options, credential="loader:wrong")
    with pytest.raises(UnauthorizedError):
        load_catalog("lake", **options, token=provider.token("loader", aud="another"))


def test_spark_session_outlives_its_tokens(
    spark_session: SparkSession, trusting: TestServer, provider: Provider
) -> None:
    name = unique_name("vouched")
    options = {
        "type": "rest",
        "uri": trusting.url,
        "credential": "spark:spark-secret",
        "oauth2-server-uri": provider.token_url,
        "token-exchange-enabled": "false",
        "cache-enabled": "false",
    }
    spark_session.conf.set(f"spark.sql.catalog.{name}", "org.apache.iceberg.spark.SparkCatalog")
    for key, value in options.items():
        spark_session.conf.set(f"spark.sql.catalog.{name}.{key}", value)
    spark = Engine(spark_session, name)
    space = f"{name}.{unique_name('ns')}"
    spark.sql(f"CREATE NAMESPACE {space}")
    spark.sql(f"CREATE TABLE {space}.t (id INT) USING iceberg")
    younger = provider.token("spark", exp=int(time.time()) + 8)
    eventually(lambda: is_refused(trusting, younger), 20, "the session's first token has expired")
    spark.sql(f"INSERT INTO {space}.t VALUES (1), (2)")
    assert spark.value(f"SELECT count(*) FROM {space}.t") == 2
