"""Which metadata files were never committed: what attempts left that died between their file and their COMMIT.

A file is such an orphan only if its name says that this installation made it, name and storage agree that it is older
than ``sweep.grace_period``, the change log, complete since before the file was made, never heard of it, and

- in the folder of a table or view, live or held: no metadata log of whoever has that folder names it;
- in a folder that nobody has: nothing else lies there.

So files that were current once stay, also those of tables that were dropped without purge.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from app.catalog.context import Catalog, Warehouse
from app.catalog.file_names import is_made_by, second_of
from app.catalog.metadata_files import read_metadata_file
from app.catalog.warehouses import load_warehouse
from app.storage import locations
from app.storage.filesystem import Entry

METADATA = "metadata"
_SLICE = 3600.0
"""Seconds of the change log that one statement reads."""
_SKEW = 3600.0
"""How far a clock may be behind when it names a file."""


class Search:
    """One look for orphans.

    :param check: called between steps; may raise to end it
    """

    def __init__(self, catalog: Catalog, check: Callable[[], None]) -> None:
        self._catalog = catalog
        self._check = check
        times = catalog.db.fetch_one("read_times_of_changes")
        self._now = times.now
        self._old_before = min(times.now, time.time()) - catalog.settings.sweep.grace_period
        self._complete_since = times.since

    def beside_objects(self, warehouse: Warehouse, folder: str) -> Iterator[list[str]]:
        """Yield, page by page, the orphans in the metadata folder of a table or view."""
        for entries in self.pages(warehouse, folder):
            files = self._old(warehouse, folder, entries)
            for narrow in (self._not_current, self._not_of_owners, self._never_committed):
                files = narrow(folder, files) if files else files
            yield sorted(files)

    def of_nobody(self, warehouse: Warehouse, around: str) -> list[str]:
        """Return the files of a failed creation, which are all there is in its folder ``around``."""
        if self._has_owner(around) or [entry.name for entry in self._first(warehouse, around)] != [METADATA]:
            return []
        folder = f"{around}/{METADATA}"
        entries = self._first(warehouse, folder)
        files = self._old(warehouse, folder, entries)
        is_all = files and len(files) == len(entries) and self._not_current(folder, files) == files
        return sorted(files) if is_all and self._never_committed(folder, files) == files else []

    def pages(self, warehouse: Warehouse, folder: str) -> Iterator[list[Entry]]:
        """Yield what lies in a folder, a thousand at a time."""
        storage = self._catalog.storages.of(warehouse).for_location(folder)
        after = ""
        while True:
            self._check()
            page = storage.list_page(folder, after)
            yield page.entries
            after = page.next
            if not after:
                return

    def _first(self, warehouse: Warehouse, folder: str) -> list[Entry]:
        """The first entries of a folder: more of them than a failed creation leaves, if there are more."""
        return next(self.pages(warehouse, folder))

    def _old(self, warehouse: Warehouse, folder: str, entries: list[Entry]) -> set[str]:
        """Return the keys of files that we made so long ago that no attempt can still be at them."""
        base, old = locations.key(folder), set()
        for entry in entries:
            if entry.is_folder or not is_made_by(warehouse, entry.name):
                continue
            if max(second_of(entry.name), entry.modified) <= self._old_before:
                old.add(f"{base}/{entry.name}")
        return old

    def _not_current(self, folder: str, files: set[str]) -> set[str]:
        """Without what somebody's pointer names, and nothing at all where a purge is at work."""
        keys = [*locations.ancestors(folder), locations.key(folder)]
        if self._catalog.db.fetch_one("find_pending_purge", keys=keys, key=keys[-1]):
            return set()
        texts = [text for file in files for text in locations.spellings(file)]
        rows = self._catalog.db.fetch_all("find_live_metadata_files", locations=texts)
        return _without(files, (row.metadata_location for row in rows))

    def _not_of_owners(self, folder: str, files: set[str]) -> set[str]:
        """Without what those committed who have the folder, and what their metadata logs name."""
        owners = self._owners(folder)
        for owner in owners:
            of = {"warehouse_id": owner.warehouse_id, "namespace": owner.namespace, "name": owner.name}
            rows = self._catalog.db.fetch_all("find_pointers_of_object", names=_names(files), **of)
            files = _without(files, [owner.metadata_location, *(row.after_pointer for row in rows)])
        for owner in owners if files else ():
            files = _without(files, self._log(owner))
        return files if owners else set()

    def _owners(self, place: str) -> list[Any]:
        keys = [*locations.ancestors(place), locations.key(place)]
        return list(self._catalog.db.fetch_all("find_objects_at_places", keys=keys))

    def _has_owner(self, place: str) -> bool:
        keys = [locations.key(place)]
        return bool(self._owners(place) or self._catalog.db.fetch_all("find_live_contents", keys=keys))

    def _log(self, owner: Any) -> list[str]:
        """Return the metadata log of a table, as its file has it."""
        self._check()
        warehouse = load_warehouse(self._catalog.db, owner.warehouse_id)
        metadata: Any = read_metadata_file(self._catalog, warehouse, owner.metadata_location)
        return [entry["metadata-file"] for entry in metadata.get("metadata-log") or ()]

    def _never_committed(self, _: str, files: set[str]) -> set[str]:
        """Return those of the files that the change log, which must know, does not name."""
        made = {file: second_of(file) - _SKEW for file in files}
        if self._complete_since is None:
            return set()
        files = {file for file in files if made[file] >= self._complete_since}
        since = min((made[file] for file in files), default=self._now)
        while files and since <= self._now + _SLICE:
            self._check()
            span = {"since": since, "until": since + _SLICE}
            rows = self._catalog.db.fetch_all("find_pointers_in_changes", names=_names(files), **span)
            files = _without(files, (row.after_pointer for row in rows))
            since += _SLICE
        return files


def _names(files: Iterable[str]) -> list[str]:
    return [file.rpartition("/")[2] for file in files]


def _without(files: set[str], named: Iterable[str]) -> set[str]:
    """Leave out what has the name of something named: names are unique, locations have many spellings."""
    names = set(_names(named))
    return {file for file in files if file.rpartition("/")[2] not in names}
