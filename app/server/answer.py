"""What the application answers, on its way to the client."""

from collections.abc import Callable
from typing import Any, Final

from gunicorn.http.wsgi import Response

from app.server.refusal import SERVER_NAME

_APART: Final = 16_384
"""Bodies above this are not copied behind their heads."""


class Answer(Response):  # type: ignore[misc]
    """gunicorn's response under our name, which closes the connection once the worker stops.

    The head is sent along with the beginning of the body.

    :param stays: whether connections may carry another request
    """

    headers_sent: bool

    def __init__(self, req: Any, sock: Any, cfg: Any, stays: Callable[[], bool]) -> None:
        super().__init__(req, sock, cfg)
        self.version = SERVER_NAME
        self._stays = stays
        self._head = b""

    def should_close(self) -> bool:
        return not self._stays() or bool(super().should_close())

    @property
    def has_begun(self) -> bool:
        """Whether the client may have got anything of it."""
        return self.headers_sent and not self._head

    @property
    def head(self) -> str:
        """The status line and the headers, with the empty line behind them."""
        lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers)]
        return "".join([*lines, "\r\n"])

    def send_headers(self) -> None:
        if not self.headers_sent:
            self._head = self.head.encode("latin-1")
            self.headers_sent = True

    def close(self) -> None:
        self.send_headers()
        self._emit_head()
        super().close()

    def _emit_body(self, data: bytes) -> None:
        if self.chunked or len(data) > _APART:
            self._emit_head()
            super()._emit_body(data)
            return
        head, self._head = self._head, b""
        self.sock.sendall(head + data)

    def _emit_head(self) -> None:
        head, self._head = self._head, b""
        if head:
            self.sock.sendall(head)
