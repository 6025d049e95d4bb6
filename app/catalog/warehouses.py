"""Which warehouse a request means."""

from urllib.parse import urlsplit

from app.catalog.context import Catalog, Warehouse
from app.config import Settings
from app.db import Database
from app.errors import BadRequestException, NoSuchWarehouseException
from app.storage import locations


class Warehouses:
    """Warehouses by prefix. What never changes after creation (id, prefix) is kept by the process."""

    def __init__(self, catalog: Catalog) -> None:
        self._db = catalog.db
        self._by_prefix: dict[str | None, Warehouse] = {}

    def resolve(self, prefix: str | None) -> Warehouse:
        """Return the warehouse of a path prefix; without one the default warehouse.

        :raises NoSuchWarehouseException: when there is none
        """
        warehouse = self._by_prefix.get(prefix)
        if warehouse is None:
            warehouse = self._by_prefix[prefix] = self._load(prefix)
        return warehouse

    def find(self, text: str) -> Warehouse:
        """Return the warehouse with this name or this root location (as Spark users pass it).

        :raises NoSuchWarehouseException: when there is none
        """
        row = self._db.fetch_one("load_warehouse", name=text)
        if row is not None:
            return Warehouse(*row)
        for row in self._db.fetch_all("list_warehouses"):
            if _is_same_location(text, row.root_location):
                return Warehouse(*row)
        raise NoSuchWarehouseException(f"Warehouse does not exist: {text}")

    def _load(self, prefix: str | None) -> Warehouse:
        if prefix is None:
            row = self._db.fetch_one("load_default_warehouse")
        else:
            row = self._db.fetch_one("load_warehouse_by_prefix", prefix=prefix)
        if row is None:
            raise NoSuchWarehouseException(f"Warehouse does not exist: {prefix or 'the default one'}")
        return Warehouse(*row)


def ensure_default_warehouse(db: Database, settings: Settings, root_location: str) -> None:
    """Create the default warehouse, or follow a changed name or root in the settings; its prefix stays."""
    name = settings.catalog.default_warehouse
    db.execute("ensure_default_warehouse", name=name, prefix=name, root_location=root_location)


def _is_same_location(text: str, root: str) -> bool:
    if not (urlsplit(text).scheme or text.startswith("/")):
        return False
    try:
        return locations.key(text) == locations.key(root)
    except BadRequestException:
        return False
