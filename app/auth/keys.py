"""API keys: 256 random bits each, of which only the SHA-256 is stored."""

import hashlib
import re
import secrets

PREFIX = "bingsan_"
_KEY = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


def new_key() -> str:
    """Return a key that nobody has: ``bingsan_`` and 43 characters that are safe in URLs."""
    return PREFIX + secrets.token_urlsafe(32)


def is_key(text: str) -> bool:
    """Whether a text has the form of a key."""
    return _KEY.fullmatch(text) is not None


def hash_key(key: str) -> bytes:
    """What is stored of a key. Nothing slower is needed: nobody can guess 256 bits.

    Looking a key up by its hash tells nothing in its timing: who does not know the key cannot choose the hash.
    """
    return hashlib.sha256(key.encode()).digest()
