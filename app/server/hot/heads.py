"""Reads the head of a request that can be answered the hot way; everything else is left to gunicorn.

What is accepted here is a complete GET or HEAD of HTTP/1.1 without a body, or the POST of a new namespace, written
plainly: whatever two servers could read in two ways is not.
"""

import hashlib
import re
from contextlib import suppress
from typing import Final

import httptools

from app.auth.shown import shown_credential
from app.changes.origin import shown_user_agent
from app.errors import NotAuthorizedException
from app.server.requests import MOST_HEADERS, is_host

_TARGET: Final = re.compile(
    rb"/health"
    rb"|/v1/config(?:\?[!$&-;=?-Z_a-z~%]*)?"
    rb"|/v1(?:/[^/?]+)?/namespaces(?:/[^/?]+(?:/(?:tables|views)(?:/[^/?]+)?)?)?(?:\?[!$&-;=?-Z_a-z~%]*)?"
)
_CREATION: Final = re.compile(rb"POST /v1(?:/([^/? ]+))?/namespaces HTTP/1\.1\r\n")
_LENGTH: Final = re.compile(rb"[1-9]\d{0,4}")
_PLAIN_PATH: Final = re.compile(rb"[!$&-;=@-Z_a-z~%]*(?:\?.*)?", re.DOTALL)
_PLAIN_VALUE: Final = re.compile(rb"[\t\x20-\x7e]*")
# What changes how the message is framed, what the server does with the connection, or what only some requests have.
_UNUSUAL: Final = frozenset(
    {
        b"transfer-encoding",
        b"expect",
        b"te",
        b"trailer",
        b"proxy-connection",
        b"http2-settings",
        b"sec-websocket-key",
        b"origin",
        b"access-control-request-method",
        b"idempotency-key",
        b"range",
        b"if-match",
        b"if-modified-since",
    }
)
_VARYING: Final = (
    b"accept",
    b"accept-encoding",
    b"x-iceberg-access-delegation",
    b"x-forwarded-proto",
    b"x-forwarded-prefix",
)
PROBE: Final = "/health"  # which everybody may ask
LARGEST_HEAD: Final = 4_096
OVERHEAD: Final = 1_000
"""Bytes that a remembered head takes beside what it says, which is kept up to three times: whole, in parts, as path."""


class Head:
    """``asked`` is what tells one request from another, beside who makes it.

    ``digest`` is the SHA-256 of the credential; ``if_none_match``, ``request_id``, ``forwarded_for`` and ``user_agent``
    are headers as they were sent, or None, the last one only of a request with a body, and as the change log has it;
    ``length`` is that of the body.
    """

    __slots__ = (
        "asked",
        "digest",
        "forwarded_for",
        "if_none_match",
        "is_probe",
        "length",
        "method",
        "path",
        "request_id",
        "user_agent",
    )

    def __init__(self, method: str, target: str, headers: dict[bytes, bytes], digest: bytes | None) -> None:
        self.method = method
        self.path = target.partition("?")[0]
        self.is_probe = target == PROBE
        self.digest = digest
        self.if_none_match = _text(headers.get(b"if-none-match"))
        self.request_id = _text(headers.get(b"x-request-id"))
        self.forwarded_for = _text(headers.get(b"x-forwarded-for"))
        self.length = int(headers.get(b"content-length", b"0"))
        agent = _text(headers.get(b"user-agent")) if self.length else None
        self.user_agent = shown_user_agent(agent) if agent else None
        self.asked = method, target, *(headers.get(name) for name in _VARYING)


class Heads:
    """Reads heads, and remembers those it has read: clients say the same again and again.

    :param limit: bytes for what is remembered; all of it is forgotten when they are used up
    :param with_credentials: whether a request without one is left to others
    """

    def __init__(
        self, max_url_length: int, max_header_size: int, limit: int, *, with_credentials: bool
    ) -> None:
        self._max_url_length = max_url_length
        self._max_header_size = max_header_size
        self._limit = limit
        self._with_credentials = with_credentials
        self._known: dict[bytes, Head] = {}
        self._bytes = 0

    def read(self, data: bytes) -> Head | None:
        """Return the head that is all of ``data``; None when it is for others."""
        head = self._remembered(data)
        return None if head is None or head.length else head

    def read_creation(self, data: bytes) -> tuple[Head, bytes] | None:
        """Return the head of a request that creates a namespace, and as much of its body as is there; None when the
        request is another one or for others."""
        if not _CREATION.match(data):
            return None
        end = data.find(b"\r\n\r\n") + 4
        head = self._remembered(data[:end]) if end >= 4 else None
        return None if head is None or len(data) - end > head.length else (head, data[end:])

    def _remembered(self, data: bytes) -> Head | None:
        known = self._known.get(data)
        if known is None:
            known = self._read(data)
            if known is not None and len(data) <= LARGEST_HEAD:
                self._keep(data, known)
        return known

    def _keep(self, data: bytes, head: Head) -> None:
        size = 3 * len(data) + OVERHEAD
        if self._bytes + size > self._limit:
            self._known.clear()
            self._bytes = 0
        self._known[data] = head
        self._bytes += size

    def _read(self, data: bytes) -> Head | None:
        if not _is_one_head(data) or len(data) > self._max_header_size:
            return None
        message = _Message()
        parser = httptools.HttpRequestParser(message)
        try:
            with suppress(httptools.HttpParserUpgrade):  # whether it may be passed over is looked at below
                parser.feed_data(data)
        except httptools.HttpParserError:
            return None
        if not message.is_whole or parser.get_http_version() != "1.1":
            return None
        method, target, headers = parser.get_method(), message.target, message.headers
        is_plain = (
            _is_ours(method, data, message)
            and len(target) <= self._max_url_length
            and len(data) == _length(method, target, message)
            and _PLAIN_PATH.fullmatch(target)
            and _are_plain(message)
        )
        return self._head(method.decode(), target.decode(), headers) if is_plain else None

    def _head(self, method: str, target: str, headers: dict[bytes, bytes]) -> Head | None:
        digest = None
        if self._with_credentials and target != PROBE:
            try:
                key = _text(headers.get(b"x-api-key")) or ""
                credential = shown_credential(_text(headers.get(b"authorization")), key)
            except NotAuthorizedException:
                return None
            digest = hashlib.sha256(credential.encode()).digest()
        return Head(method, target, headers, digest)


class _Message:
    """What httptools finds; the names of ``headers`` in small letters."""

    def __init__(self) -> None:
        self.target = b""
        self.headers: dict[bytes, bytes] = {}
        self.pairs: list[tuple[bytes, bytes]] = []
        self.is_whole = False

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.pairs.append((name, value))
        self.headers[name.lower()] = value.strip(b" \t")

    def on_headers_complete(self) -> None:
        self.is_whole = True


def _is_ours(method: bytes, data: bytes, message: _Message) -> bool:
    """Whether it is one of the requests that can be answered here, as far as method, target and body tell."""
    length = message.headers.get(b"content-length", b"0")
    if method in (b"GET", b"HEAD"):
        return length == b"0" and _TARGET.fullmatch(message.target) is not None
    return (
        _CREATION.match(data) is not None
        and _LENGTH.fullmatch(length) is not None
        and message.headers.get(b"content-type") == b"application/json"
    )


def _is_one_head(data: bytes) -> bool:
    """Whether data is lines that end in CRLF, and only the last of them is empty: no bare line end, no folded line,
    no body, no second request."""
    return (
        data.endswith(b"\r\n\r\n")
        and data.find(b"\r\n\r\n") == len(data) - 4
        and data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r")
        and b"\n " not in data
        and b"\n\t" not in data
    )


def _length(method: bytes, target: bytes, message: _Message) -> int:
    """How long the head is if each header is written as ``Name: value``, which is how clients write them."""
    first = len(method) + len(target) + len(b"  HTTP/1.1\r\n")
    return first + sum(len(name) + len(value) + 4 for name, value in message.pairs) + 2


def _are_plain(message: _Message) -> bool:
    headers = message.headers
    return (
        len(headers) == len(message.pairs) <= MOST_HEADERS
        and bool(headers.get(b"host"))
        and _UNUSUAL.isdisjoint(headers)
        and _keeps_connection(headers)
        and not any(b"_" in name for name in headers)
        and all(_PLAIN_VALUE.fullmatch(value) for value in headers.values())
        and bool(is_host(headers[b"host"].decode()))
    )


def _keeps_connection(headers: dict[bytes, bytes]) -> bool:
    """Java offers an upgrade to TLS on every plain connection; to go on without it is an answer, too."""
    connection, upgrade = headers.get(b"connection"), headers.get(b"upgrade")
    if upgrade is None:
        return connection is None or connection.lower() == b"keep-alive"
    return upgrade == b"TLS/1.2" and connection is not None and connection.lower() == b"upgrade"


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
