"""Places that somebody's temporary keys open, before a staged table is made and after a table was dropped as well.

Until the keys end nothing of others may come to lie there, or around, or inside.
"""

from app.catalog.context import Catalog, Warehouse
from app.catalog.locations import Holder, find_obstacle, lock_location
from app.storage import locations
from app.storage.locations import Location
from app.storage.vending import NotVendable


def keep_place(
    catalog: Catalog, warehouse: Warehouse, place: Location, holder: Holder, expires_at: float
) -> None:
    """Remember until when keys open a place. Call it before anybody gets them.

    :param expires_at: in seconds since the epoch
    :raises NotVendable: when something else has come to lie there
    """
    with catalog.db.transaction() as tx:
        lock_location(tx, warehouse.id, place.key)
        other = find_obstacle(tx, warehouse.id, place.key)
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
