"""The one way in which tables and views come into being and change.

Optimistic first: read without lock, work out the next document, write its file while holding no connection, then
swap the pointers in one short transaction if none of them moved. After two lost races the rows are locked first.
A failure before COMMIT deletes only the files of this attempt; nothing is deleted once the outcome is unknown.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.documents import document_result
from app.catalog.idempotency import keep_result, mutation
from app.catalog.intents import Intent, Prepared, prepare, read_bases
from app.catalog.kinds import TABLE
from app.catalog.locations import Adoption, claim_location, overlaps
from app.catalog.maintenance import enqueue_superseded
from app.catalog.metadata_files import (
    delete_metadata_files,
    discard_metadata_files,
    write_metadata_file,
)
from app.catalog.namespaces import no_such_namespace
from app.catalog.purge import refuse_while_purged
from app.catalog.sweep import refuse_while_deleted
from app.catalog.vended_places import Holder, refuse_open_place
from app.changes.log import Change, record_change
from app.db import (
    ConstraintViolated,
    LockNotAvailable,
    Transaction,
    TransactionConflict,
    TransactionOutcomeUnknown,
)
from app.errors import AlreadyExistsException, CommitFailedException, ServiceUnavailableException
from app.observability.failpoints import failpoint
from app.observability.metrics import metrics
from app.storage import locations

OPTIMISTIC_ATTEMPTS = 2
_MARGIN = 2.0


class LostRace(Exception):
    """Somebody else changed one of the objects between our reading and our swap."""


def commit(
    catalog: Catalog, caller: Caller, warehouse: Warehouse, intents: Sequence[Intent]
) -> list[Prepared]:
    """Carry out all intents or none, and return what is now committed, in their order.

    :raises CommitFailedException: when a requirement does not hold, or others were faster for too long
    :raises CommitStateUnknownException: when the intents may or may not have been carried out
    :raises ServiceError: when an intent cannot be carried out; then nothing changed
    """
    failpoint("commit.validated")
    lines = [(warehouse.id, *intent.identifier.namespace, intent.identifier.name) for intent in intents]
    lock_timeout = catalog.settings.catalog.lock_timeout
    # Whose turn comes late could still wait for the storage when its time is up: nobody would know the outcome.
    needed = max(lock_timeout, catalog.settings.storage.deadline + _MARGIN)
    with _as_commit_errors(), catalog.commit_queue.hold(lines, max(0.0, caller.seconds_left() - needed)):
        for _ in range(OPTIMISTIC_ATTEMPTS):
            try:
                return _attempt(catalog, caller, warehouse, intents)
            except (LostRace, TransactionConflict):
                continue
        if not catalog.last_resort.acquire(timeout=lock_timeout):
            raise LostRace
        try:
            return _attempt_locked(catalog, caller, warehouse, intents)
        finally:
            catalog.last_resort.release()


def create(catalog: Catalog, caller: Caller, warehouse: Warehouse, intent: Intent) -> Prepared:
    """Carry out the intent of a creation or registration, where a 409 would tell clients that the name is taken.

    :raises ServiceUnavailableException: when others were faster for too long
    :raises CommitStateUnknownException: when the intent may or may not have been carried out
    :raises ServiceError: when the intent cannot be carried out; then nothing changed
    """
    try:
        (created,) = commit(catalog, caller, warehouse, [intent])
    except CommitFailedException as error:
        raise ServiceUnavailableException(error.message, headers={"Retry-After": "1"}) from error
    return created


def _attempt(
    catalog: Catalog, caller: Caller, warehouse: Warehouse, intents: Sequence[Intent]
) -> list[Prepared]:
    bases = read_bases(catalog.db, warehouse, intents)
    failpoint("commit.read")
    prepared = [prepare(catalog, warehouse, *pair) for pair in zip(intents, bases, strict=True)]
    failpoint("commit.prepared")
    with _written(catalog, warehouse, prepared), mutation(catalog, caller, warehouse) as tx:
        _lock_unmoved(tx, prepared)
        _swap(tx, caller, warehouse, prepared)
    _count(prepared)
    failpoint("commit.committed")
    return prepared


def _attempt_locked(
    catalog: Catalog, caller: Caller, warehouse: Warehouse, intents: Sequence[Intent]
) -> list[Prepared]:
    """The last resort of an object that everybody wants: its row stays locked while the file is written."""
    written: list[Prepared] = []
    with _undone_on_failure(catalog, warehouse, written), mutation(catalog, caller, warehouse) as tx:
        bases = read_bases(tx, warehouse, intents)
        _lock(tx, [base.id for base in bases if base.id is not None])
        bases = read_bases(tx, warehouse, intents)
        failpoint("commit.read")
        prepared = [prepare(catalog, warehouse, *pair) for pair in zip(intents, bases, strict=True)]
        failpoint("commit.prepared")
        _lock_unmoved(tx, prepared)
        _write(catalog, warehouse, prepared, written)
        _swap(tx, caller, warehouse, prepared)
    _count(prepared)
    failpoint("commit.committed")
    return prepared


@contextmanager
def _written(catalog: Catalog, warehouse: Warehouse, prepared: Sequence[Prepared]) -> Iterator[None]:
    written: list[Prepared] = []
    with _undone_on_failure(catalog, warehouse, written):
        _write(catalog, warehouse, prepared, written)
        yield


@contextmanager
def _undone_on_failure(catalog: Catalog, warehouse: Warehouse, written: Sequence[Prepared]) -> Iterator[None]:
    """Delete the files of a failed attempt. An interruption that is no Exception leaves them: it may have come
    while COMMIT was under way."""
    try:
        yield
    except TransactionOutcomeUnknown:
        raise
    except Exception:
        delete_metadata_files(catalog, warehouse, [item.metadata_location for item in written])
        raise


def _write(
    catalog: Catalog, warehouse: Warehouse, prepared: Sequence[Prepared], written: list[Prepared]
) -> None:
    try:
        for item in prepared:
            if item.writes_file:
                write_metadata_file(catalog, warehouse, item.metadata_location, item.document)
                written.append(item)
                failpoint("commit.file_written")
    except ServiceUnavailableException:
        # The storage is away: who has waited for it once must not wait as long for each file.
        discard_metadata_files(catalog, warehouse, [item.metadata_location for item in written])
        written.clear()
        raise
    failpoint("commit.files_written")


def _lock(tx: Transaction, ids: Sequence[int]) -> dict[int, tuple[int | None, str, str | None]]:
    rows = tx.fetch_all("lock_tabulars", ids=list(ids))
    return {row.id: (row.namespace_id, row.name, row.metadata_location) for row in rows}


def _lock_unmoved(tx: Transaction, prepared: Sequence[Prepared]) -> None:
    """Lock the rows in the order of their ids.

    :raises LostRace: when one of them is gone, has another name or points elsewhere than we read
    """
    expected = {
        item.base.id: (item.base.namespace_id, item.intent.identifier.name, item.base.metadata_location)
        for item in prepared
        if item.base.id is not None
    }
    if expected and _lock(tx, list(expected)) != expected:
        raise LostRace


def _swap(tx: Transaction, caller: Caller, warehouse: Warehouse, prepared: Sequence[Prepared]) -> None:
    ids = [_swap_one(tx, caller, warehouse, item) if item.is_changed else item.base.id for item in prepared]
    if len(prepared) == 1:
        keep_result(tx, caller, warehouse, document_result(prepared[0].metadata_location, ids[0]))
    failpoint("commit.swapped")


def _swap_one(tx: Transaction, caller: Caller, warehouse: Warehouse, item: Prepared) -> int:
    object_id = _store(tx, warehouse, item, caller.principal_id)
    if item.base.metadata is not None and item.intent.kind is TABLE:
        enqueue_superseded(tx, warehouse.id, item.base.metadata, item.metadata)
    if item.moves:
        # After the row: whoever lost the race for a name or a uuid hears of that, not of its location.
        location, adoption = item.metadata["location"], _adoption(item)
        claim_location(tx, warehouse, location, object_id, adoption)
        holder = Holder(caller.identity, item.intent.identifier)
        refuse_open_place(tx, warehouse, location, holder, is_adopted=adoption is not None)
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


def _store(tx: Transaction, warehouse: Warehouse, item: Prepared, owner_id: int | None) -> int:
    try:
        return _write_row(tx, warehouse, item, owner_id)
    except ConstraintViolated as error:
        raise _refused(error, item) from error


def _write_row(tx: Transaction, warehouse: Warehouse, item: Prepared, owner_id: int | None) -> int:
    columns = {
        "uuid": item.uuid,
        "location": item.metadata["location"],
        "location_key": locations.key(item.metadata["location"]),
        "metadata_location": item.metadata_location,
        "document": item.document if item.packed is None else None,
        "packed": item.packed,
    }
    if item.base.id is not None:
        # Nobody waits for what nothing can refuse.
        update = tx.queue if item.keeps_identity else tx.execute
        update("commit_tabular", id=item.base.id, **columns)
        return item.base.id
    row = tx.fetch_one(
        "create_tabular",
        warehouse_id=warehouse.id,
        namespace_id=item.base.namespace_id,
        levels=list(item.intent.identifier.namespace),
        name=item.intent.identifier.name,
        kind=item.intent.kind.name,
        owner_id=owner_id,
        **columns,
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


def _count(prepared: Sequence[Prepared]) -> None:
    for item in prepared:
        if item.is_changed:
            metrics.record_commit(str(item.intent.identifier.namespace), item.intent.identifier.name)


@contextmanager
def _as_commit_errors() -> Iterator[None]:
    """Waiting in vain is a conflict to the client, who may refresh and try again."""
    try:
        yield
    except CommitFailedException:
        metrics.commit_conflicts.inc()
        raise
    except (LostRace, LockNotAvailable, TransactionConflict) as error:
        metrics.commit_conflicts.inc()
        raise CommitFailedException(
            "The object is being changed by too many clients at once; refresh and try again"
        ) from error
