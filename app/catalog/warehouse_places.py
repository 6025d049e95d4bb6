"""Where warehouses lie: apart from one another, and where files can be written, read and deleted."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from app.catalog.context import Catalog, Warehouse
from app.db import Database, Transaction
from app.errors import (
    AlreadyExistsException,
    IllegalArgumentException,
    ServiceError,
    ServiceUnavailableException,
)
from app.storage.locations import AllowedLocations
from app.storage.profiles import StorageProfile
from app.storage.registry import Storages

PROBE = b"Written by an Iceberg catalog to see whether it can; safe to delete.\n"


def places_of(catalog: Catalog, warehouse: Warehouse) -> AllowedLocations:
    """Return the places where the warehouse's files may lie, its root first."""
    if warehouse.profile is None:
        default = [prefix.key for prefix in catalog.storages.default.allowed.prefixes]
        return AllowedLocations([warehouse.root_location, *default])
    return AllowedLocations([warehouse.root_location, *warehouse.profile.allowed_locations])


def refuse_overlap(
    catalog: Catalog, source: Database | Transaction, warehouse_id: int, profile: StorageProfile
) -> None:
    """
    :raises AlreadyExistsException: when another warehouse may put files below the root, or this one below its
    """
    own = AllowedLocations([profile.root_location, *profile.allowed_locations])
    for row in source.fetch_all("list_warehouses", after="", limit=None):
        if row.id == warehouse_id:
            continue
        other = places_of(catalog, Warehouse.from_row(row))
        if _meet(own, other):
            raise AlreadyExistsException(
                f"Invalid storage-profile: its root {profile.root_location} or allowed locations and those of"
                f" warehouse {row.name} contain one another"
            )


def _meet(one: AllowedLocations, other: AllowedLocations) -> bool:
    """Whether the root, which comes first, of either contains or lies in a place of the other."""
    pairs = [(one.prefixes[0], place) for place in other.prefixes]
    pairs += [(other.prefixes[0], place) for place in one.prefixes]
    return any(left.contains(right) or right.contains(left) for left, right in pairs)


def probe(storages: Storages, root_location: str) -> None:
    """Write, read and delete a file below the root.

    :raises IllegalArgumentException: naming the step that failed
    :raises ServiceUnavailableException: the same, when it may work later
    """
    location = f"{root_location.rstrip('/')}/.catalog-probe-{uuid4()}"
    storage = storages.for_location(location)
    with _step("write"):
        storage.write_new(location, PROBE)
    try:
        with _step("read"):
            if storage.read(location, len(PROBE)) != PROBE:
                raise IllegalArgumentException(f"{location} does not hold what was written to it")
    except ServiceError:
        with suppress(ServiceError):
            storage.delete([location])
        raise
    with _step("delete"):
        for reason in storage.delete([location]).values():
            raise IllegalArgumentException(reason)
        if storage.exists(location):
            raise IllegalArgumentException(f"{location} is still there")


@contextmanager
def _step(name: str) -> Iterator[None]:
    try:
        yield
    except ServiceUnavailableException as error:
        raise ServiceUnavailableException(_failed(name, error), headers=error.headers) from error
    except ServiceError as error:
        raise IllegalArgumentException(_failed(name, error)) from error


def _failed(step: str, error: ServiceError) -> str:
    return f"The storage of the warehouse cannot be used, {step} failed: {error.message}"
