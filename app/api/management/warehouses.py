"""Warehouse operations."""

from typing import Any

from flask import Response

from app.api.answers import json_answer
from app.api.context import catalog, services
from app.api.declarations import PAGES
from app.api.management.operations import ManagementOperations
from app.api.pages import requested_page
from app.catalog import warehouse_management as management
from app.catalog.context import Warehouse

resource = ManagementOperations("warehouses")


@resource.operation(
    "GET", "/warehouses", "List the warehouses", takes=PAGES, answers={200: "ListWarehousesResponse"}
)
def list_warehouses() -> Response:
    page = requested_page("warehouses")
    found = management.list_warehouses(catalog(), page.after, page.limit)
    warehouses, token = page.cut(found, lambda warehouse: warehouse.name)
    return json_answer({"warehouses": list(map(_shown, warehouses)), "next-page-token": token})


@resource.operation("GET", "/warehouses/{warehouse}", "Load a warehouse", answers={200: "Warehouse"})
def load_warehouse(warehouse: str) -> Response:
    return json_answer(_shown(services().warehouses.named(warehouse)))


def _shown(warehouse: Warehouse) -> dict[str, Any]:
    hold = warehouse.soft_delete_seconds
    return {
        "name": warehouse.name,
        "prefix": warehouse.prefix,
        "default": warehouse.is_default,
        "active": warehouse.is_active,
        "protected": warehouse.is_protected,
        "soft-delete": {"enabled": hold is not None, "hold-seconds": hold},
        "storage-profile": management.profile_of(catalog(), warehouse),
        "version": warehouse.version,
        "created-at-ms": int(warehouse.created_at.timestamp() * 1000),
        "updated-at-ms": int(warehouse.updated_at.timestamp() * 1000),
    }
