"""Places that somebody's temporary keys open, before a staged table is made and after a table was dropped as well.

Until the keys end nothing of others may come to lie there, or around, or inside.
"""

from typing import NamedTuple

from app.catalog.context import Catalog, Warehouse
from app.catalog.locations import lock_location, refuse_overlap
from app.db import Database, Transaction
from app.errors import IllegalArgumentException
from app.identifiers import TableIdentifier
from app.storage import locations
from app.storage.locations import Location
from app.storage.vending import NotVendable


class Holder(NamedTuple):
    """Who has keys for what; ``principal`` also tells apart two who had the same name at different times."""

    principal: str
    identifier: TableIdentifier


def keep_place(
    catalog: Catalog, warehouse: Warehouse, place: Location, holder: Holder, expires_at: float
) -> None:
    """Remember until when keys open a place. Call it before anybody gets them.

    :param expires_at: in seconds since the epoch
    :raises NotVendable: when something else has come to lie there
    """
    with catalog.db.transaction() as tx:
        lock_location(tx, warehouse.id, place.key)
        other = tx.fetch_one(
            "find_overlapping_location",
            warehouse_id=warehouse.id,
            id=0,
            keys=_keys(place.key),
            key=place.key,
            uuid=None,
            metadata_location=None,
        )
        if other is not None and locations.key(other.location) != place.key:
            raise NotVendable(f"{other.location} lies there too")
        tx.execute(
            "store_vended_place",
            warehouse_id=warehouse.id,
            key=place.key,
            principal=holder.principal,
            levels=list(holder.identifier.namespace),
            name=holder.identifier.name,
            expires_at=expires_at,
        )


def refuse_place(source: Database | Transaction, warehouse: Warehouse, location: str, holder: Holder) -> None:
    """
    :raises IllegalArgumentException: when another object's location, or somebody else's keys, meet this one
    """
    refuse_overlap(source, warehouse, location)
    refuse_open_place(source, warehouse, location, holder)


def refuse_open_place(
    source: Database | Transaction,
    warehouse: Warehouse,
    location: str,
    holder: Holder,
    *,
    is_adopted: bool = False,
) -> None:
    """
    :param is_adopted: whether its files were there before, as those of a registered table
    :raises IllegalArgumentException: when somebody else's keys open the location, a part of it, or a place around it
    """
    key = locations.key(location)
    found = source.fetch_one(
        "find_vended_place",
        warehouse_id=warehouse.id,
        keys=_keys(key),
        key=key,
        principal=holder.principal,
        levels=list(holder.identifier.namespace),
        name=holder.identifier.name,
        adopted=is_adopted,
    )
    if found is not None:
        raise IllegalArgumentException(
            f"Invalid location {location!r}: until {found.expires_at:%Y-%m-%d %H:%M:%S %Z} somebody else has"
            " temporary keys that reach it; take another one"
        )


def _keys(key: str) -> list[str]:
    return [*locations.ancestors(key), key]
