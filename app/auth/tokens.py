"""Access tokens: JSON Web Tokens that every node signs and accepts (RFC 7519).

The algorithm is HS256 and belongs to the key: what a token says about its algorithm is never believed. Times are
seconds since the epoch with a fraction; ``issued_at`` is one of the database's clock.
"""

import base64
import hashlib
import math
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import jwt

from app.storage.sealing import decode_keys

ISSUER = "bingsan"
AUDIENCE = "bingsan"
ALGORITHM = "HS256"
# Decoders of base64 overlook padding and letters that are none; a token has one spelling.
_FORM = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")
_REQUIRED = ("iss", "aud", "sub", "jti", "iat", "exp", "scope")


class InvalidToken(Exception):
    """A credential that is nobody's, or not any more; the text says why, ``reason`` is a word for the figures."""

    def __init__(self, message: str, reason: str = "invalid") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """What a token says.

    ``credential`` names what it was made with (``key:7``, ``secret:3``; empty for what an external provider gave) and
    ``until`` when its last successor ends, however often it is exchanged; None is never. ``roles`` are those that an
    external provider vouched for.
    """

    principal_id: int
    scopes: tuple[str, ...]
    issued_at: float
    expires_at: float
    credential: str = ""
    until: float | None = None
    roles: tuple[str, ...] = ()
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))


class Signer:
    """Signs with the first key and accepts the signatures of all.

    :param keys: 32 bytes each
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys: Mapping[str, bytes] = {key_id(key): key for key in keys}
        self._signing = key_id(keys[0])

    def sign(self, token: AccessToken) -> str:
        claims: dict[str, object] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(token.principal_id),
            "jti": token.id,
            "iat": token.issued_at,
            "exp": math.ceil(token.expires_at),  # Java reads no fractions here
            "scope": " ".join(token.scopes),
        }
        if token.credential:
            claims["cred"] = token.credential
        if token.until is not None:
            claims["until"] = token.until
        if token.roles:
            claims["roles"] = list(token.roles)
        headers = {"kid": self._signing, "typ": "at+jwt"}
        return jwt.encode(claims, self._keys[self._signing], ALGORITHM, headers=headers)

    def read(self, text: str, *, expired_for: float = 0.0) -> AccessToken:
        """Return what a token of this server says.

        :param expired_for: how many seconds ago it may have expired
        :raises InvalidToken: when it is none, was changed, was made for somebody else, or has expired
        """
        try:
            claims = jwt.decode(
                text,
                self._keys[_key_named(text)],
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={
                    "require": list(_REQUIRED),
                    "strict_aud": True,
                    "verify_exp": False,  # below, by how long ago it was
                    "verify_iat": False,  # another clock's
                },
            )
            token = _token(claims)
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError) as error:
            raise InvalidToken("it is not a token of this server") from error
        if token.expires_at + expired_for <= time.time():
            raise InvalidToken("the token has expired", "expired")
        return token

    def is_own(self, text: str) -> bool:
        """Whether a token says that a key of this server signed it; nothing is checked."""
        return _key_named(text) in self._keys


def signing_keys(text: str) -> list[bytes]:
    """Return the keys of ``auth.signing_key``, which the configuration has checked."""
    keys = decode_keys(text)
    assert keys, "auth.signing_key has been checked"
    return keys


def key_id(key: bytes) -> str:
    """What tokens call the key that signed them; tells nothing about the key."""
    digest = hashlib.sha256(b"bingsan signing key\0" + key).digest()
    return base64.urlsafe_b64encode(digest[:12]).decode()


def _key_named(text: str) -> str:
    if not _FORM.fullmatch(text):
        return ""
    try:
        return str(jwt.get_unverified_header(text).get("kid", ""))
    except (jwt.InvalidTokenError, ValueError):
        return ""


def _token(claims: Mapping[str, object]) -> AccessToken:
    scope, until, roles = claims["scope"], claims.get("until"), claims.get("roles", [])
    if not isinstance(scope, str) or not isinstance(roles, list):
        raise TypeError("scope is text, roles are an array")
    return AccessToken(
        principal_id=int(str(claims["sub"])),
        scopes=tuple(scope.split()),
        issued_at=_seconds(claims["iat"]),
        expires_at=_seconds(claims["exp"]),
        credential=str(claims.get("cred", "")),
        until=None if until is None else _seconds(until),
        roles=tuple(str(role) for role in roles),
        id=str(claims["jti"]),
    )


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("a time is a finite number")
    return float(value)
