"""How the storage of a warehouse is reached, as its row keeps it: JSON without any secret."""

from typing import Literal, Self

import msgspec

from app.config import StorageSettings


class CredentialsReference(msgspec.Struct, frozen=True, rename="kebab", omit_defaults=True):
    """Where the keys come from.

    ``default`` is what the process finds by itself (settings, environment, instance), ``secret`` the file ``name`` of
    the secrets folder, ``inline`` what is sealed beside the profile.
    """

    type: Literal["default", "secret", "inline"]
    name: str | None = None


class StorageProfile(msgspec.Struct, frozen=True, rename="kebab"):
    """The warehouse's files lie below ``root_location`` and ``allowed_locations``; ``endpoint`` is empty for AWS."""

    type: Literal["local", "s3"]
    root_location: str
    allowed_locations: tuple[str, ...] = ()
    endpoint: str = ""
    region: str = ""
    path_style_access: bool = False
    credentials: CredentialsReference = CredentialsReference("default")

    def client_properties(self) -> dict[str, str]:
        """Return what clients need to know beside their own credentials to reach the storage."""
        if self.type != "s3":
            return {}
        properties = {"s3.region": self.region, "client.region": self.region}
        if self.endpoint:
            properties["s3.endpoint"] = self.endpoint
        if self.path_style_access:
            properties["s3.path-style-access"] = "true"
        return properties

    @classmethod
    def from_settings(cls, storage: StorageSettings, root_location: str) -> Self:
        """Return the profile of the default warehouse."""
        if storage.type == "local":
            return cls("local", root_location, storage.allowed_locations)
        return cls(
            "s3",
            root_location,
            storage.allowed_locations,
            endpoint=storage.s3.endpoint,
            region=storage.s3.region,
            path_style_access=storage.s3.use_path_style,
        )
