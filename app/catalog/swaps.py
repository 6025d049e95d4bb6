"""What happens inside the transaction of a commit: rows locked, pointers swapped, the change recorded."""

from collections.abc import Sequence
from typing import Any

from app.catalog.context import Caller, Warehouse
from app.catalog.documents import document_result
from app.catalog.idempotency import keep_result
from app.catalog.intents import Prepared
from app.catalog.kinds import TABLE
from app.catalog.locations import Adoption, Holder, claim_location, overlaps
from app.catalog.maintenance import enqueue_superseded
from app.catalog.namespaces import no_such_namespace
from app.catalog.purge import refuse_while_purged
from app.catalog.sweep import refuse_while_deleted
from app.changes.log import Change, record_change
from app.db import ConstraintViolated, Transaction
from app.errors import AlreadyExistsException
from app.observability.failpoints import failpoint
from app.storage import locations


class LostRace(Exception):
    """Somebody else changed one of the objects between our reading and our swap."""


def lock(tx: Transaction, ids: Sequence[int]) -> dict[int, tuple[int | None, str, str | None]]:
    rows = tx.fetch_all("lock_tabulars", ids=list(ids))
    return {row.id: (row.namespace_id, row.name, row.metadata_location) for row in rows}


def lock_unmoved(tx: Transaction, prepared: Sequence[Prepared]) -> None:
    """Lock the rows in the order of their ids.

    :raises LostRace: when one of them is gone, has another name or points elsewhere than we read
    """
    expected = {
        item.base.id: (item.base.namespace_id, item.intent.identifier.name, item.base.metadata_location)
        for item in prepared
        if item.base.id is not None
    }
    if expected and lock(tx, list(expected)) != expected:
        raise LostRace


def swap(
    tx: Transaction, caller: Caller, warehouse: Warehouse, prepared: Sequence[Prepared], *, is_locked: bool
) -> None:
    """:raises LostRace: when a row that is not locked is gone, has another name or points elsewhere than we read"""
    ids = [
        _swap_one(tx, caller, warehouse, item, is_locked) if item.is_changed else item.base.id
        for item in prepared
    ]
    if len(prepared) == 1:
        keep_result(tx, caller, warehouse, document_result(prepared[0].metadata_location, ids[0]))
    failpoint("commit.swapped")


def _swap_one(tx: Transaction, caller: Caller, warehouse: Warehouse, item: Prepared, is_locked: bool) -> int:
    object_id = _store(tx, warehouse, item, caller.principal_id, is_locked)
    if item.base.metadata is not None and item.intent.kind is TABLE:
        enqueue_superseded(tx, warehouse.id, item.base.metadata, item.metadata)
    if item.moves:
        # After the row: whoever lost the race for a name or a uuid hears of that, not of its location.
        holder = Holder(caller.identity, item.intent.identifier)
        claim_location(tx, warehouse, item.metadata["location"], object_id, _adoption(item), holder)
    if item.intent.adopted is not None:
        refuse_while_purged(tx, item.metadata["location"])
        refuse_while_deleted(tx, item.intent.adopted)
    change = _change(warehouse, item, object_id)
    record_change(tx, change, caller.origin)
    return object_id


def _adoption(item: Prepared) -> Adoption | None:
    """What a registered object is known by: a held one that it was may share its place."""
    if item.intent.adopted is None:
        return None
    return Adoption(item.uuid, item.intent.adopted)


def _store(
    tx: Transaction, warehouse: Warehouse, item: Prepared, owner_id: int | None, is_locked: bool
) -> int:
    try:
        if item.base.id is None:
            return _insert(tx, warehouse, item, owner_id)
        _update(tx, item, item.base.id, is_locked)
    except ConstraintViolated as error:
        raise _refused(error, item) from error
    return item.base.id


def _columns(item: Prepared) -> dict[str, Any]:
    return {
        "uuid": item.uuid,
        "location": item.metadata["location"],
        "location_key": locations.key(item.metadata["location"]),
        "metadata_location": item.metadata_location,
        "document": item.document if item.packed is None else None,
        "packed": item.packed,
    }


def _update(tx: Transaction, item: Prepared, object_id: int, is_locked: bool) -> None:
    columns = _columns(item)
    if is_locked:
        # Nobody waits for what nothing can refuse.
        update = tx.queue if item.keeps_identity else tx.execute
        update("commit_tabular", id=object_id, **columns)
        return
    found = tx.fetch_one(
        "commit_unmoved_tabular",
        id=object_id,
        namespace_id=item.base.namespace_id,
        name=item.intent.identifier.name,
        expected=item.base.metadata_location,
        **columns,
    )
    if found is None:
        raise LostRace


def _insert(tx: Transaction, warehouse: Warehouse, item: Prepared, owner_id: int | None) -> int:
    row = tx.fetch_one(
        "create_tabular",
        warehouse_id=warehouse.id,
        namespace_id=item.base.namespace_id,
        levels=list(item.intent.identifier.namespace),
        name=item.intent.identifier.name,
        kind=item.intent.kind.name,
        owner_id=owner_id,
        **_columns(item),
    )
    if row is None:
        raise no_such_namespace(item.intent.identifier.namespace)
    return int(row.id)


def _refused(error: ConstraintViolated, item: Prepared) -> Exception:
    title = item.intent.kind.title
    if error.constraint == "tabulars_name_key":
        return LostRace()
    if error.constraint == "tabulars_uuid_key":
        return AlreadyExistsException(f"{title} with uuid {item.uuid} already exists in this warehouse")
    if error.constraint == "tabulars_location_key":
        return overlaps(item.metadata["location"], item.metadata["location"])
    if error.constraint == "tabulars_metadata_location_key":
        return AlreadyExistsException(
            f"The metadata file {item.metadata_location} already belongs to a table or view of this warehouse"
        )
    return error


def _change(warehouse: Warehouse, item: Prepared, object_id: int) -> Change:
    kind = item.intent.kind.name
    verb = "created" if item.is_new else ("committed" if kind == "table" else "replaced")
    return Change(
        action=f"{kind}.{verb}",
        warehouse_id=warehouse.id,
        object_id=object_id,
        namespace=item.intent.identifier.namespace,
        name=item.intent.identifier.name,
        before_pointer=item.base.metadata_location,
        after_pointer=item.metadata_location,
    )
