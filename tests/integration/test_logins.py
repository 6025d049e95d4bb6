"""Clients that log in, and whose tokens expire while they work."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from py4j.protocol import Py4JJavaError
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import OAuthError, UnauthorizedError
from pyspark.sql import SparkSession

from tests.clients.duck import load_extensions
from tests.clients.js import run_js
from tests.clients.login import login
from tests.clients.page import configuration
from tests.clients.program import ClientError
from tests.clients.spark import Engine, catalog_options
from tests.conftest import MakeServer
from tests.factories import unique_name
from tests.support.identities import Identities, Person, secured_settings
from tests.support.proc import is_alive
from tests.support.process import eventually, send
from tests.support.server import TestServer

LIFETIME = 4


@pytest.fixture(scope="module")
def brief(make_server: MakeServer) -> Iterator[Identities]:
    """The people of a server whose tokens last four seconds."""
    with make_server(settings=secured_settings(auth__token_expiry=f"{LIFETIME}s")) as running:
        yield Identities(running)


def pyiceberg(server: TestServer, client: str = "PyIceberg", **who: Any) -> Catalog:
    scope: dict[str, Catalog] = {}
    exec(login(client, server, **who), scope)
    return scope["catalog"]


def use(catalog: Catalog) -> None:
    """Make a namespace and a table, write and read."""
    space = unique_name("ns")
    catalog.create_namespace(space)
    rows = pa.table({"id": [1, 2, 3]})
    table = catalog.create_table((space, "t"), rows.schema)
    table.append(rows)
    assert catalog.load_table((space, "t")).scan().to_arrow().num_rows == 3


def answered(server: TestServer, status: int = 200, path: str = "/v1/oauth/tokens") -> int:
    """Return how many requests of a path were answered so."""
    return sum(line.get("path") == path and line["status"] == status for line in server.logs())


def outlive(identities: Identities) -> None:
    """Return when every token that was given out before is surely over."""
    client = identities.with_token(identities.token(identities.root))
    eventually(lambda: client.get("/v1/config").status_code == 401, 3 * LIFETIME, "the token has expired")


class TestPyIceberg:
    def test_credential(self, secured: TestServer, identities: Identities) -> None:
        use(pyiceberg(secured, person=identities.root))

    def test_key(self, secured: TestServer, identities: Identities) -> None:
        key = identities.key(identities.root)["key"]
        use(pyiceberg(secured, "PyIceberg with a key", key=key))

    def test_token(self, secured: TestServer, identities: Identities) -> None:
        use(pyiceberg(secured, "PyIceberg with a key", key=identities.token(identities.root)))

    def test_basic(self, secured: TestServer, identities: Identities) -> None:
        """The manager of later versions shows the client in the header and needs ``expires_in``."""
        root = identities.root
        oauth2 = {
            "client_id": root.name,
            "client_secret": root.secret,
            "token_url": f"{secured.url}/v1/oauth/tokens",
        }
        catalog = load_catalog(
            "bingsan", type="rest", uri=secured.url, auth={"type": "oauth2", "oauth2": oauth2}
        )
        use(catalog)

    def test_wrong_secret(self, secured: TestServer, identities: Identities) -> None:
        with pytest.raises(OAuthError, match="invalid_client"):
            pyiceberg(secured, person=Person("root", "wrong"))
        with pytest.raises(UnauthorizedError, match="NotAuthorizedException"):
            pyiceberg(secured, "PyIceberg with a key", key="bingsan_" + "x" * 43)

    def test_token_expires_within_the_session(self, brief: Identities) -> None:
        catalog = pyiceberg(brief.server, person=brief.root)
        for round_ in range(2):
            use(catalog)
            outlive(brief)
            use(catalog)
            met_expired_tokens(brief.server, round_ + 1)


def met_expired_tokens(server: TestServer, times: int) -> None:
    """Check that so many requests came with an expired token and were repeated with another one."""
    eventually(lambda: answered(server, 401, "/v1/namespaces") >= times, 5, "expired tokens are in the log")


class TestDuckDB:
    def test_credential(self, secured: TestServer, identities: Identities) -> None:
        space = unique_name("ns")
        with duckdb.connect() as connection:
            load_extensions(connection)
            connection.execute(login("DuckDB", secured, identities.root))
            connection.execute(f"CREATE SCHEMA bingsan.{space}")
            connection.execute(f"CREATE TABLE bingsan.{space}.t AS SELECT range AS id FROM range(5)")
            assert connection.execute(f"SELECT sum(id) FROM bingsan.{space}.t").fetchall() == [(10,)]

    def test_wrong_secret(self, secured: TestServer) -> None:
        with duckdb.connect() as connection:
            load_extensions(connection)
            with pytest.raises(duckdb.Error, match=r"invalid_client|401|Unauthorized"):
                connection.execute(login("DuckDB", secured, Person("root", "wrong")))


def test_iceberg_js(secured: TestServer, identities: Identities, tmp_path: Path) -> None:
    key = identities.key(identities.root)["key"]
    with run_js(login("iceberg-js with a key", secured, key=key), tmp_path) as js:
        space = {"namespace": [unique_name("ns")]}
        js.call("createNamespace", space)
        assert js.call("namespaceExists", space) is True
    other = tmp_path / "other"
    other.mkdir()
    with run_js(login("iceberg-js with a key", secured, key="bingsan_x"), other) as js:
        with pytest.raises(ClientError) as caught:
            js.call("createNamespace", space)
        assert caught.value.details["status"] == 401


class TestSpark:
    def connected(self, session: SparkSession, identities: Identities) -> Engine:
        """Spark with a catalog of its own that logs in."""
        name, server = unique_name("cat"), identities.server
        page = configuration("spark", server) + login("Spark", server, identities.root)
        for key, value in catalog_options(name, page).items():
            session.conf.set(key, value)
        return Engine(session, name)

    def work(self, spark: Engine) -> None:
        space = f"{spark.catalog}.{unique_name('ns')}"
        spark.sql(f"CREATE NAMESPACE {space}")
        spark.sql(f"CREATE TABLE {space}.t (id BIGINT) USING iceberg")
        spark.sql(f"INSERT INTO {space}.t VALUES (1), (2)")
        assert spark.value(f"SELECT count(*) FROM {space}.t") == 2

    def test_token_expires_within_the_session(self, spark_session: SparkSession, brief: Identities) -> None:
        """Java exchanges its token before it ends, as often as needed, and never meets an expired one."""
        spark = self.connected(spark_session, brief)
        self.work(spark)
        before = answered(brief.server)

        def exchanged() -> bool:
            self.work(spark)
            return answered(brief.server) >= before + 3

        eventually(exchanged, 60, "three tokens were exchanged while Spark worked")
        assert answered(brief.server, 401) == 0

    def test_expired_token_is_exchanged_by_the_client(
        self, spark_session: SparkSession, brief: Identities
    ) -> None:
        """The server is frozen when Java wants to refresh: its token ends meanwhile, and it logs in beside it."""
        spark = self.connected(spark_session, brief)
        self.work(spark)
        given, refused = answered(brief.server), answered(brief.server, 400)
        with frozen(brief.server):
            time.sleep(LIFETIME + 1)  # nobody could tell that the time has come
        eventually(lambda: answered(brief.server, 400) > refused, 20, "an expired token alone was refused")
        eventually(lambda: answered(brief.server) > given, 20, "with the client's secret beside it was taken")

        def works_again() -> bool:
            with suppress(Py4JJavaError):  # Java does not repeat a request that met an expired token
                self.work(spark)
                return True
            return False

        eventually(works_again, 20, "the session goes on with another token")


@contextmanager
def frozen(server: TestServer) -> Iterator[None]:
    """Stop all workers for the time of the block; connections stay open."""
    pids = [pid for pid in server.workers() if is_alive(pid)]
    for pid in pids:
        send(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            send(pid, signal.SIGCONT)
