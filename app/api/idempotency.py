"""The ``Idempotency-Key`` header of a request."""

import hashlib
import uuid

import msgspec

from app.api.at_hand import AtHand, at_hand
from app.catalog.context import IdempotencyKey
from app.errors import BadRequestException

HEADER = "Idempotency-Key"
VARIABLE = "HTTP_IDEMPOTENCY_KEY"
"""The header in a WSGI environ."""


def idempotency_key() -> IdempotencyKey | None:
    """Return the key and what it was used for: method, target and body, the latter as canonical JSON.

    :raises BadRequestException: when it is no UUID of 36 characters, or given more than once
    """
    here = at_hand()
    value = here.request.environ.get(VARIABLE, "").strip()
    if not value:
        return None
    if "," in value:  # servers join what is given twice
        raise BadRequestException(f"Invalid {HEADER}: given more than once")
    return IdempotencyKey(_uuid(value), _fingerprint(here), keeps_missing=here.is_last_reading)


def _uuid(text: str) -> str:
    try:
        key = uuid.UUID(text)
    except ValueError:
        key = None
    if key is None or text.lower() != str(key):
        raise BadRequestException(f"Invalid {HEADER} {text[:64]!r}: expected a UUID of 36 characters")
    return str(key)


def _fingerprint(here: AtHand) -> bytes:
    request = here.request
    asked = hashlib.sha256(
        f"{request.method} {request.path}?{request.query_string.decode('latin-1')}\n".encode()
    )
    asked.update(msgspec.json.encode(here.body, order="deterministic"))
    return asked.digest()
