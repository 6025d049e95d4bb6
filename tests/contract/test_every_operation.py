"""What every operation of the specification answers alike: malformed requests, absent and deactivated warehouses,
a database that is gone or broken, commits whose outcome nobody knows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from tests.conftest import MakeServer
from tests.contract.calls import (
    assert_error,
    create_view_request,
    make_namespace,
    make_table,
    make_view,
    rename_request,
)
from tests.contract.test_credentials import SIGN
from tests.factories import commit_request, create_table_request, set_properties
from tests.support.own_document import own_document
from tests.support.postgres import Postgres
from tests.support.process import eventually
from tests.support.server import Client, TestServer

REPORT = {
    "report-type": "commit-report",
    "table-name": "a.t",
    "snapshot-id": 1,
    "sequence-number": 1,
    "operation": "append",
    "metrics": {},
}
BODIES: dict[str, Any] = {
    "POST /v1/{prefix}/namespaces": {"namespace": ["a"]},
    "POST /v1/{prefix}/namespaces/{namespace}/properties": {"updates": {"a": "1"}},
    "POST /v1/{prefix}/namespaces/{namespace}/tables": create_table_request("t"),
    "POST /v1/{prefix}/namespaces/{namespace}/register": {"name": "t", "metadata-location": "file:///a.json"},
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}": commit_request(set_properties(a="1")),
    "POST /v1/{prefix}/tables/rename": rename_request(("a", "t"), ("a", "u")),
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/sign": SIGN,
    "POST /v1/{prefix}/aws/s3/sign": SIGN,
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics": REPORT,
    "POST /v1/{prefix}/namespaces/{namespace}/views": create_view_request("v"),
    "POST /v1/{prefix}/namespaces/{namespace}/register-view": {"name": "v", "metadata-location": "file:///a"},
    "POST /v1/{prefix}/namespaces/{namespace}/views/{view}": commit_request(set_properties(a="1")),
    "POST /v1/{prefix}/views/rename": rename_request(("a", "v"), ("a", "w")),
    "POST /v1/{prefix}/transactions/commit": {
        "table-changes": [
            {"identifier": {"namespace": ["a"], "name": "t"}, **commit_request(set_properties(a="1"))}
        ]
    },
}


class Operation(NamedTuple):
    """``name`` is method and template."""

    name: str
    takes_pages: bool

    @property
    def method(self) -> str:
        return self.name.partition(" ")[0]

    def path(self, prefix: str = "default", namespace: str = "a") -> str:
        template = self.name.partition(" ")[2].replace("{prefix}", prefix).replace("{namespace}", namespace)
        return template.replace("{", "").replace("}", "")

    def ask(self, client: Client, path: str | None = None, **options: Any) -> requests.Response:
        if self.name in BODIES:
            options.setdefault("json", BODIES[self.name])
        return client.request(self.method, path or self.path(), **options)


def _operations() -> list[Operation]:
    found = []
    for path, item in own_document()["paths"].items():
        for method, operation in item.items():
            if path.startswith("/v1/{prefix}") and method != "parameters":
                references = [parameter.get("$ref", "") for parameter in operation.get("parameters", [])]
                pages = any(reference.endswith("/pageSize") for reference in references)
                found.append(Operation(f"{method.upper()} {path}", pages))
    return found


OPERATIONS = _operations()
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def refused(answer: requests.Response, status: int, kind: str) -> None:
    """Check an error; a HEAD has no body to say it in."""
    if answer.request.method == "HEAD":
        assert (answer.status_code, answer.content) == (status, b"")
    else:
        assert_error(answer, status, kind)


def test_every_body_is_for_an_operation_that_takes_one() -> None:
    paths = own_document()["paths"]
    taking = {
        f"{method.upper()} {path}"
        for path, item in paths.items()
        for method, operation in item.items()
        if path.startswith("/v1/{prefix}/") and "requestBody" in operation
    }
    assert set(BODIES) == taking


@every_operation
def test_malformed(client: Client, operation: Operation) -> None:
    """Names that are no UTF-8, bodies that are no JSON, pages without a size: 400."""
    path = operation.path(namespace="%FF")
    options: dict[str, Any] = {}
    if operation.name in BODIES:
        options = {"data": b"{", "headers": {"Content-Type": "application/json"}, "json": None}
    elif operation.takes_pages:
        path += "?pageSize=0"
    refused(operation.ask(client, path, **options), 400, "BadRequestException")


def test_malformed_config(client: Client) -> None:
    assert_error(client.get("/v1/config?warehouse=%00"), 400, "BadRequestException")


@every_operation
def test_unknown_warehouse(client: Client, operation: Operation) -> None:
    answer = operation.ask(client, operation.path(prefix="nowhere"))
    refused(answer, 404, "NoSuchWarehouseException")


@pytest.fixture(scope="module")
def deactivated(make_server: MakeServer) -> Iterator[TestServer]:
    with make_server() as running:
        assert running.database is not None
        running.database.query("UPDATE warehouses SET active = false")
        yield running


@every_operation
def test_deactivated_warehouse(deactivated: TestServer, operation: Operation) -> None:
    with Client(deactivated.url) as client:
        refused(operation.ask(client), 403, "ForbiddenException")


def test_config_of_a_deactivated_warehouse(deactivated: TestServer) -> None:
    with Client(deactivated.url) as client:
        assert_error(client.get("/v1/config?warehouse=default"), 403, "ForbiddenException")


@pytest.fixture(scope="module")
def cut_off(make_server: MakeServer, postgres: Postgres) -> Iterator[TestServer]:
    """A server that has lost its database."""
    with make_server() as running:
        database = running.database
        assert database is not None
        postgres.admin(f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS false')
        postgres.admin(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", database.name
        )
        yield running
        postgres.admin(f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS true')
        with Client(running.url) as client:
            eventually(lambda: client.get("/ready").status_code == 200, 15, "the database is back")


@every_operation
def test_no_database(cut_off: TestServer, operation: Operation) -> None:
    with Client(cut_off.url) as client:
        answer = operation.ask(client)
    refused(answer, 503, "ServiceUnavailableException")
    assert int(answer.headers["Retry-After"]) >= 1


def test_config_without_database(cut_off: TestServer) -> None:
    with Client(cut_off.url) as client:
        assert_error(client.get("/v1/config?warehouse=default"), 503, "ServiceUnavailableException")


@pytest.fixture(scope="module")
def broken(make_server: MakeServer) -> Iterator[TestServer]:
    """A server whose database is not what the program expects: a fault of ours, or of who changed it."""
    with make_server() as running:
        assert running.database is not None
        running.database.query("ALTER TABLE warehouses RENAME TO warehouses_as_they_were")
        yield running


@every_operation
def test_broken_database(broken: TestServer, operation: Operation) -> None:
    with Client(broken.url) as client:
        refused(operation.ask(client), 500, "InternalServerError")


def test_config_of_a_broken_database(broken: TestServer) -> None:
    with Client(broken.url) as client:
        assert_error(client.get("/v1/config?warehouse=default"), 500, "InternalServerError")


@pytest.fixture(scope="module")
def slow(
    make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestServer, Path]]:
    """A server that gives up after a second, and the folder through which commits are held for longer."""
    folder = tmp_path_factory.mktemp("holding")
    settings = {
        "server.request_timeout": "1s",
        "testing.enabled": True,
        "testing.failpoints": f"commit.committed=hold:{folder}",
    }
    with make_server(settings=settings) as running:
        yield running, folder


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the next commit, after its transaction, until the end."""
    (folder / "commit.committed.armed").touch()
    yield
    (folder / "commit.committed.held").unlink()


def commit_table(client: Client) -> Callable[[], requests.Response]:
    table = make_table(client, make_namespace(client))
    return lambda: table.try_commit(set_properties(a="1"))


def replace_view(client: Client) -> Callable[[], requests.Response]:
    view = make_view(client, make_namespace(client))
    return lambda: view.try_commit(set_properties(a="1"))


def commit_transaction(client: Client) -> Callable[[], requests.Response]:
    table = make_table(client, make_namespace(client))
    change = {
        "identifier": {"namespace": [table.namespace], "name": table.name},
        **commit_request(set_properties(a="1")),
    }
    return lambda: client.post("/v1/transactions/commit", json={"table-changes": [change]})


@pytest.mark.parametrize("prepare", [commit_table, replace_view, commit_transaction])
def test_nobody_knows_whether_it_was_committed(
    slow: tuple[TestServer, Path], prepare: Callable[[Client], Callable[[], requests.Response]]
) -> None:
    server, folder = slow
    with Client(server.url) as client:
        commit = prepare(client)
        with held(folder):
            assert_error(commit(), 500, "CommitStateUnknownException")
