"""The periodic job that looks for orphaned metadata files, and the job that deletes those it found.

Between the two lie a few minutes: whoever was about to adopt such a file has then done so, and the second job looks
again; who comes later is refused. So nothing that anything names is ever deleted.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from app.catalog.context import Catalog, Warehouse
from app.catalog.orphans import METADATA, Search
from app.catalog.warehouses import load_warehouse
from app.db import Transaction
from app.errors import IllegalArgumentException, ServiceError, ServiceUnavailableException
from app.jobs import Job, enqueue
from app.observability.logs import get_logger
from app.storage import locations

log = get_logger(__name__)

SWEEP = "sweep-metadata"
DELETE_ORPHANS = "delete-orphans"
# Longer than a request may take.
DELAY = 120.0
_PAGE = 200
_BATCH = 1000
_SHOWN = 10
_STAGES = ("list_places_of_tabulars", "list_places_of_held", "list_places_of_namespaces")
# The default location of a table or view ends like that.
_UNIQUE = re.compile(r".+-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def sweep(catalog: Catalog, job: Job) -> str:
    """Look through the folders of all tables and views, and of creations that failed; another attempt goes on where
    this one ends."""
    if catalog.settings.sweep.mode == "off":
        return "nothing looked for: sweep.mode is off"
    return _Sweep(catalog, job).run()


def delete_orphans(catalog: Catalog, job: Job) -> str:
    """Delete those of the files found that are still orphans."""
    if catalog.settings.sweep.mode != "delete":
        return f"nothing deleted: sweep.mode is {catalog.settings.sweep.mode}"
    warehouse, folder = load_warehouse(catalog.db, job.payload["warehouse_id"]), job.payload["folder"]
    search = Search(catalog, job.check)
    if around := job.payload["around"]:
        found = set(search.of_nobody(warehouse, around))
    else:
        found = {file for page in search.beside_objects(warehouse, folder) for file in page}
    files = sorted(found & set(job.payload["files"]))
    storage = catalog.storages.of(warehouse).for_location(folder)
    left = storage.delete(files) if files else {}
    for location in files:
        log.info("orphaned metadata file", location=location, error=left.get(location))
    if around and files:
        storage.remove_empty_folders(files, around)
    return (
        f"{len(files) - len(left)} files deleted, {len(job.payload['files']) - len(files) + len(left)} left"
    )


def refuse_while_deleted(tx: Transaction, metadata_location: str) -> None:
    """For those who adopt an existing file, after their row is written.

    :raises IllegalArgumentException: when the file is about to be deleted as an orphan
    """
    if tx.fetch_one("find_deletion_of_orphan", key=locations.key(metadata_location)):
        raise IllegalArgumentException(
            f"Invalid metadata-location {metadata_location!r}: the file is an orphan that is being deleted"
        )


class _Sweep:
    """One attempt."""

    def __init__(self, catalog: Catalog, job: Job) -> None:
        self._catalog = catalog
        self._job = job
        self._search = Search(catalog, job.check)
        self._found = int(job.progress.get("found", 0))
        self._failed = int(job.progress.get("failed", 0))
        self._warehouses: dict[int, Warehouse | None] = {}

    def run(self) -> str:
        first, after = self._job.progress.get("stage", _STAGES[0]), int(self._job.progress.get("after", 0))
        for stage in _STAGES[_STAGES.index(first) :]:
            self._go_through(stage, after)
            after = 0
        kept = "" if self._deletes else ", left alone: sweep.mode is report"
        unread = f", {self._failed} folders could not be read" if self._failed else ""
        return f"{self._found} orphaned metadata files found{kept}{unread}"

    @property
    def _deletes(self) -> bool:
        return self._catalog.settings.sweep.mode == "delete"

    def _go_through(self, stage: str, after: int) -> None:
        while rows := self._catalog.db.fetch_all(stage, after=after, limit=_PAGE):
            for row in rows:
                self._look(stage, row)
            after = rows[-1].id
            self._job.report(stage=stage, after=after, found=self._found, failed=self._failed)

    def _look(self, stage: str, row: Any) -> None:
        """Search the place of a row. One that cannot be read now is left for the next time."""
        warehouse = self._warehouse(row.warehouse_id)
        if warehouse is None:
            return
        try:
            if stage == "list_places_of_namespaces":
                self._look_for_failed_creations(warehouse, row.location)
            else:
                self._look_beside(warehouse, row)
        except ServiceError as error:
            self._failed += 1
            if self._failed <= _SHOWN:
                log.warning("folder cannot be swept", location=row.location, error=error.message)
            if isinstance(error, ServiceUnavailableException):
                self._warehouses[warehouse.id] = None  # the next folder would only wait as long

    def _look_beside(self, warehouse: Warehouse, row: Any) -> None:
        """Search the folder in which an object writes its metadata; one that it may share with others is left."""
        folder = row.metadata_location.rpartition("/")[0]
        for place in dict.fromkeys((f"{row.location.rstrip('/')}/{METADATA}", folder)):
            if locations.is_within(place, row.location):
                for files in self._search.beside_objects(warehouse, place):
                    self._take(warehouse, place, files)

    def _look_for_failed_creations(self, warehouse: Warehouse, location: str) -> None:
        for entries in self._search.pages(warehouse, location):
            names = [entry.name for entry in entries if entry.is_folder and _UNIQUE.fullmatch(entry.name)]
            for place in self._free([f"{locations.key(location)}/{name}" for name in names]):
                self._take(warehouse, f"{place}/{METADATA}", self._search.of_nobody(warehouse, place), place)

    def _free(self, places: list[str]) -> Iterable[str]:
        rows = self._catalog.db.fetch_all("find_live_containers", keys=places)
        return sorted(set(places) - {row.location_key for row in rows})

    def _take(self, warehouse: Warehouse, folder: str, files: list[str], around: str = "") -> None:
        self._found += len(files)
        if not self._deletes:
            for location in files:
                log.info("orphaned metadata file", location=location)
            return
        for start in range(0, len(files), _BATCH):
            batch = files[start : start + _BATCH]
            payload = {"warehouse_id": warehouse.id, "folder": folder, "around": around, "files": batch}
            self._enqueue(payload)

    def _enqueue(self, payload: dict[str, Any]) -> None:
        now = self._catalog.db.fetch_one("read_times_of_changes").now
        with self._catalog.db.transaction() as tx:
            enqueue(tx, DELETE_ORPHANS, payload, datetime.fromtimestamp(now + DELAY, UTC))

    def _warehouse(self, warehouse_id: int) -> Warehouse | None:
        """Return a warehouse that can be read, as far as we know."""
        if warehouse_id not in self._warehouses:
            warehouse = load_warehouse(self._catalog.db, warehouse_id)
            self._warehouses[warehouse_id] = warehouse if warehouse.is_active else None
        return self._warehouses[warehouse_id]
