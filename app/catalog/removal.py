"""Deletes files of a dropped table, in batches, and nothing that is not surely its own.

A file goes only when it lies inside the table's own places and the allowed prefixes, and no live table or view of
any warehouse contains it, lies inside it, or has it as its metadata file.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from app.catalog.context import Catalog
from app.errors import InternalServerError
from app.observability.logs import get_logger
from app.storage.locations import AllowedLocations, Location, ancestors, normalise, spellings
from app.storage.registry import Storages

log = get_logger(__name__)

_BATCH = 1000
_REMEMBERED = 200_000
"""Locations that are not asked for twice: manifests name the same files again and again."""


@dataclass
class Count:
    """Files of a purge: ``deleted`` (or already missing), left ``outside`` of the table's places, left because they
    belong to something ``live``, and ``failed``."""

    deleted: int = 0
    outside: int = 0
    live: int = 0
    failed: int = 0

    def __str__(self) -> str:
        parts = [f"{self.deleted} files deleted"]
        parts += [f"{self.outside} left outside the table's locations"] if self.outside else []
        parts += [f"{self.live} left because a live table or view has them"] if self.live else []
        return ", ".join(parts)


class Removal:
    """Collects locations and deletes them by the thousand.

    :param storages: those of the table's warehouse
    :param own_places: location and write paths of the table
    """

    def __init__(
        self, catalog: Catalog, storages: Storages, table_location: str, own_places: Iterable[str]
    ) -> None:
        self._catalog = catalog
        self._storages = storages
        self._table_location = table_location
        allowed = storages.allowed.allows
        self._own = AllowedLocations(place for place in own_places if allowed(place))
        self._pending: dict[str, Location] = {}
        self._seen: set[int] = set()
        self._folders: dict[Location, str] = {}
        self.count = Count()
        self.first_failure: str | None = None

    def add(self, location: str) -> bool:
        """Take a file into the next batch; true when a batch was deleted."""
        remembered = hash(location)
        if remembered in self._seen:
            return False
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen.add(remembered)
        if not (self._own.allows(location) and self._storages.allowed.allows(location)):
            self._leave(location, "outside")
            return False
        self._pending[location] = normalise(location)
        if len(self._pending) < _BATCH:
            return False
        self.flush()
        return True

    def flush(self) -> None:
        """Delete what is collected."""
        batch, self._pending = self._pending, {}
        if not batch:
            return
        live = self._live(batch)
        for location in live:
            self._leave(location, "live")
        by_family: dict[str, list[str]] = {}
        for location, place in batch.items():
            if location not in live:
                by_family.setdefault(place.family, []).append(location)
        for locations in by_family.values():
            self._delete(locations, batch)

    def check(self) -> None:
        """
        :raises InternalServerError: when a file could not be deleted
        """
        if self.count.failed:
            raise InternalServerError(
                f"{self.count.failed} files could not be deleted, the first: {self.first_failure}"
            )

    def remove_empty_folders(self) -> None:
        """Remove folders (local files only) that this removal has emptied, up to the table's location itself."""
        if self._folders and self._own.allows(self._table_location):
            storage = self._storages.for_location(self._table_location)
            storage.remove_empty_folders(self._folders.values(), self._table_location)

    def progress(self) -> dict[str, int]:
        return asdict(self.count)

    def _delete(self, locations: list[str], batch: dict[str, Location]) -> None:
        storage = self._storages.for_location(locations[0])
        failures = storage.delete(locations, checksums=True)
        self.count.deleted += len(locations) - len(failures)
        self.count.failed += len(failures)
        if failures and self.first_failure is None:
            self.first_failure = next(iter(failures.values()))
        for location in locations:
            if batch[location].family == "file":
                self._folders.setdefault(batch[location].parent, location)

    def _live(self, batch: dict[str, Location]) -> set[str]:
        """Return those of the batch that belong to something live."""
        db = self._catalog.db
        around = {location: {place.key, *ancestors(location)} for location, place in batch.items()}
        keys = sorted(set().union(*around.values()))
        containers = {row.location_key for row in db.fetch_all("find_live_containers", keys=keys)}
        files = [place.key for place in batch.values()]
        containing = {row.key for row in db.fetch_all("find_live_contents", keys=files)}
        texts = [text for location in batch for text in spellings(location)]
        named = db.fetch_all("find_live_metadata_files", locations=texts)
        metadata_files = {normalise(row.metadata_location).key for row in named}
        return {
            location
            for location, place in batch.items()
            if around[location] & containers or place.key in containing | metadata_files
        }

    def _leave(self, location: str, reason: str) -> None:
        setattr(self.count, reason, getattr(self.count, reason) + 1)
        if getattr(self.count, reason) <= 10:
            log.warning("purge leaves a file", location=location, reason=reason)
