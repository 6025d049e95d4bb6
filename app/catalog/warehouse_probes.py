"""Whether temporary keys of a warehouse can be had, and reach what they should and nothing else."""

from contextlib import closing
from uuid import uuid4

from app.catalog.context import Catalog
from app.catalog.warehouse_delegation import FIELD
from app.catalog.warehouse_places import PROBE
from app.errors import (
    IllegalArgumentException,
    InternalServerError,
    ServiceError,
    ServiceUnavailableException,
)
from app.storage.credentials import Keys
from app.storage.locations import normalise
from app.storage.profiles import StorageProfile
from app.storage.registry import Storages
from app.storage.vending import NotVendable, Vended, VendedCredentials, Wanted


def probe_vending(catalog: Catalog, profile: StorageProfile, storages: Storages) -> None:
    """Get temporary keys for a folder below the root, write a file there, and fail to write one beside it.

    There are stores that issue keys and do not look at their policy.

    :raises IllegalArgumentException: when one of it is not so
    :raises ServiceUnavailableException: when it may be later
    """
    if profile.sts is None or storages.vended is None:
        return
    folder = f"{normalise(profile.root_location).key}/.catalog-probe-{uuid4()}"
    inside, beside = f"{folder}/x", f"{folder}-x"
    keys = _keys(storages.vended, folder)
    with closing(_as_client(catalog, profile, keys)) as client:
        try:
            _write(client, inside)
            _fail_to_write(client, beside)
        finally:
            storages.for_location(inside).delete([inside, beside])


def _keys(vended: VendedCredentials, folder: str) -> Vended:
    wanted = Wanted(normalise(folder), "read-write", "", "catalog@probe")
    try:
        return vended.get(wanted, lambda _: None)
    except NotVendable as error:
        raise IllegalArgumentException(f"Invalid {FIELD}.root-location: {error}") from error
    except ServiceUnavailableException as error:
        raise ServiceUnavailableException(f"Invalid {FIELD}.sts: {error.message}") from error
    except ServiceError as error:
        raise IllegalArgumentException(f"Invalid {FIELD}.sts: {error.message}") from error


def _as_client(catalog: Catalog, profile: StorageProfile, vended: Vended) -> Storages:
    secrets = vended.secrets
    keys = Keys(secrets["s3.access-key-id"], secrets["s3.secret-access-key"])
    return catalog.storages.connect(profile, keys, secrets["s3.session-token"])


def _write(client: Storages, location: str) -> None:
    try:
        client.for_location(location).write_new(location, PROBE)
    except InternalServerError as error:
        raise IllegalArgumentException(
            f"Invalid {FIELD}.sts: with temporary keys nothing can be written: {error.message}"
        ) from error


def _fail_to_write(client: Storages, location: str) -> None:
    try:
        client.for_location(location).write_new(location, PROBE)
    except InternalServerError:
        return
    raise IllegalArgumentException(
        f"Invalid {FIELD}.sts: the store does not keep temporary keys to their policy, they reach other files as well"
    )
