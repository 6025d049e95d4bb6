"""Namespaces: any depth, each below an existing parent."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from app.auth.authority import Viewer
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import keep_result, mutation, no_result, once
from app.catalog.kinds import is_protected
from app.catalog.limits import check_properties
from app.catalog.locations import child_location
from app.catalog.namespace_properties import (
    LOCATION,
    PropertyChanges,
    checked_location,
    difference,
    encode_properties,
    refuse_contradiction,
)
from app.catalog.warehouses import WarehouseMoved, reload_warehouse
from app.changes.log import Change, record_change
from app.db import ConstraintViolated, Row, Transaction
from app.errors import (
    AlreadyExistsException,
    NamespaceNotEmptyException,
    NoSuchNamespaceException,
)
from app.identifiers import Namespace
from app.metadata.shapes import JsonObject

# The foreign keys of what lies in a namespace.
CONTENT = {"namespaces_parent_fkey", "tabulars_namespace_fkey", "functions_namespace_fkey"}


class LoadedNamespace(NamedTuple):
    """``properties`` holds the stored ones and always a location."""

    id: int
    levels: Namespace
    properties: dict[str, str]

    @property
    def location(self) -> str:
        return self.properties[LOCATION]

    def shown(self) -> dict[str, Any]:
        """What the specification has its answers say of it."""
        return {"namespace": self.levels, "properties": self.properties}

    def details(self) -> dict[str, Any]:
        """What the row of its creation says of it beside its name."""
        return {"properties": self.properties}


def _revive_namespace(_catalog: Catalog, _warehouse: Warehouse, result: JsonObject) -> LoadedNamespace:
    return LoadedNamespace(result["id"], Namespace(result["levels"]), result["properties"])


def _revive_changes(_catalog: Catalog, _warehouse: Warehouse, result: JsonObject) -> PropertyChanges:
    return PropertyChanges(**result)


def no_such_namespace(namespace: Namespace) -> NoSuchNamespaceException:
    return NoSuchNamespaceException(f"Namespace does not exist: {namespace}")


def tree_of(warehouse_id: int, root: Namespace) -> dict[str, Any]:
    """Return the parameters by which queries find a namespace and all below it."""
    return {"warehouse_id": warehouse_id, "levels": list(root), "beyond": list(root.beyond)}


def list_namespaces(
    catalog: Catalog,
    warehouse: Warehouse,
    parent: Namespace | None,
    after: str | None,
    limit: int | None,
    viewer: Viewer | None = None,
) -> list[Namespace]:
    """Return the direct children of ``parent`` (top level without), in byte order, behind the name ``after``.

    :param viewer: who sees only what it, or something in it, gives it a right on; None for everything
    :raises NoSuchNamespaceException: when the parent is missing, or nothing of it may be seen
    """
    levels = list(parent or ())
    warehouse.reads.listed("namespace", warehouse.id, levels)
    page = {"warehouse_id": warehouse.id, "after": [*levels, after or ""], "limit": limit}
    if viewer is not None:
        return _list_visible(catalog, Namespace(levels), page, viewer)
    if not levels:
        rows = catalog.db.fetch_all("list_namespaces", **page)
    else:
        parent_id = _fetch(catalog, warehouse, Namespace(levels)).id
        rows = catalog.db.fetch_all("list_child_namespaces", parent_id=parent_id, **page)
    return [Namespace(row.levels) for row in rows]


def _list_visible(
    catalog: Catalog, parent: Namespace, page: Mapping[str, Any], viewer: Viewer
) -> list[Namespace]:
    beyond = list(parent.beyond) if parent else None
    rows = catalog.db.fetch_all(
        "list_visible_namespaces", parent=list(parent), beyond=beyond, **page, **viewer.parameters()
    )
    if parent and rows[0].levels is None and not rows[0].whole:
        refuse_unless_seen(catalog, page["warehouse_id"], parent, viewer)
    return [Namespace(row.levels) for row in rows if row.levels is not None]


def refuse_unless_seen(catalog: Catalog, warehouse_id: int, namespace: Namespace, viewer: Viewer) -> None:
    """
    :raises NoSuchNamespaceException: when there is no right on anything in the namespace
    """
    tree = tree_of(warehouse_id, namespace)
    if not catalog.db.fetch_one("find_visible_below", **tree, **viewer.parameters()).found:
        raise no_such_namespace(namespace)


def load_namespace(catalog: Catalog, warehouse: Warehouse, namespace: Namespace) -> LoadedNamespace:
    """
    :raises NoSuchNamespaceException: when it does not exist
    """
    loaded = _fetch(catalog, warehouse, namespace)
    warehouse.names.confirm("namespace", namespace, loaded.id)
    return loaded


def _fetch(catalog: Catalog, warehouse: Warehouse, namespace: Namespace) -> LoadedNamespace:
    row = catalog.db.fetch_one("load_namespace", warehouse_id=warehouse.id, levels=list(namespace))
    _trace(warehouse, namespace, row)
    if row is None:
        raise no_such_namespace(namespace)
    return _loaded(namespace, row)


def _trace(warehouse: Warehouse, namespace: Namespace, row: Row) -> None:
    if row is None:
        warehouse.reads.missed(warehouse.id, namespace)
    else:
        warehouse.reads.read("namespace", row.id)


def namespace_exists(catalog: Catalog, warehouse: Warehouse, namespace: Namespace) -> None:
    """
    :raises NoSuchNamespaceException: when it does not exist
    """
    row = catalog.db.fetch_one("namespace_exists", warehouse_id=warehouse.id, levels=list(namespace))
    _trace(warehouse, namespace, row)
    if row is None:
        raise no_such_namespace(namespace)
    warehouse.names.confirm("namespace", namespace, row.id)


@once(_revive_namespace)
def create_namespace(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    namespace: Namespace,
    properties: Mapping[str, str],
) -> LoadedNamespace:
    """Create an empty namespace below an existing parent.

    :raises NoSuchNamespaceException: when the parent is missing
    :raises AlreadyExistsException: when it exists
    :raises BadRequestException: when a property or the location is not allowed
    """
    check_properties(properties, catalog.settings.limits)
    try:
        return _create(catalog, caller, warehouse, namespace, properties)
    except WarehouseMoved:
        # What this worker knew of the warehouse was a moment old.
        return _create(catalog, caller, reload_warehouse(catalog.db, warehouse), namespace, properties)


def _create(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    namespace: Namespace,
    properties: Mapping[str, str],
) -> LoadedNamespace:
    parent = load_namespace(catalog, warehouse, namespace.parent) if namespace.parent else None
    above = parent.location if parent else warehouse.root_location
    location = checked_location(catalog, warehouse, properties) or child_location(above, namespace[-1])
    stored = {key: value for key, value in properties.items() if key != LOCATION}
    try:
        with mutation(catalog, caller, warehouse) as tx:
            columns = {
                "location": location,
                "properties": encode_properties(stored),
                "owner_id": caller.principal_id,
            }
            row = _insert(tx, warehouse, parent, namespace, columns)
            created = LoadedNamespace(row.id, namespace, {**stored, LOCATION: location})
            change = Change(
                action="namespace.created",
                warehouse_id=warehouse.id,
                object_id=row.id,
                namespace=namespace,
                details=created.details(),
            )
            record_change(tx, change, caller.origin)
            keep_result(tx, caller, warehouse, created._asdict())
    except ConstraintViolated as error:
        if error.constraint == "namespaces_levels_key":
            raise AlreadyExistsException(f"Namespace already exists: {namespace}") from error
        raise
    return created


def _insert(
    tx: Transaction,
    warehouse: Warehouse,
    parent: LoadedNamespace | None,
    namespace: Namespace,
    columns: Mapping[str, Any],
) -> Row:
    columns_of_all = {"warehouse_id": warehouse.id, "levels": list(namespace), **columns}
    if parent is None:
        row = tx.fetch_one("create_namespace", root_location=warehouse.root_location, **columns_of_all)
        if row is None:
            raise WarehouseMoved(f"Warehouse {warehouse.name} is being changed; try again")
        return row
    row = tx.fetch_one(
        "create_child_namespace", parent_id=parent.id, parent=list(parent.levels), **columns_of_all
    )
    if row is None:
        raise no_such_namespace(parent.levels)
    return row


@once(no_result)
def drop_namespace(
    catalog: Catalog, caller: Caller, warehouse: Warehouse, namespace: Namespace, *, force: bool = False
) -> None:
    """
    :param force: even if it is protected
    :raises NoSuchNamespaceException: when it does not exist
    :raises NamespaceNotEmptyException: when a namespace, table, view or function is left in it
    :raises ConflictException: when it is protected
    """
    place = {"warehouse_id": warehouse.id, "levels": list(namespace)}
    try:
        with mutation(catalog, caller, warehouse) as tx:
            row = tx.fetch_one("drop_namespace", force=force, **place)
            if row is None:
                raise _not_dropped(tx, warehouse, namespace)
            warehouse.names.confirm("namespace", namespace, row.id)
            change = Change(
                action="namespace.dropped", warehouse_id=warehouse.id, object_id=row.id, namespace=namespace
            )
            record_change(tx, change, caller.origin)
    except ConstraintViolated as error:
        if error.constraint in CONTENT:
            raise NamespaceNotEmptyException(f"Namespace {namespace} is not empty") from error
        raise


def _not_dropped(tx: Transaction, warehouse: Warehouse, namespace: Namespace) -> Exception:
    """Why there was nothing to drop; what was created a moment later is no reason."""
    row = tx.fetch_one("load_namespace_protection", warehouse_id=warehouse.id, levels=list(namespace))
    if row is None or not row.protected:
        return no_such_namespace(namespace)
    warehouse.names.confirm("namespace", namespace, row.id)
    return is_protected("Namespace", namespace)


@once(_revive_changes)
def update_properties(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    namespace: Namespace,
    removals: Sequence[str],
    updates: Mapping[str, str],
) -> PropertyChanges:
    """Set and remove properties in one step. Removing the location brings back the default one.

    :raises NoSuchNamespaceException: when the namespace does not exist
    :raises UnprocessableEntityException: when a key is in both
    """
    refuse_contradiction(removals, updates)
    new_location = checked_location(catalog, warehouse, updates)
    default_location = _default_location(catalog, warehouse, namespace) if LOCATION in removals else ""
    with mutation(catalog, caller, warehouse) as tx:
        row = tx.fetch_one("lock_namespace", warehouse_id=warehouse.id, levels=list(namespace))
        if row is None:
            raise no_such_namespace(namespace)
        warehouse.names.confirm("namespace", namespace, row.id)
        current = _loaded(namespace, row).properties
        removed = [key for key in dict.fromkeys(removals) if key in current]
        merged = {key: value for key, value in current.items() if key not in removed} | dict(updates)
        location = new_location or merged.get(LOCATION) or default_location
        merged.pop(LOCATION, None)
        check_properties(merged, catalog.settings.limits)
        tx.execute("update_namespace", id=row.id, location=location, properties=encode_properties(merged))
        change = Change(
            action="namespace.updated",
            warehouse_id=warehouse.id,
            object_id=row.id,
            namespace=namespace,
            details=difference(current, {**merged, LOCATION: location}),
        )
        record_change(tx, change, caller.origin)
        missing = [key for key in dict.fromkeys(removals) if key not in current]
        changes = PropertyChanges(list(updates), removed, missing)
        keep_result(tx, caller, warehouse, changes._asdict())
    return changes


def _loaded(namespace: Namespace, row: Row) -> LoadedNamespace:
    properties = msgspec.json.decode(row.properties, type=dict[str, str])
    return LoadedNamespace(row.id, namespace, {**properties, LOCATION: row.location})


def _default_location(catalog: Catalog, warehouse: Warehouse, namespace: Namespace) -> str:
    if not namespace.parent:
        return child_location(warehouse.root_location, namespace[-1])
    return child_location(_fetch(catalog, warehouse, namespace.parent).location, namespace[-1])
