"""How tables and views leave the catalog: dropped at once, held for a while, or unregistered."""

from collections.abc import Mapping
from typing import Any

from app.catalog.context import Caller, Warehouse
from app.catalog.kinds import KINDS, TABLE, Kind, is_protected
from app.catalog.packing import document_of
from app.catalog.purge import Purged, enqueue_purge
from app.catalog.tabulars import lock_tabular
from app.catalog.times import epoch_ms
from app.changes.log import Change, record_change
from app.db import Row, Transaction
from app.identifiers import Namespace, TableIdentifier


def drop(
    tx: Transaction,
    caller: Caller,
    warehouse: Warehouse,
    kind: Kind,
    identifier: TableIdentifier,
    *,
    purge: bool,
    force: bool,
) -> None:
    """Free a name. Where the warehouse holds what is dropped, the object can be brought back for a while.

    :param purge: have the files of a table deleted, after the hold if there is one
    :param force: even if it is protected
    :raises NoSuchTableException: or its counterpart for views
    :raises ConflictException: when it is protected
    """
    row = lock_droppable(tx, warehouse, kind, identifier, force=force)
    let_go(tx, caller, warehouse.id, identifier.namespace, row, purge=purge)


def unregister(
    tx: Transaction, caller: Caller, warehouse: Warehouse, identifier: TableIdentifier, *, force: bool
) -> Row:
    """Forget a table, never held, and return its last metadata location and document.

    :raises NoSuchTableException: when it does not exist
    :raises ConflictException: when it is protected
    """
    row = lock_droppable(tx, warehouse, TABLE, identifier, force=force)
    gone = tx.fetch_one("delete_tabular", id=row.id)
    _record(tx, caller, warehouse.id, identifier.namespace, row, {"unregistered": True})
    return gone


def lock_droppable(
    tx: Transaction, warehouse: Warehouse, kind: Kind, identifier: TableIdentifier, *, force: bool
) -> Row:
    """Lock the row of an object that may be dropped.

    :raises NoSuchTableException: or its counterpart for views
    :raises ConflictException: when it is protected
    """
    row = lock_tabular(tx, warehouse, kind, identifier)
    if row.protected and not force:
        raise is_protected(kind.title, identifier)
    return row


def let_go(
    tx: Transaction, caller: Caller, warehouse_id: int, namespace: Namespace, row: Row, *, purge: bool
) -> None:
    """Drop a locked row: into the hold where there is one, else for good.

    :param row: id, kind, name and metadata_location; ``hold`` in seconds, None where nothing is held
    """
    is_table = KINDS[row.kind] is TABLE
    details: dict[str, Any] = {"purge": purge} if is_table else {}
    if row.hold is None:
        gone = tx.fetch_one("delete_tabular", id=row.id)
        if purge and is_table:
            of = Purged(row.id, namespace, row.name, caller.origin)
            enqueue_purge(tx, warehouse_id, gone.metadata_location, document_of(gone), of)
    else:
        held = tx.fetch_one(
            "hold_tabular",
            id=row.id,
            levels=list(namespace),
            purge=purge and is_table,
            principal=caller.principal,
            hold=row.hold,
        )
        details["held-until-ms"] = epoch_ms(held.expires_at)
    _record(tx, caller, warehouse_id, namespace, row, details)


def _record(
    tx: Transaction,
    caller: Caller,
    warehouse_id: int,
    namespace: Namespace,
    row: Row,
    details: Mapping[str, Any],
) -> None:
    change = Change(
        action=f"{row.kind}.dropped",
        warehouse_id=warehouse_id,
        object_id=row.id,
        namespace=namespace,
        name=row.name,
        before_pointer=row.metadata_location,
        details=details,
    )
    record_change(tx, change, caller.origin)
