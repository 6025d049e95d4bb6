"""The node's listening socket: bound early, so that a taken port is known before anything starts."""

import http.client
import socket
import ssl
import time

from app.cli.exits import CommandError
from app.cli.supervision.events import Events
from app.config import Settings

_PATIENCE_SECONDS = 40.0


class Listener:
    """Bound but not listening until gunicorn has it: connections are refused, not left waiting."""

    def __init__(self, settings: Settings, events: Events) -> None:
        self._host = settings.server.host
        self._port = settings.server.port
        self._tls = settings.server.tls.enabled
        self._events = events
        self._socket: socket.socket | None = None

    @property
    def descriptor(self) -> int:
        assert self._socket is not None
        return self._socket.fileno()

    @property
    def url(self) -> str:
        """Where a client on this machine finds the node."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 - compared only
        scheme = "https" if self._tls else "http"
        return f"{scheme}://[{host}]:{self._port}" if ":" in host else f"{scheme}://{host}:{self._port}"

    def open(self, *, patient: bool) -> None:
        """Bind; ``patient`` waits for the workers of a killed master to let go of the port.

        Raises ``CommandError`` when the address cannot be had.
        """
        deadline = time.monotonic() + (_PATIENCE_SECONDS if patient else 0.0)
        while True:
            try:
                self._socket = self._bind()
            except OSError as error:
                if time.monotonic() >= deadline:
                    raise CommandError(
                        f"cannot listen on {self._host}:{self._port}: {error.strerror}. "
                        "Choose another port with ICEBERG_SERVER_PORT"
                    ) from None
                self._events.pause(0.1)
            else:
                self._port = self._socket.getsockname()[1]
                return

    def release(self) -> None:
        """Close our copy of the socket."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def answers_ready(self) -> bool:
        """Does ``/ready`` answer 200?"""
        host, port = self.url.partition("://")[2].rsplit(":", 1)
        connection = self._connection(host.strip("[]"), int(port))
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _connection(self, host: str, port: int) -> http.client.HTTPConnection:
        if not self._tls:
            return http.client.HTTPConnection(host, port, timeout=5)
        # It is our own socket: the certificate need not name this address.
        context = ssl._create_unverified_context()  # noqa: S323
        return http.client.HTTPSConnection(host, port, timeout=5, context=context)

    def _bind(self) -> socket.socket:
        family, _, _, _, address = socket.getaddrinfo(
            self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
        return bound
