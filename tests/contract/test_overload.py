"""Waiting in vain: the pool is exhausted, a row is locked, a worker has too many requests."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pytest
import requests

from tests.conftest import MakeServer
from tests.contract.calls import (
    Tabular,
    assert_error,
    local,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    rename_request,
)
from tests.factories import create_table_request, set_properties, unique_name
from tests.support.process import eventually
from tests.support.server import Client, TestServer

IMPATIENT = {
    "database.max_open_conns": 4,  # two for each worker
    "database.acquire_timeout": "300ms",
    "catalog.lock_timeout": "1s",
    "limits.max_in_flight_per_worker": 20,
    "testing.enabled": "true",
    "testing.failpoints": "commit.files_written=sleep:500",  # as if storage were slow
}
pytestmark = pytest.mark.once("there is room for so many requests only")
CROWD = 10


@pytest.fixture(scope="module")
def scarce(make_server: MakeServer) -> Iterator[TestServer]:
    """A server with two connections per worker and little patience."""
    with make_server(settings=IMPATIENT) as running:
        yield running


@pytest.fixture
def table(scarce: TestServer) -> Iterator[Tabular]:
    with Client(scarce.url) as client:
        yield make_table(client, make_namespace(client))


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(100) as pool:
        yield pool


@contextmanager
def locked(server: TestServer, statement: str, *parameters: object) -> Iterator[Callable[[], int]]:
    """Hold what ``statement`` locks; the block gets a function that counts who waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
    assert server.database is not None
    with closing(server.database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        database = server.database
        yield lambda: int(database.query(waiting, database.name)[0][0])
        connection.rollback()


ALL = "LOCK TABLE namespaces IN ACCESS EXCLUSIVE MODE"


def ask(server: TestServer, method: str, path: str, **options: Any) -> requests.Response:
    with Client(server.url) as client:
        return client.request(method, path, **options)


def ask_the_database(server: TestServer) -> requests.Response:
    """No answer to a request with a range comes from memory."""
    return ask(server, "GET", namespace_path("x"), headers={"Range": "bytes=0-"})


def refused_while_all_connections_wait(
    server: TestServer, crowd: ThreadPoolExecutor, method: str, path: str, **options: Any
) -> requests.Response:
    """Return the answer to a request that found no free connection in its worker.

    Who waits for the lock gives up after a while, so that others have to take their place all the time.
    """
    holders: list[Future[requests.Response]] = []

    def refused() -> list[requests.Response]:
        holders.extend(crowd.submit(ask_the_database, server) for _ in range(4))
        answer = ask(server, method, path, **options)
        return [] if "holds the lock" in answer.text else [answer]

    with locked(server, ALL) as waiting:

        def occupy() -> bool:
            holders.append(crowd.submit(ask_the_database, server))
            return waiting() >= 4

        eventually(occupy, 10, "every worker waits for the lock")
        (answer,) = eventually(refused, 20, "the request finds no free connection", interval=0)
    for holder in holders:
        assert holder.result().status_code in {404, 503}
    return answer


@pytest.mark.parametrize(
    ("method", "path", "code", "kind"),
    [
        ("GET", "/v1/namespaces", 503, "ServiceUnavailableException"),
        ("HEAD", "/v1/namespaces/x", 503, None),
        ("POST", "/v1/namespaces", 429, "TooManyRequestsException"),
        ("POST", "/v1/namespaces/x/tables/t", 429, "TooManyRequestsException"),
        ("DELETE", "/v1/namespaces/x", 429, "TooManyRequestsException"),
    ],
)
def test_no_connection_in_time(
    scarce: TestServer, crowd: ThreadPoolExecutor, method: str, path: str, code: int, kind: str | None
) -> None:
    body = {"namespace": ["x"]} if path.endswith("/namespaces") else {"requirements": [], "updates": []}
    options = {"json": body} if method == "POST" else {}
    answer = refused_while_all_connections_wait(scarce, crowd, method, path, **options)
    assert int(answer.headers["Retry-After"]) >= 1
    if kind is None:
        assert (answer.status_code, answer.content) == (code, b"")
        return
    message = assert_error(answer, code, kind)
    assert "database.max_open_conns" in message
    assert ask(scarce, "GET", "/v1/namespaces").status_code == 200


ROW = "SELECT FROM tabulars WHERE name = %s FOR UPDATE"


def test_commit_waits_for_a_row_only_so_long(scarce: TestServer, table: Tabular) -> None:
    before, files = table.load(), table.files()
    with locked(scarce, ROW, table.name):
        answer = table.try_commit(set_properties(a="1"))
        assert_error(answer, 409, "CommitFailedException")
        assert table.load() == before
    assert table.files() == files
    table.commit(set_properties(a="1"))


def test_commit_gets_the_row_when_it_is_free_again(
    scarce: TestServer, table: Tabular, crowd: ThreadPoolExecutor
) -> None:
    with locked(scarce, ROW, table.name) as waiting:
        commit = crowd.submit(table.try_commit, set_properties(a="1"))
        eventually(lambda: waiting() == 1, 10, "the commit waits for the row")
    assert ok(commit.result())["metadata"]["properties"]["a"] == "1"


OPEN = "SELECT state FROM pg_stat_activity WHERE datname = %s AND application_name = 'bingsan' AND state <> 'idle'"


def test_commit_holds_no_connection_while_it_writes(
    scarce: TestServer, table: Tabular, crowd: ThreadPoolExecutor
) -> None:
    assert scarce.database is not None
    folder = local(table.location).parent
    with closing(scarce.database.connect()) as connection, connection.cursor() as cursor:
        commit = crowd.submit(table.try_commit, set_properties(a="1"))
        eventually(lambda: len(list(folder.glob("*.json"))) == 2, 10, "the file is written")
        cursor.execute(OPEN, (scarce.database.name,))
        assert cursor.fetchall() == []
        assert not commit.done()
    assert ok(commit.result())


def test_commit_holds_one_connection_while_it_waits_for_its_row(
    scarce: TestServer, table: Tabular, crowd: ThreadPoolExecutor
) -> None:
    assert scarce.database is not None
    with locked(scarce, ROW, table.name) as waiting:
        commit = crowd.submit(table.try_commit, set_properties(a="1"))
        eventually(lambda: waiting() == 1, 10, "the commit waits for the row")
        assert scarce.database.query(OPEN, scarce.database.name) == [("active",)]
    assert ok(commit.result())


def test_others_wait_for_a_row_only_so_long(scarce: TestServer, table: Tabular) -> None:
    client, ends = table.client, ((table.namespace, table.name), (table.namespace, unique_name("n")))
    with locked(scarce, ROW, table.name):
        for answer in (
            client.delete(table.path),
            client.post("/v1/tables/rename", json=rename_request(*ends)),
        ):
            assert_error(answer, 503, "ServiceUnavailableException")
            assert int(answer.headers["Retry-After"]) >= 1
    no_content(client.delete(table.path))


def test_namespace_that_is_locked(scarce: TestServer, table: Tabular) -> None:
    client, space = table.client, namespace_path(table.namespace)
    with locked(scarce, "SELECT FROM namespaces WHERE levels = %s FOR UPDATE", [table.namespace]):
        update = client.post(f"{space}/properties", json={"updates": {"a": "1"}})
        assert_error(update, 503, "ServiceUnavailableException")
        create = client.post(f"{space}/tables", json=create_table_request("new"))
        assert_error(create, 503, "ServiceUnavailableException")  # clients take a 409 for a taken name
        assert int(create.headers["Retry-After"]) >= 1
        assert ok(client.get(space))["namespace"] == [table.namespace]
        table.commit(set_properties(a="1"))
    ok(client.post(f"{space}/properties", json={"updates": {"a": "1"}}))
    view = make_view(client, table.namespace, "new")
    assert len(view.files()) == 1


def test_too_many_requests_in_one_worker(scarce: TestServer, crowd: ThreadPoolExecutor) -> None:
    """Above limits.max_in_flight_per_worker requests are refused at once; health checks never are."""
    with locked(scarce, "LOCK TABLE namespaces, tabulars IN ACCESS EXCLUSIVE MODE"):
        gets = [crowd.submit(ask_the_database, scarce) for _ in range(60)]
        posts = [
            crowd.submit(ask, scarce, "POST", "/v1/namespaces", json={"namespace": ["a"]}) for _ in range(40)
        ]
        health = ask(scarce, "GET", "/health")
        answers = [future.result() for future in (*gets, *posts)]
    assert health.status_code == 200
    kinds = {"GET": (503, "SlowDownException"), "POST": (429, "TooManyRequestsException")}
    refused = [answer for answer in answers if "max_in_flight_per_worker" in answer.text]
    assert refused
    for answer in refused:
        code, kind = kinds[str(answer.request.method)]
        assert_error(answer, code, kind)
        assert int(answer.headers["Retry-After"]) >= 1
    assert {answer.status_code for answer in answers} <= {200, 429, 503}
    assert ask(scarce, "GET", "/v1/namespaces").status_code == 200
