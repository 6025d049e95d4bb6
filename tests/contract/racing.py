"""Requests that race each other on connections of their own, and their outcomes."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import requests

from tests.contract.calls import (
    at_once,
    local,
    namespace_path,
    ok,
)
from tests.factories import commit_request, create_table_request
from tests.support.server import Client, TestServer

ROUNDS = 3
Call = Callable[[], requests.Response]


def call(server: TestServer, method: str, path: str, **options: Any) -> Call:
    """Return a request on a connection of its own, so that both workers get some."""

    def send() -> requests.Response:
        with Client(server.url) as client:
            return client.request(method, path, **options)

    return send


def create(server: TestServer, namespace: str, name: str, **more: Any) -> Call:
    path = f"{namespace_path(namespace)}/tables"
    return call(server, "POST", path, json=create_table_request(name, **more))


def commit(server: TestServer, path: str, *updates: Any, requirements: Any = ()) -> Call:
    return call(server, "POST", path, json=commit_request(*updates, requirements=list(requirements)))


def outcome(answer: requests.Response) -> tuple[int, str | None]:
    """Return the status and the error's type."""
    return answer.status_code, answer.json()["error"]["type"] if answer.status_code >= 400 else None


def outcomes(calls: list[Call]) -> Counter[tuple[int, str | None]]:
    return Counter(outcome(answer) for answer in at_once(calls))


CREATED, GONE = (200, None), (204, None)
TAKEN, LOST = (409, "AlreadyExistsException"), (409, "CommitFailedException")
NO_NAMESPACE, NO_TABLE = (404, "NoSuchNamespaceException"), (404, "NoSuchTableException")
NOT_EMPTY = (409, "NamespaceNotEmptyException")


def metadata_files(client: Client, namespace: str) -> int:
    location = ok(client.get(namespace_path(namespace)))["properties"]["location"]
    return len(list(local(location).rglob("*.metadata.json")))
