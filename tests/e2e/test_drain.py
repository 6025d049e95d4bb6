"""SIGTERM drops no request: whoever sent a byte gets the whole answer."""

import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from tests.conftest import MakeServer
from tests.factories import create_table_request
from tests.support.process import eventually
from tests.support.server import Client, TestServer


def connect(server: TestServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=40)


def send_get(connection: socket.socket, path: str) -> None:
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """One whole answer with a Content-Length."""
    head, _, body = read_until(connection, b"\r\n\r\n").partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return int(status.split()[1]), headers, body


def read_until(connection: socket.socket, end: bytes) -> bytes:
    received = b""
    while end not in received:
        piece = connection.recv(65536)
        assert piece, f"closed after {received!r}"
        received += piece
    return received


def send_slow_create(connection: socket.socket, server: TestServer) -> None:
    """The head and half of the body of a request."""
    connection.sendall(
        b"POST /v1/namespaces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b'Content-Length: 22\r\n\r\n{"namespace"'
    )


@pytest.fixture(params=["serve", "gunicorn"])
def server(make_server: MakeServer, request: pytest.FixtureRequest):
    with make_server(entry=request.param) as running:
        yield running


def term(server: TestServer) -> float:
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGTERM)
    return time.monotonic()


def wait_exit(server: TestServer, timeout: float = 40) -> int:
    assert server.process is not None
    return server.process.wait(timeout)


def test_a_stop_drops_nobody(server: TestServer):
    """Connections that are idle, used, just begun or made for each request: all at the same time."""
    with connecting(server) as answered, in_use(server), begun(server), idle(server):
        eventually(lambda: len(answered) > 200, 20, "the clients are busy")
        began = term(server)
    assert wait_exit(server) == 0
    assert time.monotonic() - began < 10


@contextmanager
def idle(server: TestServer) -> Iterator[None]:
    """They do not hold up the stop."""
    with ExitStack() as stack:
        used = [stack.enter_context(connect(server)) for _ in range(40)]
        for connection in used:
            send_get(connection, "/v1/config")
            assert read_answer(connection)[0] == 200
        unused = [stack.enter_context(connect(server)) for _ in range(10)]
        yield
        for connection in used + unused:
            assert connection.recv(1) == b""


@contextmanager
def begun(server: TestServer) -> Iterator[None]:
    """A request whose first bytes have arrived is answered."""
    with connect(server) as head, connect(server) as body:
        head.sendall(b"GET /v1/config HT")
        send_slow_create(body, server)
        eventually(lambda: server.metric("iceberg_catalog_http_requests_total") >= 0, 5, "metrics answer")
        yield
        head.sendall(b"TP/1.1\r\nHost: localhost\r\n\r\n")
        body.sendall(b': ["a"]}  ')
        for connection, path in ((head, "config"), (body, "namespace")):
            status, headers, _ = read_answer(connection)
            assert status == 200, path
            assert headers["connection"] == "close"


def accepts(server: TestServer) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) == 0


@contextmanager
def connecting(server: TestServer) -> Iterator[list[int]]:
    """Twenty clients who connect for each request: all are answered or could not connect."""
    answered: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                with connect(server) as connection:
                    send_get(connection, "/v1/namespaces")
                    answered.append(read_answer(connection)[0])
            except ConnectionRefusedError:
                return

    with ThreadPoolExecutor(20) as pool:
        clients = [pool.submit(ask) for _ in range(20)]
        try:
            yield answered
            eventually(lambda: not accepts(server), 10, "the listeners are closed")
        finally:
            stop.set()
        for client in clients:
            client.result()
    assert set(answered) == {200}


@contextmanager
def in_use(server: TestServer) -> Iterator[None]:
    """Twenty connections end with an answer that says so: none closes under a request that is on its way."""
    answered: list[int] = []
    end = threading.Event()

    def ask() -> None:
        with connect(server) as connection:
            while not end.is_set():
                send_get(connection, "/v1/namespaces")
                status, headers, _ = read_answer(connection)
                answered.append(status)
                if headers["connection"] == "close":
                    return
            raise AssertionError("nobody said that the connection ends")

    with ThreadPoolExecutor(20) as pool:
        clients = [pool.submit(ask) for _ in range(20)]
        try:
            eventually(lambda: len(answered) > 200, 20, "the clients are busy")
            yield
            for client in clients:
                client.result(30)
        finally:
            end.set()
    assert set(answered) == {200}


def test_one_worker_s_end_closes_no_listener(make_server: MakeServer):
    """gunicorn ends single workers too; the others and its successor listen on."""
    with make_server(entry="gunicorn") as server, Client(server.url) as client:
        first, *_ = workers = server.workers()
        os.kill(first, signal.SIGTERM)
        eventually(lambda: first not in server.workers(), 30, "the worker ended")
        eventually(lambda: len(server.workers()) == len(workers), 30, "it has a successor")
        eventually(lambda: server.metric("bingsan_workers") == len(workers), 30, "which has begun its work")
        assert client.get("/v1/config").status_code == 200


def test_a_worker_that_has_hardly_begun_is_stopped_too(make_server: MakeServer):
    with make_server(entry="gunicorn") as server:
        workers = set(server.workers())
        os.kill(min(workers), signal.SIGKILL)
        eventually(lambda: set(server.workers()) - workers, 30, "the worker has a successor", interval=0.001)
        assert server.stop(timeout=25) == 0


def test_ready_turns_503_at_once_while_connections_are_still_accepted(make_server: MakeServer):
    with make_server(settings={"server.shutdown_delay": "2s"}) as server, Client(server.url) as client:
        began = term(server)
        eventually(lambda: client.get("/ready").status_code == 503, 1, "/ready is 503")
        assert requests.get(f"{server.url}/v1/config", timeout=5).status_code == 200
        assert requests.get(f"{server.url}/health", timeout=5).status_code == 200
        assert time.monotonic() - began < 2
        assert wait_exit(server) == 0
        assert 2 <= time.monotonic() - began < 10


def test_what_never_ends_is_cut_after_the_drain_timeout(make_server: MakeServer):
    with make_server(settings={"server.drain_timeout": "2s"}) as server, connect(server) as connection:
        send_slow_create(connection, server)
        began = term(server)
        assert wait_exit(server) == 0
        assert 2 <= time.monotonic() - began < 8
        assert any("server.drain_timeout" in line["msg"] for line in server.logs())


def test_a_second_signal_hurries(make_server: MakeServer):
    with make_server() as server, connect(server) as connection:
        send_slow_create(connection, server)
        eventually(lambda: accepts(server), 5, "it accepts")
        began = term(server)
        eventually(lambda: not accepts(server), 10, "the listeners are closed")
        term(server)
        assert wait_exit(server) == 0
        assert time.monotonic() - began < 10


def test_a_commit_in_flight_is_finished(make_server: MakeServer):
    """Also when the worker has no descriptor left to take those who wait for a connection."""
    settings = {"testing.enabled": True, "testing.failpoints": "commit.files_written=sleep:1500"}
    with (
        make_server(settings=settings, workers=1) as server,
        Client(server.url) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        client.post("/v1/namespaces", json={"namespace": ["a"]}).raise_for_status()
        request = create_table_request("t")
        answer = pool.submit(client.post, "/v1/namespaces/a/tables", json=request)
        eventually(lambda: server.metric("iceberg_catalog_http_requests_in_progress") >= 1, 5, "it runs")
        no_more_files(*server.workers())
        with connect(server):
            term(server)
            assert answer.result().status_code == 200
        assert wait_exit(server) == 0
        assert any("are not taken" in line["msg"] for line in server.logs())


def no_more_files(pid: int) -> None:
    """Have all files of a process that are open stay so, and none be opened any more."""
    taken = {int(link.name) for link in Path(f"/proc/{pid}/fd").iterdir()}
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    free = next(number for number in range(hard) if number not in taken)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, hard))
