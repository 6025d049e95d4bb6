"""The open connections of a worker, and which of them wait for their client."""

import select
import socket
from typing import Any

from gevent import get_hub, getcurrent, monkey
from gunicorn.http.parser import RequestParser

_PIECE = 65536


class Drained(Exception):
    """Thrown into an idle connection when the worker stops."""


class IdleConnections:
    """Connections that wait for the first byte of a request.

    The last look and the end of an idle connection are one step of the event loop, so that a request whose
    first byte has arrived is always served.
    """

    def __init__(self) -> None:
        self._waiting: dict[Any, tuple[Any, bool]] = {}

    def wait_for_request(self, client: Any, parser: RequestParser, timeout: float, *, fresh: bool) -> bool:
        """True once bytes of a request are there; False when the client left or after ``timeout`` seconds."""
        if parser.unreader.buf.getvalue():
            return True
        data = self._receive(client, timeout, _PIECE, fresh=fresh)
        if data:
            parser.unreader.unread(data)
        return bool(data)

    def wait_for_handshake(self, client: Any, timeout: float) -> bytes:
        """The first byte, which stays to be read; empty when the client left or after ``timeout`` seconds."""
        return self._receive(client, timeout, 1, socket.MSG_PEEK, fresh=True)

    def _receive(self, client: Any, timeout: float, *how: int, fresh: bool) -> bytes:
        greenlet = getcurrent()
        self._waiting[greenlet] = (client, fresh)
        client.settimeout(timeout)
        try:
            return bytes(client.recv(*how))
        except (Drained, TimeoutError):
            return b""
        finally:
            del self._waiting[greenlet]

    def close(self, *, fresh: bool) -> None:
        """End those that wait; ``fresh`` also those that never sent anything."""
        for greenlet, (_, unused) in list(self._waiting.items()):
            if fresh or not unused:
                get_hub().loop.run_callback(self._last_look, greenlet)

    def _last_look(self, greenlet: Any) -> None:
        client, _ = self._waiting.get(greenlet, (None, False))
        if client is not None and not readable(client):
            greenlet.throw(Drained)


def readable(client: Any) -> bool:
    """Is there something to read, or an end, without waiting?"""
    poll = monkey.get_original("select", "poll")()
    poll.register(client.fileno(), select.POLLIN)
    return bool(poll.poll(0))
