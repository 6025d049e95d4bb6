"""Properties of namespaces: what may be asked for, what changed, and the one among them that is a location."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from app.catalog.context import Catalog, Warehouse
from app.errors import BadRequestException, UnprocessableEntityException

LOCATION = "location"


class PropertyChanges(NamedTuple):
    """The keys that were set, removed, and asked to be removed but not there."""

    updated: list[str]
    removed: list[str]
    missing: list[str]


def refuse_contradiction(removals: Sequence[str], updates: Mapping[str, str]) -> None:
    """
    :raises UnprocessableEntityException: when a key is in both
    """
    both = sorted(set(removals) & set(updates))
    if both:
        raise UnprocessableEntityException(
            f"Invalid properties update: {', '.join(both)} must not be in both removals and updates"
        )


def checked_location(catalog: Catalog, warehouse: Warehouse, properties: Mapping[str, str]) -> str | None:
    """Return the location among ``properties``, if there is one.

    :raises BadRequestException: when the warehouse has no such place
    """
    if LOCATION not in properties:
        return None
    location = properties[LOCATION].rstrip("/")
    if not location:
        raise BadRequestException("Invalid properties: location must not be empty")
    catalog.storages.of(warehouse).allowed.check(location)
    return location


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Any]:
    """What turns the properties ``before`` into those ``after``."""
    return {
        "updated": {key: after[key] for key in sorted(after) if before.get(key) != after[key]},
        "removed": sorted(before.keys() - after.keys()),
    }


def encode_properties(properties: Mapping[str, Any]) -> str:
    return msgspec.json.encode(properties).decode()
