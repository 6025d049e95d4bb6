"""The database freezes, closes connections, goes away and comes back."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.conftest import MakeServer
from tests.contract.calls import (
    Tabular,
    assert_error,
    at_once,
    make_namespace,
    make_table,
    namespace_path,
    ok,
)
from tests.factories import commit_request, set_properties, unique_name
from tests.support.postgres import Postgres
from tests.support.process import eventually
from tests.support.server import Client, TestServer

pytestmark = pytest.mark.once("the database is away")
QUICK = {"database.statement_timeout": "500ms", "catalog.lock_timeout": "400ms"}


@pytest.fixture(scope="module")
def quick(make_server: MakeServer) -> Iterator[TestServer]:
    """A server that gives up on a silent database soon."""
    with make_server(settings=QUICK) as running:
        yield running


@pytest.fixture
def table(quick: TestServer) -> Iterator[Tabular]:
    with Client(quick.url) as client:
        yield make_table(client, make_namespace(client))


def ask(server: TestServer, method: str, path: str, **options: Any) -> requests.Response:
    with Client(server.url) as client:
        return client.request(method, path, **options)


def not_ready(server: TestServer, path: str) -> bool:
    """Whether several connections, and so both workers, hear 503; every answer comes while nothing else moves."""
    return all(ask(server, "GET", path, timeout=5).status_code == 503 for _ in range(6))


def unready_head(client: Client) -> list[Any]:
    """Status and body of a HEAD, or nothing while it is not 503."""
    answer = client.head("/ready", timeout=5)
    return [answer.status_code, answer.content] if answer.status_code == 503 else []


def unavailable(answer: Any) -> None:
    assert_error(answer, 503, "ServiceUnavailableException")
    assert int(answer.headers["Retry-After"]) >= 1


def test_frozen_database(quick: TestServer, table: Tabular, postgres: Postgres) -> None:
    before, files = table.load(), table.files()
    client = table.client
    with postgres.paused():
        eventually(lambda: not_ready(quick, "/ready"), 10, "every worker knows that the database is silent")
        eventually(
            lambda: ask(quick, "GET", "/ready").json()["checks"] == {"database": "failed"}, 10, "it says why"
        )
        assert ask(quick, "GET", "/health").status_code == 200
        body = {"namespace": [unique_name("n")]}
        load, create, exists, commit = at_once(
            [
                lambda: ask(quick, "GET", table.path),
                lambda: ask(quick, "POST", "/v1/namespaces", json=body),
                lambda: ask(quick, "HEAD", table.path),
                lambda: ask(quick, "POST", table.path, json=commit_request(set_properties(a="1"))),
            ]
        )
        unavailable(load)
        unavailable(create)
        unavailable(commit)
        assert exists.status_code == 503
    eventually(lambda: client.get("/ready").status_code == 200, 10, "ready again")
    assert eventually(lambda: client.get(table.path).json(), 10, "loads again") == before
    assert table.files() == files
    table.commit(set_properties(a="1"))


def test_ready_is_503_also_under_its_other_name(quick: TestServer, postgres: Postgres) -> None:
    with Client(quick.url) as client:
        with postgres.paused():
            eventually(lambda: not_ready(quick, "/health/ready"), 10, "the probe has noticed")
            assert client.get("/health/live", timeout=5).status_code == 200
            # The six answers may have come from one worker; the other one has two seconds as well.
            head = eventually(lambda: unready_head(client), 10, "HEAD says the same")
            assert head == [503, b""]
        eventually(lambda: client.get("/health/ready").status_code == 200, 10, "ready again")


def test_connections_that_the_server_closed_are_replaced(
    quick: TestServer, table: Tabular, postgres: Postgres
) -> None:
    """An administrator, a failover or a firewall ends idle connections: nobody notices."""
    database = quick.database
    assert database is not None
    for _ in range(3):
        postgres.admin(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", database.name
        )
        eventually(lambda: not busy(postgres, database.name), 10, "no connection is left")
        for _ in range(4):
            with Client(quick.url) as client:
                assert client.get(table.path).status_code == 200
        table.commit(set_properties(a="1"))
        ok(table.client.post(f"{namespace_path(table.namespace)}/properties", json={"updates": {"a": "1"}}))


def busy(postgres: Postgres, name: str) -> list[tuple[Any, ...]]:
    query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND application_name = 'bingsan'"
    return postgres.admin(query, name)


def test_database_gone_and_back(quick: TestServer, table: Tabular, postgres: Postgres) -> None:
    database = quick.database
    assert database is not None
    before, files = table.load(), table.files()
    closed = f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS '
    postgres.admin(closed + "false")
    postgres.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", database.name)
    try:
        eventually(lambda: table.client.get("/ready").status_code == 503, 10, "not ready any more")
        unavailable(table.client.get(table.path))
        unavailable(table.client.delete(table.path))
        unavailable(table.try_commit(set_properties(a="1")))
        assert table.client.get("/health").status_code == 200
    finally:
        postgres.admin(closed + "true")
    eventually(lambda: table.client.get("/ready").status_code == 200, 10, "ready again")
    assert table.load() == before
    assert table.files() == files
    table.commit(set_properties(a="1"))


def test_statement_that_takes_too_long(quick: TestServer, table: Tabular) -> None:
    """A lock that nobody gives back ends in 503 for reads, and the connection is good again afterwards."""
    database = quick.database
    assert database is not None
    connection = database.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE tabulars IN ACCESS EXCLUSIVE MODE")
        unavailable(table.client.get(table.path))
    connection.close()
    assert table.client.get(table.path).status_code == 200
