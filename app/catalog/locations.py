"""Where new objects are put, and that no two of them share a place."""

import re
import unicodedata
from typing import NamedTuple

from app.catalog.context import Warehouse
from app.db import Database, Transaction
from app.errors import IllegalArgumentException
from app.storage import locations
from app.storage.registry import Storages

SLUG_BYTES = 64
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def slug(name: str) -> str:
    """A readable path segment of at most 64 bytes: ASCII letters, digits and ``._-``, never only dots."""
    ascii_text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = _UNSAFE.sub("_", ascii_text).strip("._")[:SLUG_BYTES]
    return text or "_"


def child_location(parent_location: str, name: str) -> str:
    """The default location of a namespace below its parent's. Not unique: only tables own their location."""
    return f"{parent_location.rstrip('/')}/{slug(name)}"


def table_location(namespace_location: str, name: str, uuid: str) -> str:
    """The default location of a table or view: readable, and unique by its uuid."""
    return f"{namespace_location.rstrip('/')}/{slug(name)}-{uuid}"


def check_object_location(storages: Storages, location: str) -> None:
    """Check that a table or view may own a location.

    :raises BadRequestException: when it is malformed
    :raises IllegalArgumentException: when it is outside the allowed prefixes, or is one of them
    """
    place = storages.allowed.check(location)
    if any(place == prefix for prefix in storages.allowed.prefixes):
        raise IllegalArgumentException(
            f"Invalid location {location!r}: it is a whole allowed prefix, a table or view must lie below it"
        )


class Adoption(NamedTuple):
    """An object that comes with files of its own: registered, or brought back."""

    uuid: str | None
    metadata_location: str


def claim_location(
    tx: Transaction, warehouse: Warehouse, location: str, object_id: int = 0, adoption: Adoption | None = None
) -> None:
    """Take a place for an object until the transaction ends.

    :param adoption: lets the object share the place of a held one that it once was
    :raises IllegalArgumentException: when another object's location contains it or lies inside it
    """
    lock_location(tx, warehouse.id, location)
    refuse_overlap(tx, warehouse, location, object_id, adoption)


def lock_location(tx: Transaction, warehouse_id: int, location: str) -> None:
    """Keep others from claiming this place, or one around or inside it, until the transaction ends."""
    keys = [*locations.ancestors(location), locations.key(location)]
    tx.queue("lock_location", warehouse_id=warehouse_id, keys=keys)


def refuse_overlap(
    source: Database | Transaction,
    warehouse: Warehouse,
    location: str,
    object_id: int = 0,
    adoption: Adoption | None = None,
) -> None:
    """
    :raises IllegalArgumentException: when another object's location contains this one or lies inside it
    """
    key = locations.key(location)
    uuid, metadata_location = adoption or (None, None)
    other = source.fetch_one(
        "find_overlapping_location",
        warehouse_id=warehouse.id,
        id=object_id,
        keys=[*locations.ancestors(location), key],
        key=key,
        uuid=uuid,
        metadata_location=metadata_location,
    )
    if other is not None:
        # Who has to be authorized may not know of the other one.
        where = other.location if warehouse.names.is_open else None
        raise overlaps(location, where, held=other.held)


def overlaps(location: str, other: str | None, *, held: bool = False) -> IllegalArgumentException:
    """What to say about a location that collides with that of another object."""
    whose = "a dropped table or view that is held" if held else "another table or view"
    where = "" if other is None else f" ({other})"
    return IllegalArgumentException(
        f"Invalid location {location!r}: it overlaps the location of {whose}{where}"
    )
