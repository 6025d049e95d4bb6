"""Requests of the contract tests: paths, objects with their routes, raw bytes, and what an error has to look like."""

import json
import re
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, unquote, urlsplit

import requests

from tests.factories import commit_request, create_table_request, schema, unique_name
from tests.support.exchanges import observed_raw
from tests.support.server import Client, TestServer

T = TypeVar("T")
VIEW_SCHEMA = schema()


def segment(name: str) -> str:
    """Percent-encode a name as Python clients do."""
    return quote(name, safe="")


def namespace_path(*levels: str, prefix: str = "/v1") -> str:
    return f"{prefix}/namespaces/" + "%1F".join(map(segment, levels))


def table_path(namespace: str, name: str) -> str:
    return f"{namespace_path(namespace)}/tables/{segment(name)}"


def view_path(namespace: str, name: str) -> str:
    return f"{namespace_path(namespace)}/views/{segment(name)}"


def rename_request(source: tuple[str, str], destination: tuple[str, str]) -> dict[str, Any]:
    """Return the body of renameTable or renameView; both ends are (namespace, name)."""
    (from_space, from_name), (to_space, to_name) = source, destination
    return {
        "source": {"namespace": [from_space], "name": from_name},
        "destination": {"namespace": [to_space], "name": to_name},
    }


@dataclass
class Tabular:
    """A table or view that a test made."""

    client: Client
    namespace: str
    name: str
    path: str

    def load(self) -> dict[str, Any]:
        return ok(self.client.get(self.path))

    @property
    def metadata(self) -> dict[str, Any]:
        return dict(self.load()["metadata"])

    @property
    def location(self) -> str:
        return str(self.load()["metadata-location"])

    def try_commit(
        self, *updates: dict[str, Any], requirements: Sequence[dict[str, Any]] = (), **more: Any
    ) -> requests.Response:
        return self.client.post(
            self.path, json=commit_request(*updates, requirements=list(requirements), **more)
        )

    def commit(self, *updates: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Commit and return the new metadata."""
        return dict(ok(self.try_commit(*updates, **more))["metadata"])

    def files(self) -> list[str]:
        """Return the names of all files below the object's location."""
        return sorted(path.name for path in local(self.metadata["location"]).rglob("*") if path.is_file())


def ok(answer: requests.Response, code: int = 200) -> dict[str, Any]:
    """Check the status and return the JSON body."""
    assert answer.status_code == code, (answer.request.method, answer.url, answer.text)
    assert answer.headers["Content-Type"] == "application/json"
    return dict(answer.json())


def no_content(answer: requests.Response) -> None:
    """Check for 204 without any body."""
    assert answer.status_code == 204, (answer.request.method, answer.url, answer.text)
    assert answer.content == b""
    assert "Content-Type" not in answer.headers


def assert_error(
    answer: "requests.Response | RawAnswer",
    code: int,
    kind: str,
    message: str | re.Pattern[str] | None = None,
) -> str:
    """Check the whole error envelope; ``message`` is the text itself or a pattern to find in it."""
    assert answer.status_code == code, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-ID"]
    body = answer.json()
    assert list(body) == ["error"]
    error = body["error"]
    assert set(error) == {"message", "type", "code"}, error
    assert (error["code"], error["type"]) == (code, kind), error
    assert isinstance(error["message"], str), error
    assert error["message"], error
    assert "Traceback" not in error["message"]
    if isinstance(message, re.Pattern):
        assert message.search(error["message"]), error
    elif message is not None:
        assert error["message"] == message
    return str(error["message"])


def make_table(client: Client, namespace: str, name: str | None = None, **more: Any) -> Tabular:
    name = name or unique_name("t")
    ok(client.post(f"{namespace_path(namespace)}/tables", json=create_table_request(name, **more)))
    return Tabular(client, namespace, name, table_path(namespace, name))


def make_view(client: Client, namespace: str, name: str | None = None, **more: Any) -> Tabular:
    name = name or unique_name("v")
    ok(client.post(f"{namespace_path(namespace)}/views", json=create_view_request(name, **more)))
    return Tabular(client, namespace, name, view_path(namespace, name))


def make_namespace(client: Client, *parents: str, **properties: str) -> str:
    """Create a namespace below ``parents`` and return the name of its last level."""
    name = unique_name("ns")
    ok(client.post("/v1/namespaces", json={"namespace": [*parents, name], "properties": properties}))
    return name


def view_version(sql: str = "SELECT 1", **more: Any) -> dict[str, Any]:
    return {
        "version-id": 1,
        "timestamp-ms": 1_700_000_000_000,
        "schema-id": 0,
        "summary": {"engine-name": "test"},
        "default-namespace": [],
        "representations": [{"type": "sql", "sql": sql, "dialect": "spark"}],
        **more,
    }


def create_view_request(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "schema": VIEW_SCHEMA, "view-version": view_version(), "properties": {}, **more}


def local(location: str) -> Path:
    """Return the path of a ``file:`` location."""
    return Path(unquote(location.removeprefix("file://")) if location.startswith("file:") else location)


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run calls in threads that start together; return what each returned."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


class RawAnswer(NamedTuple):
    """An answer as it came over the wire, with the server's spelling of header names."""

    status_code: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


def raw_request(
    server: TestServer,
    method: str,
    target: str | bytes,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    head: bytes = b"",
) -> RawAnswer:
    """Send a request exactly as given (no normalising of the target) and read the answer to its end."""
    sent = {"Host": urlsplit(server.url).netloc, "Connection": "close", **(headers or {})}
    if body:
        sent = {"Content-Type": "application/json", "Content-Length": str(len(body)), **sent}
    target = target.encode() if isinstance(target, str) else target
    lines = [method.encode() + b" " + target + b" HTTP/1.1"]
    lines += [f"{name}: {value}".encode("latin-1") for name, value in sent.items()]
    answer = exchange(server, b"\r\n".join(lines) + b"\r\n" + head + b"\r\n" + body)
    observed_raw(
        method, target.decode("latin-1"), sent, body, answer, server.port if server.verify is None else 0
    )
    return answer


def exchange(server: TestServer, data: bytes) -> RawAnswer:
    """Send bytes on a connection of their own and parse what comes back until the server closes it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(data)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    top, _, rest = received.partition(b"\r\n\r\n")
    status, *lines = top.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return RawAnswer(int(status.split()[1]), {name: value for name, _, value in pairs}, rest)
