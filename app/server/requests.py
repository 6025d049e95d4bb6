"""Reading a request within the limits: its head, then its whole body."""

import io
import re
from typing import Any
from urllib.parse import urlsplit

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, NoMoreData
from gunicorn.http.message import Request

from app.config import Settings
from app.errors import BadRequestException, RequestTooLargeException

# Method, spaces and version beside the target in the first line.
_LINE_EXTRA = 64
_PIECE = 65536
MOST_HEADERS = 100
# RFC 3986, 3.2.2: a name, an IPv4 address or an IPv6 address in brackets, and a port; nothing is as good as any.
is_host = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.~%!$&'()*+,;=-]*)(:\d*)?", re.ASCII).fullmatch
_SCHEMES = ("http", "https")


def limited_request(settings: Settings) -> type[Request]:
    """gunicorn's request with the limits of ``settings``: for ``RequestParser.mesg_class``."""
    limits = settings.limits

    class LimitedRequest(Request):  # type: ignore[misc]
        version: tuple[int, int]

        def parse(self, unreader: Any) -> Any:
            self.limit_request_line = limits.max_url_length + _LINE_EXTRA
            self.limit_request_fields = MOST_HEADERS
            self.limit_request_field_size = limits.max_header_size
            self.max_buffer_headers = limits.max_header_size
            rest = super().parse(unreader)
            self.version = min(self.version, (1, 1))  # the highest that we speak, and answer with
            check_head(self, settings)
            return rest

        def should_close(self) -> bool:
            return self.must_close or wants_close(self)

    return LimitedRequest


def check_head(request: Any, settings: Settings) -> None:
    """Refuse what gunicorn lets through: too long a target or head, no Host or several."""
    limits = settings.limits
    if len(request.uri) > limits.max_url_length:
        raise LimitRequestLine(len(request.uri), limits.max_url_length)
    if sum(len(name) + len(value) + 4 for name, value in request.headers) > limits.max_header_size:
        raise LimitRequestHeaders("the head is too large")
    hosts = [value for name, value in request.headers if name == "HOST"]
    if len(hosts) > 1 or (not hosts and request.version >= (1, 1)):
        raise BadRequestException("A request must name its host in exactly one Host header")
    if not all(map(is_host, hosts)):
        raise BadRequestException("The Host header must be a host and an optional port")
    if "://" in request.uri and not request.uri.startswith("/"):
        check_absolute(request.uri)


def check_absolute(uri: str) -> None:
    """Refuse a target in absolute form that is none of ours (RFC 9112, 3.2.2)."""
    parts = urlsplit(uri)
    if parts.scheme not in _SCHEMES or not parts.netloc or not is_host(parts.netloc):
        raise BadRequestException("A request target in absolute form must begin with http:// and a host")


def wants_close(request: Any) -> bool:
    """Whether the connection ends with this request; ``close`` may be one of several options (RFC 9112, 9.3 and 9.6).

    What follows a CONNECT is no request, whatever it was answered.
    """
    lists = ",".join(value for name, value in request.headers if name == "CONNECTION")
    options = {option.strip(" \t").lower() for option in lists.split(",")}
    if "close" in options or request.method == "CONNECT":
        return True
    return bool(request.version < (1, 1)) and "keep-alive" not in options


def expects_body(request: Any) -> bool:
    return any(name in ("CONTENT-LENGTH", "TRANSFER-ENCODING") for name, _ in request.headers)


def announced_size(request: Any) -> int | None:
    """Bytes of the body that the head promises."""
    return next((int(value) for name, value in request.headers if name == "CONTENT-LENGTH"), None)


def check_size(request: Any, limit: int) -> None:
    """Refuse a body of more than ``limit`` bytes before the client is asked to send it."""
    size = announced_size(request)
    if size is not None and size > limit:
        raise too_large(size, limit)


def read_body(request: Any, limit: int) -> io.BytesIO:
    """The whole body.

    Raises ``RequestTooLargeException`` above ``limit`` bytes, ``NoMoreData`` when the client went away first.
    """
    announced = announced_size(request)
    body = io.BytesIO()
    while piece := request.body.read(_PIECE):
        body.write(piece)
        if body.tell() > limit:
            raise too_large(body.tell(), limit)
    if announced is not None and body.tell() < announced:
        raise NoMoreData()
    body.seek(0)
    return body


def too_large(size: int, limit: int) -> RequestTooLargeException:
    return RequestTooLargeException(
        f"The request body has {size} bytes or more; limits.max_request_body_size is {limit} bytes"
    )
