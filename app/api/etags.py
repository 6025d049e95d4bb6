"""Entity tags of tables: what a client has seen, so that it need not be sent again."""

import hashlib

from flask import request


def table_etag(metadata_location: str, snapshots: str = "all") -> str:
    """The strong tag of one representation of a table.

    :param snapshots: the loading mode; ``all`` and ``refs`` are different representations
    """
    digest = hashlib.sha256(f"{metadata_location}\0{snapshots}".encode()).hexdigest()
    return f'"{digest[:32]}"'


def is_known(etag: str) -> bool:
    """Whether the request's If-None-Match names the tag; compared weakly, quoted or not, ``*`` matches."""
    known = request.headers.get("If-None-Match", "")
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in known.split(",")}
    return "*" in tags or etag.strip('"') in tags
