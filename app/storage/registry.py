"""Which file system holds a location, and which locations the server touches at all."""

from collections.abc import Mapping

from app.config import Settings
from app.errors import IllegalArgumentException
from app.storage.executed import ExecutedFileSystem
from app.storage.executor import in_greenlets, in_threads
from app.storage.files import LocalFileSystem
from app.storage.locations import AllowedLocations


class Storages:
    """The file systems of a warehouse by family of schemes, inside its allowed prefixes."""

    def __init__(self, allowed: AllowedLocations, file_systems: Mapping[str, ExecutedFileSystem]) -> None:
        self.allowed = allowed
        self._file_systems = file_systems

    @classmethod
    def from_settings(cls, settings: Settings) -> "Storages":
        """Connect to what the settings name: local files, and S3 when an allowed prefix lies there."""
        storage = settings.storage
        limits = (storage.max_threads, storage.deadline)
        allowed = allowed_locations(settings)
        families = {prefix.family for prefix in allowed.prefixes}
        file_systems: dict[str, ExecutedFileSystem] = {}
        if "file" in families:
            local = LocalFileSystem(prefix for prefix in allowed.prefixes if prefix.family == "file")
            file_systems["file"] = ExecutedFileSystem(local, in_threads("file", *limits))
        if "s3" in families:
            # boto3 takes half a second to import.
            from app.storage.s3 import S3FileSystem

            s3 = S3FileSystem(storage.s3, storage.timeout, storage.deadline, storage.max_threads)
            file_systems["s3"] = ExecutedFileSystem(s3, in_greenlets("s3", *limits))
        return cls(allowed, file_systems)

    def for_location(self, location: str) -> ExecutedFileSystem:
        """Return the file system that holds ``location``.

        :raises BadRequestException: when the location is malformed
        :raises IllegalArgumentException: when it is outside the allowed prefixes
        """
        place = self.allowed.check(location)
        if place.family not in self._file_systems:
            raise IllegalArgumentException(
                f"Invalid location {location!r}: no {place.family} storage is configured"
            )
        return self._file_systems[place.family]


def allowed_locations(settings: Settings) -> AllowedLocations:
    """Return the prefixes of the default warehouse: its root and ``storage.allowed_locations``."""
    storage = settings.storage
    root_path = [storage.local.root_path] if storage.type == "local" else []
    return AllowedLocations([storage.warehouse, *root_path, *storage.allowed_locations])
