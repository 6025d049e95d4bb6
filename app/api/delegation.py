"""The ``X-Iceberg-Access-Delegation`` header: how the client could be let at the files."""

from flask import request

_VARIABLE = "HTTP_X_ICEBERG_ACCESS_DELEGATION"
MECHANISMS = ("vended-credentials", "remote-signing")


def requested_delegation() -> tuple[str, ...]:
    """Return the mechanisms that the client names, in its order. It is a hint: what we do not know is left out."""
    text = request.environ.get(_VARIABLE)
    if text is None:
        return ()
    named = (item.strip().lower() for item in text.split(","))
    return tuple(dict.fromkeys(item for item in named if item in MECHANISMS))
