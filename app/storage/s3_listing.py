"""A folder of a bucket: what keys have in common up to a slash."""

from typing import Any

from app.storage.filesystem import Entry, Page
from app.storage.locations import Location

_PAGE = 1000


def list_request(place: Location, token: str) -> dict[str, Any]:
    """Ask for what lies directly below a place.

    :param token: where the page before ended
    """
    prefix = f"{place.path}/" if place.path else ""
    request: dict[str, Any] = {"Bucket": place.bucket, "Prefix": prefix, "Delimiter": "/", "MaxKeys": _PAGE}
    return {**request, "ContinuationToken": token} if token else request


def page_of(answer: dict[str, Any], request: dict[str, Any]) -> Page:
    """Read a store's answer; an object that is called like the folder itself is none of its entries."""
    skip = len(request["Prefix"])
    folders = [entry["Prefix"][skip:].removesuffix("/") for entry in answer.get("CommonPrefixes", [])]
    objects = [(entry["Key"][skip:], entry["LastModified"]) for entry in answer.get("Contents", [])]
    entries = [Entry(name, is_folder=True, modified=0.0) for name in folders]
    entries += [Entry(name, is_folder=False, modified=at.timestamp()) for name, at in objects if name]
    return Page(entries, answer.get("NextContinuationToken", ""))
