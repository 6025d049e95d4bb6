"""The generator of constant load: what is due goes out, and waiting for one's turn counts."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmark.arriving import generator, stream

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
REFUSAL = b"HTTP/1.1 503 SERVICE UNAVAILABLE\r\nContent-Length: 0\r\n\r\n"
REQUEST = "POST /@NAME@ HTTP/1.1\r\nHost: x\r\n\r\n"
PAUSE = 0.4


class Service:
    """Answers one request after the other on each connection; ``act`` sees it first and returns the answer."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.asked: list[bytes] = []
        self.pause = threading.Event()
        self.hang_up = False
        self.answer = ANSWER

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=[connection], daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(65536):
                self.asked.append(data.split()[1])
                if self.hang_up:
                    self.hang_up = False
                    return
                if self.pause.is_set():
                    self.pause.clear()
                    threading.Event().wait(PAUSE)
                connection.sendall(self.answer)


@contextmanager
def running_service() -> Iterator[Service]:
    service = Service()
    threading.Thread(target=service.accept, daemon=True).start()
    try:
        yield service
    finally:
        service.listener.close()


def test_all_that_is_due_is_asked_once() -> None:
    with running_service() as service:
        streams = [stream("a", 200, 4, [REQUEST]), stream("b", 20, 2, [REQUEST])]
        with generator(service.url, 0.5, streams) as running:
            assert running.opened == {"open": 6, "failed": 0}
            figures = running.run()
            again = running.run()
        for run in (figures, again):
            assert [(one["name"], one["answered"], one["failed"]) for one in run] == [
                ("a", 100, 0),
                ("b", 10, 0),
            ]
            assert run[0]["statuses"] == {"200": 100}
    assert len(service.asked) == 6 + 2 * 110
    assert len(set(service.asked)) == len(service.asked)
    assert {len(name) for name in service.asked} == {len("/") + 17}


def test_waiting_for_a_connection_counts() -> None:
    """One answer takes as long as forty requests need to come: they all wait, though each is answered at once."""
    with (
        running_service() as service,
        generator(service.url, PAUSE, [stream("a", 100, 1, [REQUEST])]) as running,
    ):
        service.pause.set()
        (figures,) = running.run()
    assert figures["answered"] == 40
    assert figures["worst_ms"] >= PAUSE * 1000
    assert figures["p50_ms"] >= PAUSE * 1000 * 0.45


def test_refusals_and_lost_connections_are_failures() -> None:
    with (
        running_service() as service,
        generator(service.url, 0.2, [stream("a", 100, 2, [REQUEST])]) as running,
    ):
        service.hang_up = True
        (figures,) = running.run()
        assert figures["statuses"] == {"0": 1, "200": 19}
        assert (figures["answered"], figures["failed"]) == (19, 1)
        service.answer = REFUSAL
        (figures,) = running.run()
        assert figures["statuses"] == {"503": 20}
        assert (figures["answered"], figures["failed"]) == (0, 20)
