"""Scopes of credentials: they narrow what a principal may do and never widen it.

``catalog`` narrows nothing. What scopes allow is said in ``app.auth.privileges``'s terms by whoever decides.
"""

from collections.abc import Collection, Iterable

CATALOG = "catalog"
SIGN = "sign"
SCOPES = (CATALOG, SIGN, "read", "write", "manage")
_WIDTH = {CATALOG: 4, "manage": 3, "write": 2, "read": 1}
"""Each of these contains those with a smaller number, and all but ``read`` contain ``sign``."""


def known(requested: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes of which this server knows, each once, in their order: others are not ours to refuse."""
    return tuple(dict.fromkeys(scope for scope in requested if scope in SCOPES))


def wider(requested: Collection[str], held: Collection[str]) -> list[str]:
    """Return which of the requested scopes a credential with ``held`` does not contain."""
    return [scope for scope in requested if not any(_contains(own, scope) for own in held)]


def _contains(own: str, scope: str) -> bool:
    if own == scope:
        return True
    if scope == "sign":
        return _WIDTH.get(own, 0) >= _WIDTH["write"]
    return _WIDTH.get(own, 0) > _WIDTH.get(scope, len(SCOPES))
