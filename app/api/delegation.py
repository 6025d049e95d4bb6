"""The ``X-Iceberg-Access-Delegation`` header: how the client could be let at the files."""

from flask import request

HEADER = "X-Iceberg-Access-Delegation"
MECHANISMS = ("vended-credentials", "remote-signing")


def requested_delegation() -> tuple[str, ...]:
    """Return the mechanisms that the client names, in its order. It is a hint: what we do not know is left out."""
    named = (item.strip().lower() for value in request.headers.getlist(HEADER) for item in value.split(","))
    return tuple(dict.fromkeys(item for item in named if item in MECHANISMS))
