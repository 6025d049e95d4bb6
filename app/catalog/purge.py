"""Purge: a durable job that deletes the files of a dropped table.

Data goes before the manifests that name it, manifests before their lists, the current metadata file last: an
attempt that dies leaves what the next one needs, and files that are already gone are fine. What cannot be read or
deleted makes the attempt fail before anything that names it is deleted. Folders are never deleted with content.
Source: Iceberg's ``CatalogUtil.dropTableData``.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import msgspec

from app.catalog.context import Catalog, Warehouse
from app.catalog.metadata_files import read_metadata_file
from app.catalog.removal import Removal
from app.catalog.warehouses import load_warehouse
from app.changes.log import Change, record_change
from app.changes.origin import Origin
from app.db import Transaction
from app.errors import (
    IllegalArgumentException,
    NotFoundException,
    ServiceError,
    ServiceUnavailableException,
    ValidationException,
)
from app.identifiers import Namespace
from app.jobs import Job, enqueue
from app.metadata.manifests import content_paths, manifest_paths
from app.observability.failpoints import failpoint
from app.storage import locations

PURGE = "purge"
_WRITE_PATHS = (
    "write.data.path",
    "write.metadata.path",
    "write.object-storage.path",
    "write.folder-storage.path",
)
_LAST = "current metadata file"


class _Dropped(msgspec.Struct):
    """The members of a dropped table's document that its purge needs."""

    location: str
    properties: dict[str, str] | None = None


class Purged(NamedTuple):
    """The table whose files go, under its last name, and who asked for that."""

    object_id: int
    namespace: Namespace
    name: str
    origin: Origin

    def payload(self) -> dict[str, Any]:
        named = {"object_id": self.object_id, "namespace": self.namespace, "name": self.name}
        return {**named, **self.origin.payload()}

    @classmethod
    def of_payload(cls, kept: dict[str, Any], job_id: int) -> Self:
        origin = Origin.of_payload(kept, job_id)
        return cls(kept["object_id"], Namespace(kept["namespace"]), kept["name"], origin)


def enqueue_purge(
    tx: Transaction, warehouse_id: int, metadata_location: str, document: str, of: Purged
) -> int:
    """Have the files of a table deleted after the transaction that drops it, and return the job's id.

    :param document: the table's metadata as JSON text
    """
    dropped = msgspec.json.decode(document, type=_Dropped)
    properties = dropped.properties or {}
    payload = {
        "warehouse_id": warehouse_id,
        "metadata_location": metadata_location,
        "location": dropped.location,
        "location_key": locations.key(dropped.location),
        "of": of.payload(),
        "write_paths": [properties[name] for name in _WRITE_PATHS if properties.get(name)],
    }
    return enqueue(tx, PURGE, payload)


def refuse_while_purged(tx: Transaction, location: str) -> None:
    """For those who adopt existing files, after their row is written: not while a purge may delete them.

    :raises IllegalArgumentException: when a purge works around ``location`` or has just ended there
    """
    key = locations.key(location)
    if tx.fetch_one("find_pending_purge", keys=[*locations.ancestors(location), key], key=key):
        raise IllegalArgumentException(
            f"Invalid location {location!r}: a dropped table there is being purged"
        )


def purge(catalog: Catalog, job: Job) -> str:
    """Delete the files of the table that the job describes, and return what was done.

    :raises ServiceError: when something cannot be read or deleted; to be tried again
    :raises JobInterrupted: when the worker stops
    """
    failpoint("purge.begin")
    warehouse = load_warehouse(catalog.db, job.payload["warehouse_id"])
    try:
        metadata = read_metadata_file(catalog, warehouse, job.payload["metadata_location"])
    except NotFoundException:
        if job.progress.get("phase") == _LAST:
            _record(catalog, job)
            return "all files were deleted by an earlier attempt"
        raise
    if not isinstance(metadata, dict):
        raise ValidationException(f"{job.payload['metadata_location']} is no table metadata")
    message = _Purge(catalog, warehouse, job, metadata).run()
    _record(catalog, job)
    return message


def _record(catalog: Catalog, job: Job) -> None:
    """Say in the change log that the files are gone; when the worker dies before the job has ended, again."""
    if "of" not in job.payload:
        return  # asked for by an older version
    of = Purged.of_payload(job.payload["of"], job.id)
    change = Change(
        action="table.purged",
        warehouse_id=job.payload["warehouse_id"],
        object_id=of.object_id,
        namespace=of.namespace,
        name=of.name,
        before_pointer=job.payload["metadata_location"],
    )
    with catalog.db.transaction() as tx:
        record_change(tx, change, of.origin)
        job.report(tx, **job.progress)


class _Purge:
    """One attempt."""

    def __init__(self, catalog: Catalog, warehouse: Warehouse, job: Job, metadata: dict[str, Any]) -> None:
        self._storages = catalog.storages.of(warehouse)
        self._job = job
        self._metadata = metadata
        self._limit = catalog.settings.limits.max_metadata_size
        location = job.payload["location"]
        self._removal = Removal(catalog, self._storages, location, [location, *job.payload["write_paths"]])
        self._unreadable: list[str] = []

    def run(self) -> str:
        lists = list(dict.fromkeys(self._manifest_lists()))
        manifests = list(dict.fromkeys(self._manifests(lists)))
        if self._deletes_data():
            for manifest in manifests:
                self._remove("data", self._read(manifest, content_paths))
        self._settle()
        self._remove("manifests", manifests)
        self._settle()
        self._remove("manifest lists", lists)
        self._remove("statistics", self._statistics())
        self._remove("metadata log", self._metadata_log())
        self._settle()
        self._job.report(phase=_LAST, **self._removal.progress())
        self._removal.add(self._job.payload["metadata_location"])
        self._settle()
        self._removal.remove_empty_folders()
        return str(self._removal.count)

    def _remove(self, phase: str, files: Any) -> None:
        self._job.check()
        for file in files:
            if self._removal.add(file):
                self._job.report(phase=phase, **self._removal.progress())

    def _settle(self) -> None:
        """Delete what is pending; stop here if anything is still left that should not be."""
        self._removal.flush()
        if self._unreadable:
            raise ValidationException(
                f"{len(self._unreadable)} files cannot be read, the first: {self._unreadable[0]}"
            )
        self._removal.check()

    def _deletes_data(self) -> bool:
        # As Java reads a boolean: anything but "true" is false.
        properties = self._metadata.get("properties") or {}
        return str(properties.get("gc.enabled", "true")).lower() == "true"

    def _manifest_lists(self) -> Iterator[str]:
        for snapshot in self._metadata.get("snapshots") or []:
            if snapshot.get("manifest-list"):
                yield snapshot["manifest-list"]

    def _manifests(self, lists: list[str]) -> Iterator[str]:
        for manifest_list in lists:
            yield from self._read(manifest_list, manifest_paths)
        for snapshot in self._metadata.get("snapshots") or []:
            # Format version 1 may name the manifests in the snapshot itself.
            yield from snapshot.get("manifests") or []

    def _read(self, location: str, paths: Callable[[bytes, int], Iterator[str]]) -> Iterator[str]:
        """Yield what a file names; nothing when it is missing or outside the allowed prefixes."""
        self._job.check()
        if not self._storages.allowed.allows(location):
            return
        try:
            data = self._storages.for_location(location).read(location, self._limit)
            yield from paths(data, self._limit)
        except NotFoundException:
            return
        except ServiceUnavailableException:
            raise  # the next file would only wait as long
        except ServiceError as error:
            self._unreadable.append(f"{location}: {error.message}")

    def _statistics(self) -> Iterator[str]:
        for kind in ("statistics", "partition-statistics"):
            for entry in self._metadata.get(kind) or []:
                if entry.get("statistics-path"):
                    yield entry["statistics-path"]

    def _metadata_log(self) -> Iterator[str]:
        for entry in self._metadata.get("metadata-log") or []:
            if entry.get("metadata-file"):
                yield entry["metadata-file"]
