"""Warehouses as those see them who run the catalog."""

from app.catalog.context import Catalog, Warehouse
from app.storage.profiles import StorageProfile


def list_warehouses(catalog: Catalog, after: str | None, limit: int | None) -> list[Warehouse]:
    """Return all warehouses, active or not, by name in byte order, behind ``after``."""
    rows = catalog.db.fetch_all("list_warehouses", after=after or "", limit=limit)
    return [Warehouse.from_row(row) for row in rows]


def profile_of(catalog: Catalog, warehouse: Warehouse) -> StorageProfile:
    """Return how the warehouse's storage is reached; for the default warehouse the settings say so."""
    if warehouse.profile is not None:
        return warehouse.profile
    return StorageProfile.from_settings(catalog.settings.storage, warehouse.root_location)
