"""Stores that misbehave: one that never answers, and a proxy that spoils some requests to a real one."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class SilentStore:
    """Accepts connections and reads, but never answers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._connections: list[socket.socket] = []
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def accepted(self) -> int:
        return len(self._connections)

    @contextmanager
    def running(self) -> Iterator["SilentStore"]:
        thread = threading.Thread(target=self._accept)
        thread.start()
        yield self
        self._listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in (*self._connections, self._listener):
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was shut down
            while True:
                self._connections.append(self._listener.accept()[0])


class Exchange(BaseHTTPRequestHandler):
    """One request to a :class:`Proxy`."""

    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        self.content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append(self.command)
        self.server.behave(self)

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status: int, code: str) -> None:
        self.answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())

    def forward(self) -> tuple[int, bytes, dict[str, str]]:
        """Send the request to the real store and return its answer."""
        target = urlsplit(self.server.target)
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=10)
        connection.request(self.command, self.path, self.content, dict(self.headers))
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        skipped = {"transfer-encoding", "connection", "content-length"}
        return answer.status, body, {k: v for k, v in answer.getheaders() if k.lower() not in skipped}

    def pass_through(self) -> None:
        status, body, headers = self.forward()
        self.answer(status, body, headers)

    def hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):  # the other side may have done so first
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on the terminal."""


class Proxy(ThreadingHTTPServer):
    """Stands before a real store (``target``, a URL) and does with each request what ``behave`` says."""

    daemon_threads = True

    def __init__(self, target: str, behave: Callable[[Exchange], None]) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.target = target
        self.behave = behave
        self.requests: list[str] = []  # methods, in order of arrival
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield self
        self.shutdown()
        thread.join()
        self.server_close()
