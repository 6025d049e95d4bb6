"""Which file system holds a location, and which locations the server touches at all."""

from collections.abc import Mapping

from app.config import S3Settings, Settings, StorageSettings
from app.errors import IllegalArgumentException
from app.storage.credentials import Keys
from app.storage.executed import ExecutedFileSystem
from app.storage.executor import Executor, in_greenlets, in_threads
from app.storage.files import LocalFileSystem
from app.storage.locations import AllowedLocations
from app.storage.profiles import StorageProfile
from app.storage.vending import StaticKeys, VendedCredentials


class Storages:
    """The file systems of a warehouse by family of schemes, inside its allowed prefixes."""

    def __init__(
        self,
        allowed: AllowedLocations,
        file_systems: Mapping[str, ExecutedFileSystem],
        vended: VendedCredentials | None = None,
    ) -> None:
        self.allowed = allowed
        self.vended = vended
        """What clients may take along; None where no credentials are handed out."""
        self._file_systems = file_systems

    @classmethod
    def from_settings(cls, settings: Settings, files: Executor | None = None) -> "Storages":
        """Connect to what the settings name: local files, and S3 when an allowed prefix lies there.

        :param files: what runs calls to local files; without it an executor of its own
        """
        storage = settings.storage
        allowed = allowed_locations(settings)
        families = {prefix.family for prefix in allowed.prefixes}
        file_systems: dict[str, ExecutedFileSystem] = {}
        if "file" in families:
            file_systems["file"] = _local(allowed, files or file_executor(storage))
        if "s3" in families:
            file_systems["s3"] = _s3(storage, storage.s3)
        profile = StorageProfile.from_settings(storage, storage.warehouse)
        vended = _vended(storage, profile, storage.s3, public_only=False) if profile.type == "s3" else None
        return cls(allowed, file_systems, vended)

    @classmethod
    def connect(
        cls,
        storage: StorageSettings,
        profile: StorageProfile,
        keys: Keys | None,
        files: Executor,
        *,
        public_only: bool,
        public_sts_only: bool = False,
        session_token: str = "",
    ) -> "Storages":
        """Connect to what a profile names.

        :param keys: None lets botocore look for them
        :param public_only: connect to public addresses only
        :param public_sts_only: the same for the security token service
        :param session_token: that goes with the keys, if they are temporary
        """
        allowed = AllowedLocations([profile.root_location, *profile.allowed_locations])
        if profile.type == "local":
            return cls(allowed, {"file": _local(allowed, files)})
        s3 = S3Settings(
            endpoint=profile.endpoint,
            region=profile.region,
            access_key_id=keys.access_key_id if keys else "",
            secret_access_key=keys.secret_access_key if keys else "",
            use_path_style=profile.path_style_access,
        )
        vended = _vended(storage, profile, s3, public_only=public_sts_only)
        file_system = _s3(storage, s3, public_only=public_only, session_token=session_token)
        return cls(allowed, {"s3": file_system}, vended)

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

    def close(self) -> None:
        """Close idle connections; calls under way end as they would have."""
        for file_system in self._file_systems.values():
            file_system.close()
        if self.vended is not None:
            self.vended.close()


def file_executor(storage: StorageSettings) -> Executor:
    """Return what runs the calls to local files of one process."""
    return in_threads("file", storage.max_threads, storage.deadline)


def allowed_locations(settings: Settings) -> AllowedLocations:
    """Return the prefixes of the default warehouse: its root and ``storage.allowed_locations``."""
    storage = settings.storage
    root_path = [storage.local.root_path] if storage.type == "local" else []
    return AllowedLocations([storage.warehouse, *root_path, *storage.allowed_locations])


def _local(allowed: AllowedLocations, executor: Executor) -> ExecutedFileSystem:
    local = LocalFileSystem(prefix for prefix in allowed.prefixes if prefix.family == "file")
    return ExecutedFileSystem(local, executor)


def _s3(
    storage: StorageSettings, settings: S3Settings, *, public_only: bool = False, session_token: str = ""
) -> ExecutedFileSystem:
    # boto3 takes half a second to import.
    from app.storage.s3 import S3FileSystem

    limits = (storage.timeout, storage.deadline, storage.max_threads)
    s3 = S3FileSystem(settings, *limits, public_only=public_only, session_token=session_token)
    return ExecutedFileSystem(s3, in_greenlets("s3", storage.max_threads, storage.deadline))


def _vended(
    storage: StorageSettings, profile: StorageProfile, s3: S3Settings, *, public_only: bool
) -> VendedCredentials | None:
    executor = in_greenlets("sts", storage.max_threads, storage.deadline)
    if profile.sts is not None:
        from app.storage.sts import StsSettings, StsVendor

        settings = StsSettings(
            profile=profile.sts,
            store=s3.endpoint,
            region=s3.region,
            access_key_id=s3.access_key_id,
            secret_access_key=s3.secret_access_key,
        )
        vendor = StsVendor(settings, storage.timeout, storage.max_threads, public_only=public_only)
        return VendedCredentials(vendor, executor)
    if "static-keys" in profile.delegation:
        return VendedCredentials(StaticKeys(s3.access_key_id, s3.secret_access_key), executor)
    return None
