"""What tables and views have in common: one space of names."""

from collections.abc import Mapping
from typing import Any

from app.auth.authority import Viewer
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import mutation
from app.catalog.kinds import KINDS, VIEW, Kind, name_taken
from app.catalog.namespaces import no_such_namespace, refuse_unless_seen
from app.changes.log import Change, record_change
from app.db import ConstraintViolated, Row, Transaction
from app.errors import AlreadyExistsException
from app.identifiers import Namespace, TableIdentifier

_LISTINGS = {"table": "list_tables", "view": "list_views", "function": "list_functions"}


def list_names(
    catalog: Catalog,
    warehouse: Warehouse,
    kind: str,
    namespace: Namespace,
    after: str | None,
    limit: int | None,
    viewer: Viewer | None,
) -> list[str]:
    """Return names in byte order behind ``after``.

    :param kind: ``table``, ``view`` or ``function``
    :param viewer: who sees only what it has a right on; None for everything
    :raises NoSuchNamespaceException: when the namespace is missing, or nothing of it may be seen
    """
    page = {"warehouse_id": warehouse.id, "levels": list(namespace), "after": after or "", "limit": limit}
    warehouse.reads.listed(kind, warehouse.id, namespace)
    if viewer is None:
        rows = catalog.db.fetch_all(_LISTINGS[kind], **page)
    else:
        query = "list_visible_functions" if kind == "function" else "list_visible_tabulars"
        rows = catalog.db.fetch_all(query, kind=kind, **page, **viewer.parameters())
    if not rows:
        warehouse.reads.missed(warehouse.id, namespace)
        raise no_such_namespace(namespace)
    if viewer is not None and rows[0].name is None and not rows[0].whole:
        refuse_unless_seen(catalog, warehouse.id, namespace, viewer)
    return [row.name for row in rows if row.name is not None]


def fetch(catalog: Catalog, warehouse: Warehouse, query: str, kind: Kind, identifier: TableIdentifier) -> Row:
    """Return the row of a query that finds one object by name.

    :raises NoSuchTableException: or its counterpart for views, also when the namespace is missing
    """
    row = catalog.db.fetch_one(query, **_key(warehouse, identifier))
    if row is None:
        warehouse.reads.missed(warehouse.id, identifier.namespace, identifier.name)
        raise kind.does_not_exist(identifier)
    warehouse.reads.read("tabular", row.id)
    warehouse.names.confirm(kind.name, identifier, row.id)
    return row


def rename(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    kind: Kind,
    source: TableIdentifier,
    destination: TableIdentifier,
) -> None:
    """Move a row to another name; metadata, uuid and location stay."""
    try:
        with mutation(catalog, caller, warehouse) as tx:
            places = _lock_places(tx, warehouse, source.namespace, destination.namespace)
            row = lock_tabular(tx, warehouse, kind, source)
            if source == destination:
                return
            namespace_id = _free_place(tx, places, kind, source, destination)
            tx.execute("rename_tabular", id=row.id, namespace_id=namespace_id, name=destination.name)
            change = Change(
                action=f"{kind.name}.renamed",
                warehouse_id=warehouse.id,
                object_id=row.id,
                namespace=source.namespace,
                name=source.name,
                before_pointer=row.metadata_location,
                after_pointer=row.metadata_location,
                details={"namespace": destination.namespace, "name": destination.name},
            )
            record_change(tx, change, caller.origin)
    except ConstraintViolated as error:
        if error.constraint == "tabulars_name_key":
            raise _taken(kind, source, destination, kind) from error
        raise


def lock_tabular(tx: Transaction, warehouse: Warehouse, kind: Kind, identifier: TableIdentifier) -> Row:
    """Lock a table or view by its name, after its namespace.

    :raises NoSuchTableException: or its counterpart for views
    """
    row = tx.fetch_one("lock_tabular", kind=kind.name, **_key(warehouse, identifier))
    if row is None:
        raise kind.does_not_exist(identifier)
    warehouse.names.confirm(kind.name, identifier, row.id)
    return row


def _lock_places(
    tx: Transaction, warehouse: Warehouse, one: Namespace, other: Namespace
) -> dict[Namespace, int]:
    """Keep two namespaces from being renamed or dropped, and return the ids of those that exist."""
    rows = tx.fetch_all("share_namespaces", warehouse_id=warehouse.id, one=list(one), other=list(other))
    places = {Namespace(row.levels): row.id for row in rows}
    for namespace, namespace_id in places.items():
        warehouse.names.confirm("namespace", namespace, namespace_id)
    return places


def _free_place(
    tx: Transaction,
    places: Mapping[Namespace, int],
    kind: Kind,
    source: TableIdentifier,
    destination: TableIdentifier,
) -> int:
    namespace_id = places.get(destination.namespace)
    if namespace_id is None:
        raise no_such_namespace(destination.namespace)
    taken = tx.fetch_one("find_tabular_kind", namespace_id=namespace_id, name=destination.name)
    if taken is not None:
        raise _taken(kind, source, destination, KINDS[taken.kind])
    return namespace_id


def _taken(
    kind: Kind, source: TableIdentifier, destination: TableIdentifier, found: Kind
) -> AlreadyExistsException:
    if kind is VIEW:
        return AlreadyExistsException(
            f"Cannot rename {source} to {destination}. {found.title} already exists"
        )
    return name_taken(destination, kind, found)


def _key(warehouse: Warehouse, identifier: TableIdentifier) -> dict[str, Any]:
    return {
        "warehouse_id": warehouse.id,
        "levels": list(identifier.namespace),
        "name": identifier.name,
    }
