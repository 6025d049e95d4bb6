"""Looks for secrets in whatever a service let out."""

import base64
from collections.abc import Iterator
from urllib.parse import quote

PIECE = 12
"""So many characters in a row give a secret away."""


class Secrets:
    """Secrets by their names; pieces of them are found as they are, percent-encoded, in base64 and hexadecimal."""

    def __init__(self) -> None:
        self._pieces: dict[bytes, str] = {}

    def add(self, name: str, secret: str) -> str:
        """Remember a secret and return it."""
        assert len(secret) >= PIECE, name
        for written in set(_spellings(secret.encode())):
            for start in range(len(written) - PIECE + 1):
                self._pieces[written[start : start + PIECE]] = name
        return secret

    def traces_in(self, data: bytes) -> set[str]:
        """Return the names of the secrets of which there is a piece."""
        places = range(len(data) - PIECE + 1)
        return {name for place in places if (name := self._pieces.get(data[place : place + PIECE]))}


def _spellings(secret: bytes) -> Iterator[bytes]:
    yield secret
    yield quote(secret, safe="").encode()
    yield secret.hex().encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            # Without what the neighbours have a part in.
            yield encode(b"\0" * shift + secret)[4 if shift else 0 : -4]
