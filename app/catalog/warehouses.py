"""Which warehouse a request means."""

import time
from urllib.parse import urlsplit

from app.catalog.context import Catalog, Warehouse
from app.changes.log import Change, record_change
from app.changes.origin import SETTINGS
from app.config import Settings
from app.db import Database, Row, Transaction
from app.errors import (
    AlreadyExistsException,
    BadRequestException,
    Denial,
    ForbiddenException,
    NoSuchWarehouseException,
    ServiceUnavailableException,
)
from app.identifiers import Namespace
from app.storage import locations

# How long a worker goes by a row without looking again: others deactivate, rename and delete warehouses.
LIFETIME = 1.0


class WarehouseMoved(ServiceUnavailableException):
    """A warehouse has not the root that it had when it was looked up."""


class Warehouses:
    """Warehouses by prefix, as they were at most a second ago."""

    def __init__(self, catalog: Catalog) -> None:
        self._db = catalog.db
        self._by_prefix: dict[str | None, tuple[float, Warehouse]] = {}
        self._forgotten = 0

    def resolve(self, prefix: str | None) -> Warehouse:
        """Return the warehouse of a path prefix, active or not; without one the default warehouse.

        :raises NoSuchWarehouseException: when there is none
        """
        expires, warehouse = self._by_prefix.get(prefix, (0.0, None))
        now = time.monotonic()
        if warehouse is None or now >= expires:
            if warehouse is not None:
                # One request looks; those that come meanwhile go by the row that was good a moment ago.
                self._by_prefix[prefix] = (now + LIFETIME, warehouse)
            warehouse = self._refresh(prefix)
        return warehouse

    def find(self, text: str) -> Warehouse:
        """Return the warehouse, active or not, with this name or this root location (as Spark users pass it).

        :raises NoSuchWarehouseException: when there is none
        """
        row = self._db.fetch_one("load_warehouse", name=text)
        if row is not None:
            return Warehouse.from_row(row)
        for row in self._db.fetch_all("list_warehouses", after="", limit=None):
            if _is_same_location(text, row.root_location):
                return Warehouse.from_row(row)
        raise no_such_warehouse(text)

    def named(self, name: str | None) -> Warehouse:
        """Return the warehouse that has this name now, active or not; without one the default warehouse.

        :raises NoSuchWarehouseException: when there is none
        """
        if name is None:
            row = self._db.fetch_one("load_default_warehouse")
        else:
            row = self._db.fetch_one("load_warehouse", name=name)
        if row is None:
            raise no_such_warehouse(name)
        return Warehouse.from_row(row)

    def forget(self) -> None:
        """Look again: a warehouse has just changed."""
        self._forgotten += 1
        self._by_prefix.clear()

    def _refresh(self, prefix: str | None) -> Warehouse:
        forgotten = self._forgotten
        try:
            if prefix is None:
                row = self._db.fetch_one("load_default_warehouse")
            else:
                row = self._db.fetch_one("load_warehouse_by_prefix", prefix=prefix)
        except BaseException:
            self._by_prefix.pop(prefix, None)
            raise
        if row is None:
            self._by_prefix.pop(prefix, None)
            raise no_such_warehouse(prefix)
        warehouse = Warehouse.from_row(row)
        if forgotten == self._forgotten:
            self._by_prefix[prefix] = (time.monotonic() + LIFETIME, warehouse)
        return warehouse


def load_warehouse(db: Database, warehouse_id: int) -> Warehouse:
    """Return a warehouse by its id, active or not.

    :raises NoSuchWarehouseException: when it was deleted
    """
    row = db.fetch_one("load_warehouse_by_id", id=warehouse_id)
    if row is None:
        raise NoSuchWarehouseException(f"Warehouse does not exist: number {warehouse_id}")
    return Warehouse.from_row(row)


def reload_warehouse(db: Database, warehouse: Warehouse) -> Warehouse:
    """Return a warehouse as it is now.

    :raises NoSuchWarehouseException: when it was deleted
    :raises ForbiddenException: when it is deactivated
    """
    row = db.fetch_one("load_warehouse_by_id", id=warehouse.id)
    if row is None:
        raise no_such_warehouse(warehouse.name)
    return active(Warehouse.from_row(row))


def no_such_warehouse(name: str | None) -> NoSuchWarehouseException:
    return NoSuchWarehouseException(f"Warehouse does not exist: {name or 'the default one'}")


def active(warehouse: Warehouse) -> Warehouse:
    """
    :raises ForbiddenException: when the warehouse is deactivated
    """
    if not warehouse.is_active:
        denial = Denial(None, "warehouse", warehouse.id, warehouse.id, name=warehouse.name)
        raise ForbiddenException(f"Warehouse is deactivated: {warehouse.name}", denial=denial)
    return warehouse


def ensure_default_warehouse(db: Database, settings: Settings) -> None:
    """Create the default warehouse, or follow a changed name or root in the settings; its prefix stays.

    :raises AlreadyExistsException: when another warehouse has the name or a place of the settings
    """
    name, root = settings.catalog.default_warehouse, settings.storage.warehouse
    place = locations.normalise(root)
    for row in db.fetch_all("list_warehouses", after="", limit=None):
        other = Warehouse.from_row(row)
        if other.is_default:
            continue
        if other.name == name:
            raise AlreadyExistsException(f"catalog.default_warehouse: another warehouse is called {name}")
        taken = locations.normalise(other.root_location)
        if taken.contains(place) or place.contains(taken):
            raise AlreadyExistsException(
                f"storage.warehouse: {root} and the root of warehouse {other.name}, {other.root_location},"
                " contain one another"
            )
    with db.transaction() as tx:
        row = tx.fetch_one("ensure_default_warehouse", name=name, prefix=name, root_location=root)
        if row is not None:
            _record_default(tx, row)


def _record_default(tx: Transaction, row: Row) -> None:
    """Other nodes may run by what it was before."""
    change = Change(
        action="warehouse.created" if row.version == 1 else "warehouse.updated",
        warehouse_id=row.id,
        object_id=row.id,
        namespace=Namespace(),
        name=row.name,
        details={"root-location": row.root_location},
    )
    record_change(tx, change, SETTINGS)


def _is_same_location(text: str, root: str) -> bool:
    if not (urlsplit(text).scheme or text.startswith("/")):
        return False
    try:
        return locations.key(text) == locations.key(root)
    except BadRequestException:
        return False
