"""Dropping a namespace with all that is in it: a job, in batches, by the rules of single drops.

The job takes what was there when it was asked for. What others create meanwhile stays, and so do the namespaces around
it: the job then fails and says so. Every batch is a transaction that also saves the job's progress, so a job that was
taken over or cancelled changes nothing any more.
"""

import math

from app.catalog import functions
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.drops import let_go
from app.catalog.idempotency import keep_result, mutation, once
from app.catalog.kinds import KINDS, is_protected
from app.catalog.namespaces import no_such_namespace, tree_of
from app.changes.log import Change, record_change
from app.changes.origin import Origin
from app.db import ConstraintViolated, Row, Transaction
from app.identifiers import Namespace, TableIdentifier
from app.jobs import Job, JobFailed, enqueue
from app.metadata.shapes import JsonObject
from app.observability.failpoints import failpoint

DROP_NAMESPACE = "drop-namespace"
_BATCH = 50


def _revive(_catalog: Catalog, _warehouse: Warehouse, result: JsonObject) -> int:
    return int(result["job-id"])


@once(_revive)
def drop_tree(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    namespace: Namespace,
    *,
    purge: bool,
    force: bool,
) -> int:
    """Have a namespace dropped with everything in it, and return the id of the job that does so.

    :param purge: delete the files of the tables as well, after the hold if there is one
    :param force: even if something is protected
    :raises NoSuchNamespaceException: when it does not exist
    :raises ConflictException: when it, or something in it, is protected
    """
    with mutation(catalog, caller, warehouse) as tx:
        root = tx.fetch_one("share_namespace", warehouse_id=warehouse.id, levels=list(namespace))
        if root is None:
            raise no_such_namespace(namespace)
        warehouse.names.confirm("namespace", namespace, root.id)
        if not force:
            _refuse_protected(tx, warehouse, namespace)
        payload = {
            "warehouse_id": warehouse.id,
            "namespace_id": root.id,
            "purge": purge,
            "force": force,
            **caller.origin.payload(),
        }
        job_id = enqueue(tx, DROP_NAMESPACE, payload)
        change = Change(
            action="namespace.drop-requested",
            warehouse_id=warehouse.id,
            object_id=root.id,
            namespace=namespace,
            details={"job-id": job_id, "purge": purge, "force": force},
        )
        record_change(tx, change, caller.origin)
        keep_result(tx, caller, warehouse, {"job-id": job_id})
    return job_id


def _refuse_protected(tx: Transaction, warehouse: Warehouse, namespace: Namespace) -> None:
    found = tx.fetch_one("find_protected", **tree_of(warehouse.id, namespace))
    if found is None:
        return
    levels = Namespace(found.levels)
    if found.kind is None:
        raise is_protected("Namespace", levels)
    raise is_protected(KINDS[found.kind].title, TableIdentifier(levels, found.name))


def work_off_drop(catalog: Catalog, job: Job) -> str:
    """Drop the namespace that the job names, the innermost first.

    :raises JobFailed: when something is protected, or was created meanwhile
    :raises JobInterrupted: when the worker stops or somebody cancels the job
    """
    return _Drop(catalog, job).run()


class _Drop:
    """One attempt."""

    def __init__(self, catalog: Catalog, job: Job) -> None:
        self._catalog = catalog
        self._job = job
        self._warehouse_id = int(job.payload["warehouse_id"])
        self._caller = Caller(Origin.of_payload(job.payload, job.id), math.inf)
        self._force = bool(job.payload["force"])
        self._tabulars = int(job.progress.get("tabulars", 0))
        self._namespaces = int(job.progress.get("namespaces", 0))

    def run(self) -> str:
        while last := self._last():
            while self._drop_batch(last.id):
                failpoint("namespace_drop.batch")
            self._drop_namespace(last.id, Namespace(last.levels))
        return f"{self._tabulars} tables and views and {self._namespaces} namespaces dropped"

    def _last(self) -> Row | None:
        """The namespace that has nothing behind it, under the name that the root has now."""
        root = self._catalog.db.fetch_one("find_namespace_by_id", id=self._job.payload["namespace_id"])
        if root is None:
            return None
        tree = tree_of(self._warehouse_id, Namespace(root.levels))
        return self._catalog.db.fetch_one("find_last_of_tree", **tree)

    def _drop_batch(self, namespace_id: int) -> bool:
        """Drop some of the tables and views of a namespace; false when there are none."""
        with self._catalog.db.transaction() as tx:
            place = tx.fetch_one("share_namespace_by_id", id=namespace_id)
            if place is None:
                return False
            namespace = Namespace(place.levels)
            rows = tx.fetch_all(
                "lock_droppable",
                warehouse_id=self._warehouse_id,
                namespace_id=namespace_id,
                job_id=self._job.id,
                limit=_BATCH,
            )
            for row in rows:
                self._drop_tabular(tx, namespace, row)
            if rows:
                self._report(tx, tabulars=len(rows))
        self._tabulars += len(rows)
        return bool(rows)

    def _drop_tabular(self, tx: Transaction, namespace: Namespace, row: Row) -> None:
        if row.protected and not self._force:
            identifier = TableIdentifier(namespace, row.name)
            raise JobFailed(is_protected(KINDS[row.kind].title, identifier).message)
        purge = bool(self._job.payload["purge"])
        let_go(tx, self._caller, self._warehouse_id, namespace, row, purge=purge)

    def _drop_namespace(self, namespace_id: int, namespace: Namespace) -> None:
        try:
            with self._catalog.db.transaction() as tx:
                place = tx.fetch_one("lock_namespace_by_id", id=namespace_id)
                if place is None:
                    return
                namespace = Namespace(place.levels)
                if place.protected and not self._force:
                    raise JobFailed(is_protected("Namespace", namespace).message)
                self._drop_locked(tx, namespace_id, namespace)
        except ConstraintViolated as error:
            raise JobFailed(
                f"Namespace is not empty: {namespace}; something was created in it meanwhile, which stays"
            ) from error
        self._namespaces += 1

    def _drop_locked(self, tx: Transaction, namespace_id: int, namespace: Namespace) -> None:
        functions.drop_functions(
            tx, self._caller, self._warehouse_id, namespace, namespace_id=namespace_id, job_id=self._job.id
        )
        if tx.fetch_one("drop_namespace_by_id", id=namespace_id, job_id=self._job.id) is None:
            raise JobFailed(f"Namespace was created meanwhile, which stays: {namespace}")
        change = Change(
            action="namespace.dropped",
            warehouse_id=self._warehouse_id,
            object_id=namespace_id,
            namespace=namespace,
        )
        record_change(tx, change, self._caller.origin)
        self._report(tx, namespaces=1)

    def _report(self, tx: Transaction, tabulars: int = 0, namespaces: int = 0) -> None:
        self._job.report(tx, tabulars=self._tabulars + tabulars, namespaces=self._namespaces + namespaces)
