"""Below the API: limits and time limits of one connection, answered in the same envelope."""

import json
import socket
import time

import pytest

from tests.conftest import MakeServer
from tests.e2e.test_drain import connect, read_answer, read_until, send_get
from tests.support.process import eventually
from tests.support.server import TestServer

LIMITS = {
    "limits.max_request_body_size": "2KiB",
    "limits.max_header_size": "2KiB",
    "limits.max_url_length": "1KiB",
    "server.read_timeout": "1s",
    "server.request_timeout": "1s",
    "server.write_timeout": "1s",
    "server.keep_alive": "1s",
    "testing.enabled": True,
    "testing.failpoints": "commit.files_written=sleep:20000",
}


@pytest.fixture(scope="module")
def limited(make_server: MakeServer):
    with make_server(settings=LIMITS) as running:
        yield running


def ask(server: TestServer, request: bytes) -> tuple[int, dict[str, str], dict]:
    with connect(server) as connection:
        connection.sendall(request)
        status, headers, body = read_answer(connection)
        assert headers["server"] == "iceberg-catalog"
        assert headers["content-type"].startswith("application/json")
        assert headers["x-request-id"]
        return status, headers, json.loads(body)["error"]


def assert_closed(connection: socket.socket) -> None:
    assert connection.recv(1) == b""


HOST = b"Host: localhost\r\n"


@pytest.mark.parametrize(
    ("request_", "status", "kind", "text"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400, "BadRequestException", "Host"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "BadRequestException", "Host"),
        (b"GET /\r\n\r\n", 400, "BadRequestException", "request line"),
        (b"G=T / HTTP/1.1\r\n" + HOST + b"\r\n", 400, "BadRequestException", "method"),
        (b"GET / HTTP/3.1\r\n" + HOST + b"\r\n", 400, "BadRequestException", "Version"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"a b: c\r\n\r\n", 400, "BadRequestException", "header name"),
        (b"GET / HTTP/1.1\n" + HOST + b"\n\n", 400, "BadRequestException", "bare LF"),
        (
            b"GET /" + b"a" * 1024 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
            414,
            "UriTooLongException",
            "limits.max_url_length",
        ),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n", 414, "UriTooLongException", "1024"),
        (
            b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 2048 + b"\r\n\r\n",
            431,
            "RequestHeaderFieldsTooLargeException",
            "limits.max_header_size",
        ),
        (
            b"GET / HTTP/1.1\r\n"
            + HOST
            + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 60) for n in range(40))
            + b"\r\n",
            431,
            "RequestHeaderFieldsTooLargeException",
            "2048",
        ),
        (
            b"POST /v1/namespaces HTTP/1.1\r\n" + HOST + b"Content-Length: 2049\r\n\r\n",
            413,
            "RequestTooLargeException",
            "limits.max_request_body_size",
        ),
        (
            b"POST /v1/namespaces HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
            b"801\r\n" + b" " * 0x801 + b"\r\n0\r\n\r\n",
            413,
            "RequestTooLargeException",
            "2048",
        ),
        (
            b"POST /v1/namespaces HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
            400,
            "BadRequestException",
            "chunk",
        ),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: odd\r\n\r\n", 400, "BadRequestException", "odd"),
    ],
)
def test_what_never_reaches_the_application(
    limited: TestServer, request_: bytes, status: int, kind: str, text: str
):
    answered, headers, error = ask(limited, request_)
    assert (answered, error["type"], error["code"]) == (status, kind, status)
    assert text.lower() in error["message"].lower()
    assert headers["connection"] == "close"


def test_the_request_id_comes_back_from_a_refusal(limited: TestServer):
    head = b"POST / HTTP/1.1\r\n" + HOST + b"X-Request-ID: mine\r\nContent-Length: 9999\r\n\r\n"
    assert ask(limited, head)[1]["x-request-id"] == "mine"
    eventually(lambda: [line for line in limited.logs() if is_refusal(line)], 5, "the log line")


def is_refusal(line: dict) -> bool:
    return line.get("request_id") == "mine" and line["status"] == 413


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /v1/config HT",
        b"GET /v1/config HTTP/1.1\r\nHost: local",
        b"POST /v1/namespaces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
    ],
)
def test_a_client_that_stops_sending_gets_408(limited: TestServer, beginning: bytes):
    began = time.monotonic()
    status, _, error = ask(limited, beginning)
    assert (status, error["type"]) == (408, "RequestTimeoutException")
    assert "server.read_timeout" in error["message"]
    assert 1 <= time.monotonic() - began < 5


def test_slow_bytes_do_not_extend_the_time(limited: TestServer):
    with connect(limited) as connection:
        connection.sendall(b"GET /v1/config HTTP/1.1\r\nHost: localhost\r\n")
        connection.settimeout(0.2)
        began = time.monotonic()
        while True:
            connection.sendall(b"X: 1\r\n")
            try:
                answer = connection.recv(65536)
                break
            except TimeoutError:
                assert time.monotonic() - began < 5
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed_after_keep_alive(limited: TestServer):
    with connect(limited) as connection:
        began = time.monotonic()
        for _ in range(3):
            send_get(connection, "/v1/config")
            assert read_answer(connection)[1]["connection"] == "keep-alive"
        assert_closed(connection)
        assert 1 <= time.monotonic() - began < 5


def test_a_client_that_stops_reading_is_cut_off(limited: TestServer):
    """It asks and asks; once all buffers are full the server waits for it, but not for ever."""
    with connect(limited) as connection:
        connection.setblocking(False)
        eventually(lambda: is_cut_off(connection), 30, "the connection is reset", interval=0.001)


def is_cut_off(connection: socket.socket) -> bool:
    try:
        connection.send(b"GET /v1/config HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
    except BlockingIOError:
        return False
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


def test_a_commit_out_of_time_says_that_nobody_knows(limited: TestServer):
    with limited.client() as client:
        client.post("/v1/namespaces", json={"namespace": ["late"]}).raise_for_status()
        schema = {"type": "struct", "schema-id": 0, "fields": []}
        answer = client.post("/v1/namespaces/late/tables", json={"name": "t", "schema": schema})
        assert answer.status_code == 500
        assert answer.json()["error"]["type"] == "CommitStateUnknownException"
        assert "server.request_timeout" in answer.json()["error"]["message"]
        assert client.get("/v1/namespaces/late/tables").json()["identifiers"] == []


def test_pipelined_requests_are_answered_in_order(server: TestServer):
    with connect(server) as connection:
        for path in ("/health", "/nowhere", "/v1/config"):
            send_get(connection, path)
        answers = read_answers(connection, 3)
    assert [status for status, _ in answers] == [200, 404, 200]


def read_answers(connection: socket.socket, count: int) -> list[tuple[int, bytes]]:
    received, found = b"", []
    while len(found) < count:
        if b"\r\n\r\n" not in received:
            received += read_until(connection, b"\r\n\r\n")
        head, _, rest = received.partition(b"\r\n\r\n")
        lengths = [line for line in head.decode().split("\r\n") if line.lower().startswith("content-length")]
        length = int(lengths[0].split(":")[1])
        while len(rest) < length:
            rest += connection.recv(65536)
        found.append((int(head.split()[1]), rest[:length]))
        received = rest[length:]
    return found


def test_expect_100_continue(server: TestServer):
    with connect(server) as connection:
        connection.sendall(
            b"POST /v1/namespaces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 22\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b'{"namespace": ["c100"]}'[:22])
        assert read_answer(connection)[0] == 400


def test_a_body_that_is_too_large_is_not_asked_for(limited: TestServer):
    head = (
        b"POST /v1/namespaces HTTP/1.1\r\n" + HOST + b"Content-Length: 9999\r\nExpect: 100-continue\r\n\r\n"
    )
    assert ask(limited, head)[0] == 413


def test_http_1_0_needs_no_host_and_closes(server: TestServer):
    with connect(server) as connection:
        connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert read_answer(connection)[0] == 200
        assert_closed(connection)


def test_a_thousand_idle_connections(server: TestServer):
    connections = [connect(server) for _ in range(1000)]
    try:
        with server.client() as client:
            assert client.get("/v1/config").status_code == 200
        for connection in connections:
            send_get(connection, "/health")
        assert {read_answer(connection)[0] for connection in connections} == {200}
    finally:
        for connection in connections:
            connection.close()
