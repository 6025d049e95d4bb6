"""Secrets at rest: AES-256-GCM under ``secrets.key``, each sealed for one owner."""

import base64
import binascii
import os
from collections.abc import Iterable
from contextlib import suppress

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = b"\x01"


class SealBroken(Exception):
    """What was sealed under another key, for another owner, or was changed."""


def decode_keys(text: str) -> list[bytes] | None:
    """Return the bytes of keys in base64, separated by commas; None when one of them is none."""
    try:
        keys = [base64.b64decode(part.strip(), validate=True) for part in text.split(",")] if text else []
    except (binascii.Error, ValueError):
        return None
    return keys if all(len(key) == KEY_BYTES for key in keys) else None


def seal(key: bytes, owner: str, plain: bytes) -> bytes:
    """Return what only :func:`unseal` with the same key and owner can read."""
    # Few nodes have any use for it, and it takes a while to import.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    return _FORMAT + nonce + AESGCM(key).encrypt(nonce, plain, owner.encode())


def unseal(keys: Iterable[bytes], owner: str, sealed: bytes) -> bytes:
    """
    :raises SealBroken: when it was not sealed with one of these keys for this owner
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    if sealed[:1] != _FORMAT or len(nonce) < _NONCE_BYTES:
        raise SealBroken("unknown format")
    for key in keys:
        with suppress(InvalidTag):
            return AESGCM(key).decrypt(nonce, rest, owner.encode())
    raise SealBroken("another key or another owner")
