"""How the storage of a warehouse is reached, as its row keeps it: JSON without any secret."""

from collections.abc import Collection
from typing import Literal, Self, cast

import msgspec

from app.config import S3Settings, StorageSettings


class CredentialsReference(msgspec.Struct, frozen=True, rename="kebab", omit_defaults=True):
    """Where the keys come from.

    ``default`` is what the process finds by itself (settings, environment, instance), ``secret`` the file ``name`` of
    the secrets folder, ``inline`` what is sealed beside the profile.
    """

    type: Literal["default", "secret", "inline"]
    name: str | None = None


Way = Literal["vended-credentials", "remote-signing", "static-keys"]
SHORTEST_SESSION, LONGEST_SESSION = 900, 43_200
"""Seconds; what the security token service of AWS takes."""


class StsProfile(msgspec.Struct, frozen=True, rename="kebab"):
    """How temporary keys are asked for; an empty ``endpoint`` is the store's own, or that of AWS."""

    role_arn: str = ""
    external_id: str = ""
    session_duration_seconds: int = 3600
    endpoint: str = ""


class StorageProfile(msgspec.Struct, frozen=True, rename="kebab"):
    """The warehouse's files lie below ``root_location`` and ``allowed_locations``; ``endpoint`` is empty for AWS.

    ``delegation`` names the ways to the files that clients are offered; none of them unless it is said.
    """

    type: Literal["local", "s3"]
    root_location: str
    allowed_locations: tuple[str, ...] = ()
    endpoint: str = ""
    region: str = ""
    path_style_access: bool = False
    credentials: CredentialsReference = CredentialsReference("default")
    delegation: tuple[Way, ...] = ()
    sts: StsProfile | None = None

    def way_for(self, asked: Collection[str]) -> Way | None:
        """Return how a client that names the mechanisms ``asked`` is let at the files; None gives it nothing secret."""
        ways: tuple[tuple[Way, str], ...] = (
            ("vended-credentials", "vended-credentials"),
            ("remote-signing", "remote-signing"),
            # Clients have no other name for keys that they are given.
            ("static-keys", "vended-credentials"),
        )
        return next((way for way, name in ways if way in self.delegation and name in asked), None)

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
            delegation=cast(tuple[Way, ...], storage.s3.ways),
            sts=_sts(storage.s3),
        )


def _sts(s3: S3Settings) -> StsProfile | None:
    signs_with_sessions = "remote-signing" in s3.ways and bool(s3.role_arn or s3.sts_endpoint)
    if "vended-credentials" not in s3.ways and not signs_with_sessions:
        return None
    return StsProfile(s3.role_arn, s3.external_id, int(s3.session_duration), s3.sts_endpoint)
