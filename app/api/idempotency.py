"""The ``Idempotency-Key`` header of a request."""

import hashlib
import uuid

import msgspec
from flask import g, request

from app.catalog.context import IdempotencyKey
from app.errors import BadRequestException

HEADER = "Idempotency-Key"


def idempotency_key() -> IdempotencyKey | None:
    """Return the key and what it was used for: method, target and body, the latter as canonical JSON.

    :raises BadRequestException: when it is no UUID of 36 characters, or given more than once
    """
    values = [value.strip() for value in request.headers.getlist(HEADER) if value.strip()]
    if not values:
        return None
    if len(values) > 1 or "," in values[0]:
        raise BadRequestException(f"Invalid {HEADER}: given more than once")
    return IdempotencyKey(_uuid(values[0]), _fingerprint(), keeps_missing=g.is_last_reading)


def _uuid(text: str) -> str:
    try:
        key = uuid.UUID(text)
    except ValueError:
        key = None
    if key is None or text.lower() != str(key):
        raise BadRequestException(f"Invalid {HEADER} {text[:64]!r}: expected a UUID of 36 characters")
    return str(key)


def _fingerprint() -> bytes:
    asked = hashlib.sha256(
        f"{request.method} {request.path}?{request.query_string.decode('latin-1')}\n".encode()
    )
    asked.update(msgspec.json.encode(g.get("body"), order="deterministic"))
    return asked.digest()
