"""Answers: JSON that is already text passes through without being parsed."""

from typing import Any

import msgspec
from flask import Response

from app.api.at_hand import at_hand
from app.catalog.delegation import NOTHING, Delegation

JSON = "application/json"
# Neither a proxy nor a client's HTTP cache may keep what the catalog says.
HEADERS = {"Cache-Control": "no-store"}


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Encode a JSON value."""
    return raw_answer(msgspec.json.encode(value), status, headers)


def raw_answer(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Send JSON text as it is."""
    return Response(body, status, {**HEADERS, **(headers or {})}, content_type=JSON)


def no_content() -> Response:
    """204 without a body, and without a content type that would suggest one."""
    answer = Response(status=204, headers=HEADERS)
    del answer.headers["Content-Type"]
    return answer


def not_modified(etag: str) -> Response:
    """304: the client has it already."""
    answer = Response(status=304, headers={**HEADERS, "ETag": etag})
    del answer.headers["Content-Type"]
    return answer


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
