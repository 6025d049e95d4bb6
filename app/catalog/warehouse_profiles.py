"""Storage profiles as people ask for them, checked strictly."""

import os
import re
from dataclasses import dataclass
from typing import Literal

from app.catalog.context import Catalog, Warehouse
from app.catalog.warehouse_delegation import FIELD, check_delegation, check_endpoint
from app.catalog.warehouse_requests import RequestedCredentials, RequestedProfile
from app.errors import BadRequestException, IllegalArgumentException
from app.storage.credentials import Keys
from app.storage.locations import Location, normalise
from app.storage.profiles import CredentialsReference, StorageProfile

# Locations of tables are limited as well and need room below it.
MOST_BYTES = 1024
DEFAULT_REGION = "us-east-1"
_REGION = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,62}")


@dataclass(frozen=True, slots=True)
class CheckedProfile:
    """``keys`` are what the profile leads to, None where botocore finds them."""

    profile: StorageProfile
    keys: Keys | None


def profile_of(catalog: Catalog, warehouse: Warehouse) -> StorageProfile:
    """Return how the warehouse's storage is reached; for the default warehouse the settings say so."""
    if warehouse.profile is not None:
        return warehouse.profile
    return StorageProfile.from_settings(catalog.settings.storage, warehouse.root_location)


def client_properties(catalog: Catalog, warehouse: Warehouse | None) -> dict[str, str]:
    """Return how clients reach the storage of a warehouse, without one that of the default warehouse."""
    if warehouse is not None:
        return profile_of(catalog, warehouse).client_properties()
    storage = catalog.settings.storage
    return StorageProfile.from_settings(storage, storage.warehouse).client_properties()


def check_profile(catalog: Catalog, asked: RequestedProfile, before: Warehouse | None) -> CheckedProfile:
    """Check every member and find the keys.

    :param before: the warehouse that is changed; without credentials in ``asked`` it keeps its own
    :raises BadRequestException: when a member is malformed
    :raises IllegalArgumentException: when a member names what must not be used
    """
    if asked.type == "local":
        return CheckedProfile(_local_profile(catalog, asked), None)
    if asked.type == "s3":
        return _s3_profile(catalog, asked, before)
    raise BadRequestException(f"Invalid {FIELD}.type {asked.type[:40]!r}: expected 'local' or 's3'")


def _local_profile(catalog: Catalog, asked: RequestedProfile) -> StorageProfile:
    useless = {
        "endpoint": asked.endpoint,
        "region": asked.region,
        "path-style-access": asked.path_style_access,
        "credentials": asked.credentials is not None and asked.credentials.type != "default",
        "delegation": asked.delegation,
        "sts": asked.sts,
    }
    for member, value in useless.items():
        if value:
            raise BadRequestException(f"Invalid {FIELD}.{member}: local files have none")
    root, allowed = _locations(asked, "file")
    for member, place in (("root-location", root), *(("allowed-locations", place) for place in allowed)):
        _check_local(catalog, member, place)
    return StorageProfile("local", root.key, tuple(place.key for place in allowed))


def _check_local(catalog: Catalog, member: str, place: Location) -> None:
    roots = catalog.settings.storage.local.allowed_roots
    around = [root for root in roots if normalise(root).contains(place)]
    if not around:
        raise IllegalArgumentException(
            f"Invalid {FIELD}.{member} {place.key!r}: it is under none of storage.local.allowed_roots"
        )
    path = f"/{place.path}"
    # A link could lead into another warehouse, or out of all roots.
    if not any(os.path.realpath(path) == _inside(root, path) for root in around):
        raise IllegalArgumentException(
            f"Invalid {FIELD}.{member} {place.key!r}: it leads through a symbolic link"
        )


def _inside(root: str, path: str) -> str:
    """Return ``path`` with the links on the way to ``root`` followed, but none below it."""
    return os.path.normpath(os.path.join(os.path.realpath(root), os.path.relpath(path, root)))  # noqa: PTH118


def _s3_profile(catalog: Catalog, asked: RequestedProfile, before: Warehouse | None) -> CheckedProfile:
    root, allowed = _locations(asked, "s3")
    region = asked.region or DEFAULT_REGION
    if not _REGION.fullmatch(region):
        raise BadRequestException(f"Invalid {FIELD}.region {region[:80]!r}: expected letters, digits and '-'")
    endpoint = (asked.endpoint or "").rstrip("/")
    if endpoint:
        check_endpoint(catalog, "endpoint", endpoint)
    path_style = bool(endpoint) if asked.path_style_access is None else asked.path_style_access
    kept = _kept_reference(asked.credentials, before)
    reference, given = (kept, None) if kept is not None else _reference(asked.credentials)
    ways, sts = check_delegation(catalog, asked, endpoint, reference)
    profile = StorageProfile(
        "s3",
        root.key,
        tuple(place.key for place in allowed),
        endpoint,
        region,
        path_style,
        reference,
        ways,
        sts,
    )
    if given is not None:
        return CheckedProfile(profile, given)
    owner, sealed = (before.prefix, before.sealed_secret) if before else ("", None)
    return CheckedProfile(profile, catalog.storages.vault.keys(owner, profile, sealed))


def _kept_reference(
    asked: RequestedCredentials | None, before: Warehouse | None
) -> CredentialsReference | None:
    """Return what the warehouse has already, if it shall stay: keys that are shown nowhere cannot be given again."""
    if before is None or before.profile is None or before.profile.type != "s3":
        return None
    known = before.profile.credentials
    again = asked == RequestedCredentials(type="inline") and known.type == "inline"
    return known if asked is None or again else None


def _reference(asked: RequestedCredentials | None) -> tuple[CredentialsReference, Keys | None]:
    if asked is None:
        return CredentialsReference("default"), None
    members: dict[str, tuple[str, ...]] = {
        "default": (),
        "secret": ("name",),
        "inline": ("access-key-id", "secret-access-key"),
    }
    if asked.type not in members:
        raise BadRequestException(
            f"Invalid {FIELD}.credentials.type {asked.type[:40]!r}: expected 'default', 'secret' or 'inline'"
        )
    given = {
        "name": asked.name,
        "access-key-id": asked.access_key_id,
        "secret-access-key": asked.secret_access_key,
    }
    for member, value in given.items():
        if (member in members[asked.type]) != bool(value):
            rule = "is missing" if not value else f"does not go with the type {asked.type}"
            raise BadRequestException(f"Invalid {FIELD}.credentials.{member}: it {rule}")
    kind: Literal["default", "secret", "inline"] = asked.type  # type: ignore[assignment]
    keys = None
    if kind == "inline":
        keys = Keys(asked.access_key_id or "", asked.secret_access_key or "")
    return CredentialsReference(kind, asked.name), keys


def _locations(asked: RequestedProfile, family: str) -> tuple[Location, list[Location]]:
    root = _location("root-location", asked.root_location, family)
    allowed = [
        _location(f"allowed-locations[{i}]", location, family)
        for i, location in enumerate(asked.allowed_locations)
    ]
    return root, list(dict.fromkeys(allowed))


def _location(member: str, location: str, family: str) -> Location:
    try:
        place = normalise(location)
    except BadRequestException as error:
        raise BadRequestException(f"Invalid {FIELD}.{member}: {error.message}") from error
    if len(place.key.encode()) > MOST_BYTES:
        raise BadRequestException(f"Invalid {FIELD}.{member}: it is longer than {MOST_BYTES} bytes")
    if place.family != family:
        expected = "file:///folder" if family == "file" else "s3://bucket/folder"
        raise BadRequestException(f"Invalid {FIELD}.{member} {location[:200]!r}: expected {expected}")
    return place
