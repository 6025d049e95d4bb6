"""Answers: JSON that is already text passes through without being parsed."""

from collections.abc import Callable
from typing import Any

import msgspec
from werkzeug.http import HTTP_STATUS_CODES

from app.api.at_hand import at_hand
from app.catalog.delegation import NOTHING, Delegation

JSON = "application/json"
# Neither a proxy nor a client's HTTP cache may keep what the catalog says.
HEADERS = {"Cache-Control": "no-store"}


_STATUS_LINES = {code: f"{code} {text.upper()}" for code, text in HTTP_STATUS_CODES.items()}
_WITHOUT_BODY = frozenset({204, 304})


class Response:
    """A whole answer, as WSGI wants it: Flask has nothing to add. Each of its headers is there once."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, body: bytes, status: int, headers: dict[str, str]) -> None:
        self.body = body
        self.status = status
        self.headers = headers

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> tuple[bytes, ...]:
        start_response(_STATUS_LINES[self.status], list(self.headers.items()))
        if environ["REQUEST_METHOD"] == "HEAD" or self.status in _WITHOUT_BODY:
            return ()
        return (self.body,)


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Encode a JSON value."""
    return raw_answer(msgspec.json.encode(value), status, headers)


def raw_answer(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Send JSON text as it is."""
    return typed_answer(body, JSON, status, headers)


def typed_answer(
    body: bytes, content_type: str, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Send a body of some type."""
    about = {"Content-Type": content_type, "Content-Length": str(len(body))}
    return Response(body, status, {**HEADERS, **(headers or {}), **about})


def no_content() -> Response:
    """204 without a body, and without a content type that would suggest one."""
    return Response(b"", 204, HEADERS.copy())


def not_modified(etag: str) -> Response:
    """304: the client has it already."""
    return Response(b"", 304, {**HEADERS, "ETag": etag})


def metadata_answer(
    metadata_location: str | None,
    document: str,
    *,
    config: bool,
    delegation: Delegation = NOTHING,
    etag: str | None = None,
) -> Response:
    """A load or commit answer around a stored metadata document.

    :param config: whether the answer has a ``config`` member, as loads have and commits have not; it says how the
        storage of a warehouse with a profile is reached, which for the default warehouse is left to the client
    :param delegation: how the client is let at the files
    """
    more: dict[str, Any] = {}
    if config:
        more["config"] = delegation.config if delegation.way else _storage_config()
    if delegation.credentials:
        more["storage-credentials"] = [credential._asdict() for credential in delegation.credentials]
    if delegation.way == "remote-signing":
        more["remote-signing-config"] = {"properties": {}, "headers": {}}
    location = msgspec.json.encode(metadata_location)
    tail = b"," + msgspec.json.encode(more)[1:] if more else b"}"
    here = at_hand()
    here.body_key = None if etag is None else (etag, tail)
    here.holds_secrets = delegation.way is not None
    body = b"".join((b'{"metadata-location":', location, b',"metadata":', document.encode(), tail))
    return raw_answer(body, headers={"ETag": etag} if etag else None)


def _storage_config() -> dict[str, str]:
    profile = at_hand().warehouse.profile
    return {} if profile is None else profile.client_properties()
