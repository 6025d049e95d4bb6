"""Keys of warehouses: named ones in files of ``secrets.folder``, given ones sealed under ``secrets.key``."""

import re
from pathlib import Path

import msgspec

from app.config import S3Settings, SecretsSettings
from app.errors import BadRequestException, IllegalArgumentException, InternalServerError
from app.storage.profiles import StorageProfile
from app.storage.sealing import SealBroken, decode_keys, seal, unseal

SECRET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_MAX_FILE_BYTES = 65_536


class Keys(msgspec.Struct, frozen=True, rename="kebab"):
    """An access key with its secret; never shown."""

    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return "Keys(***)"


class Vault:
    """Finds the keys that a profile refers to."""

    def __init__(self, settings: SecretsSettings, default: S3Settings) -> None:
        self._folder = settings.folder
        self._keys = decode_keys(settings.key) or []
        self._default = default

    def seal(self, owner: str, keys: Keys) -> bytes:
        """
        :raises IllegalArgumentException: when there is no ``secrets.key`` to seal with
        """
        if not self._keys:
            raise IllegalArgumentException(
                "Invalid storage-profile.credentials: keys are only taken when secrets.key is set;"
                " use a named secret instead"
            )
        return seal(self._keys[0], owner, msgspec.json.encode(keys))

    def keys(self, owner: str, profile: StorageProfile, sealed: bytes | None) -> Keys | None:
        """Return the keys of a profile; None means that botocore looks for them.

        :raises BadRequestException: when there is no such secret
        :raises IllegalArgumentException: when its file is broken
        :raises InternalServerError: when the seal is broken
        """
        reference = profile.credentials
        if reference.type == "secret":
            return self._named(reference.name or "")
        if reference.type == "inline":
            return self._unsealed(owner, sealed)
        if self._default.access_key_id:
            return Keys(self._default.access_key_id, self._default.secret_access_key)
        return None

    def stamp(self, profile: StorageProfile) -> int:
        """Return what changes when the file of a named secret is replaced."""
        if profile.credentials.type != "secret":
            return 0
        try:
            return (Path(self._folder) / f"{profile.credentials.name}.json").stat().st_mtime_ns
        except OSError:
            return 0

    def _named(self, name: str) -> Keys:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                return msgspec.json.decode(file.read(_MAX_FILE_BYTES), type=Keys)
        except OSError as error:
            raise BadRequestException(
                f"Invalid storage-profile.credentials.name {name!r}: no readable secret of this name in secrets.folder"
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError):
            # The decoder's message would quote the file.
            raise IllegalArgumentException(
                f"The secret {name!r} is no JSON object with access-key-id and secret-access-key"
            ) from None

    def _path(self, name: str) -> Path:
        if not SECRET_NAME.fullmatch(name):
            raise BadRequestException(
                f"Invalid storage-profile.credentials.name {name[:140]!r}: must be 1 to 128 letters, digits,"
                " '.', '_' and '-' and begin with a letter or digit"
            )
        if not self._folder:
            raise IllegalArgumentException(
                "Invalid storage-profile.credentials: named secrets need the setting secrets.folder"
            )
        return Path(self._folder) / f"{name}.json"

    def _unsealed(self, owner: str, sealed: bytes | None) -> Keys:
        if not self._keys or sealed is None:
            raise InternalServerError(f"The keys of warehouse {owner} are sealed and secrets.key is not set")
        try:
            return msgspec.json.decode(unseal(self._keys, owner, sealed), type=Keys)
        except (SealBroken, msgspec.DecodeError):
            raise InternalServerError(
                f"The keys of warehouse {owner} cannot be unsealed: they were sealed with another secrets.key"
            ) from None
