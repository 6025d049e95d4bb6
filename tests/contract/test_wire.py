"""What never reaches the application, or reaches it in an unusual way, stays in the envelope."""

import json
import socket

import pytest

from tests.contract.calls import (
    assert_error,
    exchange,
)
from tests.factories import unique_name
from tests.support.server import Client, TestServer

BAD = "BadRequestException"


def test_chunked_body(server: TestServer) -> None:
    body = json.dumps({"namespace": [unique_name("ns")]}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:])) + b"0\r\n\r\n"
    head = b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    answer = exchange(server, head + b"Content-Type: application/json\r\n\r\n" + chunks)
    assert answer.status_code == 200, answer.text


def test_expect_100_continue(server: TestServer) -> None:
    body = json.dumps({"namespace": [unique_name("ns")]}).encode()
    head = b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n"
    head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head)
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")


WIRE = [
    (b"GET /v1/config\r\n\r\n", 400),
    (b"GET /v1/config HTTP/9.9\r\nHost: x\r\n\r\n", 400),
    (b"NONSENSE\r\n\r\n", 400),
    (b"GET /v1/config HTTP/1.1\r\n\r\n", 400),
    (b"GET /v1/config HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET /v1/config HTTP/1.1\r\nHost x\r\n\r\n", 400),
    (b"GET /v1/config HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", 400),
    (b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
    (b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: zip\r\n\r\n", None),
    (b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"GET /v1/" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    (b"GET /v1/config?" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    (b"GET /v1/config HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431),
    (b"GET /v1/config HTTP/1.1\r\nHost: x\r\n" + b"X: aaaaaaaa\r\n" * 2000 + b"\r\n", 431),
]
TYPES = {400: BAD, 414: "UriTooLongException", 431: "RequestHeaderFieldsTooLargeException"}


@pytest.mark.parametrize(("data", "code"), WIRE, ids=[str(data[:40]) for data, _ in WIRE])
def test_refused_by_the_server_itself(server: TestServer, data: bytes, code: int | None) -> None:
    answer = exchange(server, data)
    if code is None:
        assert 400 <= answer.status_code < 600
        code = answer.status_code
        assert answer.json()["error"]["code"] == code
        return
    assert_error(answer, code, TYPES[code])


def test_too_large_body(server: TestServer) -> None:
    """Refused by its announced length; the whole is never read."""
    head = b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    answer = exchange(server, head + b"Content-Length: 99999999999\r\n\r\n{")
    message = assert_error(answer, 413, "RequestTooLargeException")
    assert "limits.max_request_body_size" in message
    assert "99999999999" in message


def test_keep_alive_after_an_error(client: Client, server: TestServer) -> None:
    request = b"GET /v1/namespaces/none HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request + request + last)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received.count(b"HTTP/1.1 404 ") == 2
    assert received.count(b"HTTP/1.1 200 ") == 1
