"""Dropped tables and views that their warehouse holds: listed, brought back, or expired.

Rows are locked in this order: the held row, namespaces, tables and views, places in storage.
"""

from collections.abc import Sequence

from app.auth.names import changed
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import keep_result, mutation, no_result, once
from app.catalog.kinds import KINDS
from app.catalog.locations import Adoption, claim_location, lock_location
from app.catalog.namespaces import no_such_namespace
from app.catalog.packing import document_of
from app.catalog.purge import Purged, enqueue_purge
from app.changes.log import Change, record_change
from app.changes.origin import Origin
from app.db import ConstraintViolated, Row, Transaction
from app.errors import (
    AlreadyExistsException,
    ConflictException,
    IllegalArgumentException,
    NotFoundException,
    ServiceError,
)
from app.identifiers import Namespace, TableIdentifier
from app.jobs import Job
from app.metadata.shapes import JsonObject

EXPIRE = "expire-held"
PERIOD = 60.0
_BATCH = 500


def list_held(catalog: Catalog, warehouse: Warehouse, after: int, limit: int | None) -> Sequence[Row]:
    """Return what the warehouse holds, by id, behind the id ``after``."""
    return catalog.db.fetch_all("list_held", warehouse_id=warehouse.id, after=after, limit=limit)


def namespace_of_held(catalog: Catalog, warehouse: Warehouse, held_id: int) -> Namespace | None:
    """Return where something held would come back to; None when nothing with this id is held."""
    row = catalog.db.fetch_one("find_namespace_of_held", id=held_id, warehouse_id=warehouse.id)
    return None if row is None else Namespace(row.levels)


def _revive(_catalog: Catalog, _warehouse: Warehouse, result: JsonObject) -> tuple[str, TableIdentifier]:
    return result["kind"], TableIdentifier(Namespace(result["namespace"]), result["name"])


@once(_revive)
def undrop(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    held_id: int,
    namespace: Namespace | None = None,
    name: str | None = None,
) -> tuple[str, TableIdentifier]:
    """Bring a held table or view back as it was, and return its kind and its name.

    :param namespace: another one than it was dropped from
    :param name: another one than it had
    :raises NotFoundException: when nothing with this id is held
    :raises NoSuchNamespaceException: when ``namespace`` does not exist
    :raises ConflictException: when the namespace it was dropped from is gone
    :raises AlreadyExistsException: when the name, the uuid or the place is taken
    """
    with mutation(catalog, caller, warehouse) as tx:
        row = _lock(tx, warehouse, held_id)
        place = _lock_destination(tx, warehouse, row, namespace)
        identifier = TableIdentifier(Namespace(place.levels), name or row.name)
        if not warehouse.names.knows("namespace", identifier.namespace):
            raise changed("namespace", identifier.namespace)
        warehouse.names.confirm("namespace", identifier.namespace, place.id)
        _bring_back(tx, warehouse, row, place.id, identifier)
        change = Change(
            action=f"{row.kind}.undropped",
            warehouse_id=warehouse.id,
            object_id=row.id,
            namespace=identifier.namespace,
            name=identifier.name,
            after_pointer=row.metadata_location,
            details={"namespace": row.namespace, "name": row.name},
        )
        record_change(tx, change, caller.origin)
        kept = {"kind": row.kind, "namespace": identifier.namespace, "name": identifier.name}
        keep_result(tx, caller, warehouse, kept)
    return row.kind, identifier


def _lock(tx: Transaction, warehouse: Warehouse, held_id: int) -> Row:
    row = tx.fetch_one("lock_held", id=held_id, warehouse_id=warehouse.id)
    if row is None:
        raise NotFoundException(f"No dropped table or view with the id {held_id} is held")
    return row


def _lock_destination(tx: Transaction, warehouse: Warehouse, row: Row, namespace: Namespace | None) -> Row:
    if namespace is not None:
        found = tx.fetch_one("share_namespace", warehouse_id=warehouse.id, levels=list(namespace))
        if found is None:
            raise no_such_namespace(namespace)
        return found
    found = tx.fetch_one("share_namespace_by_id", id=row.namespace_id) or tx.fetch_one(
        "share_namespace", warehouse_id=warehouse.id, levels=row.namespace
    )
    if found is None:
        old = Namespace(row.namespace)
        raise ConflictException(f"Namespace does not exist any more: {old}; name another one in 'namespace'")
    return found


def _bring_back(
    tx: Transaction, warehouse: Warehouse, row: Row, namespace_id: int, identifier: TableIdentifier
) -> None:
    try:
        tx.execute("undrop_tabular", id=row.id, namespace_id=namespace_id, name=identifier.name)
    except ConstraintViolated as error:
        raise _taken(error, row, identifier) from error
    adoption = Adoption(row.uuid, row.metadata_location)
    try:
        claim_location(tx, warehouse, row.location, row.id, adoption)
    except IllegalArgumentException as error:
        raise AlreadyExistsException(error.message) from error


def _taken(error: ConstraintViolated, row: Row, identifier: TableIdentifier) -> ServiceError:
    title = KINDS[row.kind].title
    messages = {
        "tabulars_name_key": f"A table or view with the name already exists: {identifier}",
        "tabulars_uuid_key": f"{title} with uuid {row.uuid} already exists in this warehouse",
        "tabulars_location_key": f"A table or view already has the location {row.location}",
        "tabulars_metadata_location_key": (
            f"The metadata file {row.metadata_location} already belongs to a table or view of this warehouse"
        ),
    }
    message = messages.get(error.constraint)
    return error if message is None else AlreadyExistsException(message)


@once(no_result)
def expire(
    catalog: Catalog, caller: Caller, warehouse: Warehouse, held_id: int, purge: bool | None = None
) -> None:
    """End a hold now.

    :param purge: whether the files of a table are deleted; None leaves that to the drop
    :raises NotFoundException: when nothing with this id is held
    """
    with mutation(catalog, caller, warehouse) as tx:
        row = _lock(tx, warehouse, held_id)
        _expire(tx, row, row.purge if purge is None else purge, caller.origin)


def expire_due(catalog: Catalog, job: Job) -> str:
    """End every hold whose time is over, each in a transaction of its own; several nodes may do so at once."""
    expired = 0
    while due := catalog.db.fetch_all("list_due_held", limit=_BATCH):
        before = expired
        for item in due:
            job.check()
            with catalog.db.transaction() as tx:
                row = tx.fetch_one("lock_due_held", id=item.id)
                if row is not None:
                    _expire(tx, row, row.purge, Origin.of_job(job.id))
                    expired += 1
        if expired == before:
            break  # others have the rest
    return f"{expired} rows expired"


def _expire(tx: Transaction, row: Row, purge: bool, origin: Origin) -> None:
    """Forget a locked row. Its files go only with ``purge``, and only if the table is nowhere else."""
    # Whoever registers its metadata takes this lock too: they come first and count, or find the purge.
    lock_location(tx, row.warehouse_id, row.location)
    tx.execute("delete_held", id=row.id)
    purged = purge and row.kind == "table" and not _is_elsewhere(tx, row)
    if purged:
        of = Purged(row.id, Namespace(row.namespace), row.name, origin)
        enqueue_purge(tx, row.warehouse_id, row.metadata_location, document_of(row), of)
    change = Change(
        action=f"{row.kind}.expired",
        warehouse_id=row.warehouse_id,
        object_id=row.id,
        namespace=Namespace(row.namespace),
        name=row.name,
        before_pointer=row.metadata_location,
        details={"purge": purged},
    )
    record_change(tx, change, origin)


def _is_elsewhere(tx: Transaction, row: Row) -> bool:
    """Whether the table was registered again: wherever that one lies now, it may need these files."""
    found = tx.fetch_one("find_same_tabular", warehouse_id=row.warehouse_id, uuid=row.uuid, id=row.id)
    return found is not None
