"""Where new objects are put, and that no two of them share a place."""

import re
import unicodedata
from typing import NamedTuple

from app.catalog.context import Warehouse
from app.db import Database, Row, Transaction
from app.errors import IllegalArgumentException
from app.identifiers import TableIdentifier
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


class Holder(NamedTuple):
    """Who has keys for what; ``principal`` also tells apart two who had the same name at different times."""

    principal: str
    identifier: TableIdentifier


def claim_location(
    tx: Transaction,
    warehouse: Warehouse,
    location: str,
    object_id: int = 0,
    adoption: Adoption | None = None,
    holder: Holder | None = None,
) -> None:
    """Take a place for an object until the transaction ends.

    :raises IllegalArgumentException: as :func:`refuse_obstacle`
    """
    lock_location(tx, warehouse.id, location)
    refuse_obstacle(tx, warehouse, location, object_id, adoption, holder)


def lock_location(tx: Transaction, warehouse_id: int, location: str) -> None:
    """Keep others from claiming this place, or one around or inside it, until the transaction ends."""
    tx.queue("lock_location", warehouse_id=warehouse_id, keys=_keys(locations.key(location)))


def refuse_obstacle(
    source: Database | Transaction,
    warehouse: Warehouse,
    location: str,
    object_id: int = 0,
    adoption: Adoption | None = None,
    holder: Holder | None = None,
) -> None:
    """
    :param adoption: lets the object share the place of a held one that it once was
    :param holder: for whom the temporary keys of everybody else count as well
    :raises IllegalArgumentException: when another object's location contains this one or lies inside it, or when keys
        that count reach it
    """
    found = find_obstacle(source, warehouse.id, location, object_id, adoption, holder)
    if found is None:
        return
    if found.expires_at is not None:
        raise IllegalArgumentException(
            f"Invalid location {location!r}: until {found.expires_at:%Y-%m-%d %H:%M:%S %Z} somebody else has"
            " temporary keys that reach it; take another one"
        )
    # Who has to be authorized may not know of the other one.
    where = found.location if warehouse.names.is_open else None
    raise overlaps(location, where, held=found.held)


def find_obstacle(
    source: Database | Transaction,
    warehouse_id: int,
    location: str,
    object_id: int = 0,
    adoption: Adoption | None = None,
    holder: Holder | None = None,
) -> Row:
    """Return what keeps a place from being taken, None when it is free; ``expires_at`` marks temporary keys."""
    key = locations.key(location)
    uuid, metadata_location = adoption or (None, None)
    return source.fetch_one(
        "find_obstacle",
        warehouse_id=warehouse_id,
        id=object_id,
        keys=_keys(key),
        key=key,
        uuid=uuid,
        metadata_location=metadata_location,
        principal=holder.principal if holder else None,
        levels=list(holder.identifier.namespace) if holder else None,
        name=holder.identifier.name if holder else None,
    )


def _keys(key: str) -> list[str]:
    """A place behind all that contain it, outermost first."""
    return [*locations.ancestors(key), key]


def overlaps(location: str, other: str | None, *, held: bool = False) -> IllegalArgumentException:
    """What to say about a location that collides with that of another object."""
    whose = "a dropped table or view that is held" if held else "another table or view"
    where = "" if other is None else f" ({other})"
    return IllegalArgumentException(
        f"Invalid location {location!r}: it overlaps the location of {whose}{where}"
    )
