"""Jobs as those see them who run the catalog."""

from collections.abc import Sequence
from typing import Any

import msgspec

from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import mutation, no_result, once
from app.changes.log import Change, record_change
from app.db import Row, Transaction
from app.errors import ConflictException, NotFoundException
from app.identifiers import Namespace

UNFINISHED = frozenset({"queued", "running", "retrying"})


def list_jobs(catalog: Catalog, before: int, limit: int | None) -> Sequence[Row]:
    """Return jobs of all kinds, the newest first, with ids below ``before``."""
    return catalog.db.fetch_all("list_jobs", before=before, limit=limit)


def load_job(catalog: Catalog, job_id: int) -> Row:
    """
    :raises NotFoundException: when there is none, or it was forgotten after ``changes.retention``
    """
    row = catalog.db.fetch_one("load_job", id=job_id)
    if row is None:
        raise _no_such_job(job_id)
    return row


def who_asked(catalog: Catalog, job_id: int) -> int | None:
    """Return the id of the principal who asked for a job; None for those that come by themselves, or are not there."""
    row = catalog.db.fetch_one("find_principal_of_job", id=job_id)
    return None if row is None or row.principal_id is None else int(row.principal_id)


@once(no_result)
def cancel_job(catalog: Catalog, caller: Caller, warehouse: Warehouse, job_id: int) -> None:
    """End a job where it is; what it has done stays done. Nothing happens when it is cancelled already.

    :raises NotFoundException: when there is none
    :raises ConflictException: when it has ended, or is one of those that come again by themselves
    """
    with mutation(catalog, caller, warehouse) as tx:
        row = tx.fetch_one("lock_job", id=job_id)
        if row is None:
            raise _no_such_job(job_id)
        if row.status == "cancelled":
            return
        if row.status not in UNFINISHED:
            raise ConflictException(f"Job {job_id} has ended: it is {row.status}")
        if row.is_periodic:
            raise ConflictException(f"Job {job_id} cannot be cancelled: {row.kind} comes again by itself")
        tx.execute("cancel_job", id=job_id, message=f"Cancelled by {caller.principal}")
        _record(tx, caller, warehouse, row)


def _record(tx: Transaction, caller: Caller, warehouse: Warehouse, row: Row) -> None:
    payload: dict[str, Any] = msgspec.json.decode(row.payload)
    change = Change(
        action="job.cancelled",
        warehouse_id=payload.get("warehouse_id", warehouse.id),
        object_id=row.id,
        namespace=Namespace(),
        details={"kind": row.kind},
    )
    record_change(tx, change, caller.origin)


def _no_such_job(job_id: int) -> NotFoundException:
    return NotFoundException(f"Job does not exist: {job_id}")
