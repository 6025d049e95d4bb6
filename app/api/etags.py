"""Entity tags of tables: what a client has seen, so that it need not be sent again."""

import hashlib
from typing import Final

from flask import request

GZIP: Final = "-gzip"
"""Ends the tags of those who take compressed answers."""


def table_etag(
    metadata_location: str, snapshots: str = "all", *more: object, expires_at: float | None = None
) -> str:
    """The strong tag of one representation of a table.

    :param snapshots: the loading mode; ``all`` and ``refs`` are different representations
    :param more: what else makes a difference to the body
    :param expires_at: when secrets in the body end, in seconds since the epoch; the tag says it
    """
    text = "\0".join([metadata_location, snapshots, *map(str, more)])
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    return f'"{digest}"' if expires_at is None else f'"{digest}-{int(expires_at):x}"'


def known_etag(etag: str) -> str | None:
    """Return the tag if the request's If-None-Match names it; compared weakly, quoted or not, ``*`` matches."""
    return etag if names(etag, request.headers.get("If-None-Match", "")) else None


def names(etag: str, if_none_match: str) -> bool:
    """Whether a tag is among those of an If-None-Match."""
    tags = _tags(if_none_match)
    return "*" in tags or not tags.isdisjoint(_tags(etag))


def known_unexpired(etag: str, least: float) -> str | None:
    """Return the tag of If-None-Match that is ``etag`` with secrets that last until ``least`` at least.

    ``*`` does not match: it does not say until when the client's secrets are good.
    """
    wanted = etag.strip('"')
    for tag in _tags(request.headers.get("If-None-Match", "")):
        digest, _, expires = tag.partition("-")
        if digest == wanted and _seconds(expires) >= least:
            return f'"{tag}"'
    return None


def _tags(if_none_match: str) -> set[str]:
    return {tag.strip().removeprefix("W/").strip('"').removesuffix(GZIP) for tag in if_none_match.split(",")}


def _seconds(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return 0
