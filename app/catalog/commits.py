"""The one way in which tables and views come into being and change.

Optimistic first: read without lock, work out the next document, write its file while holding no connection, then
swap the pointers in one short transaction if none of them moved. After two lost races the rows are locked first.
A failure before COMMIT deletes only the files of this attempt; nothing is deleted once the outcome is unknown.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import mutation
from app.catalog.intents import Intent, Prepared, prepare, read_bases
from app.catalog.metadata_files import (
    delete_metadata_files,
    discard_metadata_files,
    write_metadata_file,
)
from app.catalog.swaps import LostRace, lock, lock_unmoved, swap
from app.db import LockNotAvailable, TransactionConflict, TransactionOutcomeUnknown
from app.errors import CommitFailedException, ServiceUnavailableException
from app.observability.failpoints import failpoint
from app.observability.metrics import metrics

OPTIMISTIC_ATTEMPTS = 2
_MARGIN = 2.0


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
        # One row is locked, looked at and updated by one statement.
        is_locked = len(prepared) > 1 or not prepared[0].is_changed
        if is_locked:
            lock_unmoved(tx, prepared)
        swap(tx, caller, warehouse, prepared, is_locked=is_locked)
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
        lock(tx, [base.id for base in bases if base.id is not None])
        bases = read_bases(tx, warehouse, intents)
        failpoint("commit.read")
        prepared = [prepare(catalog, warehouse, *pair) for pair in zip(intents, bases, strict=True)]
        failpoint("commit.prepared")
        lock_unmoved(tx, prepared)
        _write(catalog, warehouse, prepared, written)
        swap(tx, caller, warehouse, prepared, is_locked=True)
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
