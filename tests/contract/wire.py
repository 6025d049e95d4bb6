"""Bytes on a connection, and what may come back whatever they were."""

import json
import socket
from pathlib import Path
from typing import Any, NamedTuple

from requests.structures import CaseInsensitiveDict

from tests.contract.calls import local, namespace_path, segment
from tests.support.contract import Contract
from tests.support.exchanges import Exchange, Message
from tests.support.replay import default_warehouse, recorded, replay, stored
from tests.support.server import TestServer

BODYLESS = {204, 304}


class Answer(NamedTuple):
    """A whole answer. ``head`` is its first line and headers."""

    status: int
    headers: dict[str, str]
    body: bytes

    def error(self) -> dict[str, Any]:
        return dict(json.loads(self.body)["error"])

    @property
    def is_malformed(self) -> bool:
        """Whether the server could not even tell the method of the request."""
        return b'"Malformed request: ' in self.body


class Request(NamedTuple):
    """A request as raw bytes; ``headers`` come on top of Host, Connection and the body's length."""

    method: str
    target: bytes
    body: bytes | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def encode(self) -> bytes:
        lines = [self.method.encode() + b" " + self.target + b" HTTP/1.1", b"Host: x", b"Connection: close"]
        lines += [name + b": " + value for name, value in self.headers]
        if self.body is not None:
            if not any(name.lower() == b"content-type" for name, _ in self.headers):
                lines.append(b"Content-Type: application/json")
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + (self.body or b"")


def send(server: TestServer, request: Request) -> Answer:
    """Send a request, read until the server closes, and check what holds for every answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request.encode())
        received = b""
        while piece := connection.recv(65536):
            received += piece
    answer = parse(received)
    check(answer, head=request.method == "HEAD")
    return answer


def faults(contract: Contract, request: Request, answer: Answer) -> list[str]:
    """Return what the document does not allow in an answer: a status, a header, a member."""
    if answer.is_malformed or not request.target.startswith(b"/"):
        return []
    received = Message(CaseInsensitiveDict(answer.headers), answer.body)
    sent = Message(CaseInsensitiveDict(), request.body or b"")
    target = request.target.decode("latin-1").partition("#")[0]
    return contract.faults_of_answer(Exchange(request.method, target, sent, answer.status, received))


def parse(received: bytes) -> Answer:
    top, separator, body = received.partition(b"\r\n\r\n")
    assert separator, f"no whole answer: {received!r}"
    status, *lines = top.decode("latin-1").split("\r\n")
    assert status.startswith("HTTP/1.1 "), status
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(status.split()[1]), headers, body)


def check(answer: Answer, *, head: bool) -> None:
    """No server error, a body of the announced length, and for errors the one envelope."""
    assert answer.status < 500, answer
    if answer.status in BODYLESS or (head and not answer.is_malformed):
        assert answer.body == b"", answer
        return
    assert int(answer.headers["content-length"]) == len(answer.body), answer
    if answer.status >= 400:
        assert answer.headers["content-type"] == "application/json", answer
        error = answer.error()
        assert set(error) == {"message", "type", "code"}, answer
        assert error["code"] == answer.status, answer
        assert error["type"].isalpha(), answer
        assert error["message"], answer
        assert "Traceback" not in error["message"], answer


def assert_nothing_half_done(server: TestServer) -> None:
    """What is stored can be loaded and is what the change log replays to; every metadata file was once a pointer; no
    error was logged."""
    assert server.database is not None
    number = default_warehouse(server.database)
    rows = recorded(server.database, number)
    state = replay(rows)
    assert state == stored(server.database, number)
    for (levels, name), found in state.objects.items():
        path = f"{namespace_path(*levels)}/{found.kind}s/{segment(name)}".encode()
        assert json.loads(send(server, Request("GET", path)).body)["metadata-location"] == found.pointer
    files = {path for path in folder(server).rglob("*") if path.is_file()}
    assert files <= {local(row.after) for row in rows if row.after}
    errors = [line for line in server.logs() if line.get("level") in {"error", "critical"}]
    assert not errors, errors[:3]


def folder(server: TestServer) -> Path:
    return local(server.warehouse.location)
