"""Client secrets: stored as Argon2id, checked in threads so that guessing does not keep a worker from its work."""

import secrets
from collections.abc import Sequence
from functools import cache

import argon2

from app.errors import ServiceUnavailableException
from app.storage.executor import Executor, in_threads

# Of the choices that OWASP calls equal the one that needs the least time of a processor.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16)
ACTIVE_AT_ONCE = 2
"""The secret and, after a rotation, the one before."""
LONGEST = 1_024
_THREADS = 2
_SECONDS = 5.0


def new_secret() -> str:
    """Return 256 random bits in characters that no encoding changes."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """Return what is stored of a secret; its salt and parameters are in it."""
    return _HASHER.hash(secret)


def match_secret(hashes: Sequence[str], secret: str) -> int | None:
    """Return which of the hashes is that of the secret, None if none is.

    A wrong secret takes as long whether there are two hashes, one, or, as of a client that does not exist, none.
    """
    if len(secret) > LONGEST:
        return None
    padded = [*hashes, *[_nobodys()] * (ACTIVE_AT_ONCE - len(hashes))]
    for index, stored in enumerate(padded):
        if _is_hash_of(stored, secret) and index < len(hashes):
            return index
    return None


class SecretChecks:
    """Compares secrets with stored hashes, a few at a time."""

    def __init__(self) -> None:
        self._executor: Executor = in_threads("secrets", _THREADS, _SECONDS)

    def match(self, hashes: Sequence[str], secret: str) -> int | None:
        """Return which of the hashes is that of the secret, None if none is.

        :raises ServiceUnavailableException: when too many secrets are to be checked
        """
        try:
            return self._executor.run(lambda: match_secret(hashes, secret))
        except ServiceUnavailableException as error:
            message = "Too many clients log in at the same time; try again"
            raise ServiceUnavailableException(message, headers={"Retry-After": "1"}) from error


def _is_hash_of(stored: str, secret: str) -> bool:
    try:
        return _HASHER.verify(stored, secret)
    except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    """The hash of a secret that nobody knows."""
    return hash_secret(new_secret())
