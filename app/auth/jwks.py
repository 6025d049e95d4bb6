"""The public keys of an OpenID provider: read from its key set, kept, and fetched again when it is time.

Source: RFC 7517 (key sets), RFC 7518 (algorithms), RFC 8725 (what a key may be used for).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_RSA_BITS = 2048
_RSA = frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"))
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
_MOST_KEYS = 200


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and the algorithms it may verify: those of its kind, or the one that its owner names."""

    kid: str | None
    algorithms: frozenset[str]
    public: Any


class KeySet:
    """Keys as a provider published them."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = tuple(keys)

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """The key with this id, if it is one for the algorithm; without an id the only one there is for it."""
        fitting = [key for key in self._keys if algorithm in key.algorithms]
        if kid is None:
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.kid == kid), None)


def read_key_set(document: dict[str, Any]) -> KeySet:
    """Read a key set; what is no public key for signatures in it is left out, as RFC 7517 section 5 asks for.

    :raises ValueError: when it is no key set
    """
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise ValueError("it has no list of keys")
    return KeySet(key for entry in entries[:_MOST_KEYS] if (key := _key(entry)) is not None)


def _key(entry: Any) -> Key | None:
    if not isinstance(entry, dict) or not _is_for_signatures(entry):
        return None
    kid, named = entry.get("kid"), entry.get("alg")
    algorithms = _algorithms(entry)
    if named is not None:
        algorithms &= {"EdDSA" if named == "Ed25519" else named} if isinstance(named, str) else set()
    if not algorithms or not isinstance(kid, str | None):
        return None
    try:
        public = jwt.PyJWK(entry, min(algorithms)).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    if isinstance(public, RSAPublicKey) and public.key_size < _RSA_BITS:
        return None
    return Key(kid, algorithms, public) if not hasattr(public, "private_bytes") else None


def _is_for_signatures(entry: dict[str, Any]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return entry.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _algorithms(entry: dict[str, Any]) -> frozenset[str]:
    kind, curve = entry.get("kty"), entry.get("crv")
    if kind == "RSA":
        return _RSA
    if kind in ("EC", "OKP") and curve in _CURVES:
        return frozenset((_CURVES[curve],)) if (kind == "OKP") == (curve == "Ed25519") else frozenset()
    return frozenset()
