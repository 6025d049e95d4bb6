"""S3 requests signed on behalf of clients that hold no keys."""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar
from urllib.parse import quote

from app.catalog.context import Catalog, Warehouse
from app.catalog.kinds import TABLE
from app.catalog.locations import refuse_obstacle, slug
from app.catalog.tables import load_table_location
from app.catalog.warehouse_profiles import profile_of
from app.errors import (
    BadRequestException,
    IllegalArgumentException,
    InternalServerError,
    NoSuchTableException,
)
from app.identifiers import NAMESPACE_SEPARATOR, Namespace, TableIdentifier
from app.storage.locations import Location, normalise
from app.storage.policy import Access
from app.storage.profiles import StorageProfile
from app.storage.registry import Storages
from app.storage.s3_addresses import Store, is_aws, refusal
from app.storage.signing import Asked, approve, object_of
from app.storage.vending import NotVendable, Vended, Wanted, session_name

T = TypeVar("T")

PROVIDER = "s3"
LARGE = 16_384
"""Characters of a body that are read in about a millisecond; more would hold up the event loop."""
WAY = "remote-signing"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Signed(NamedTuple):
    """The request to send: its URI, and headers beside those that the client has. ``reads`` tells what it does."""

    uri: str
    headers: dict[str, list[str]]
    reads: bool


def client_properties(warehouse: Warehouse, table: TableIdentifier, *, is_staged: bool) -> dict[str, str]:
    """Return what makes clients let the catalog sign.

    Addresses are left relative to the one that the client has of the catalog. Newer Java clients read the first only,
    the others are for Java up to 1.11 and PyIceberg. Its tables share one client of the store, and with it the address
    that was told last: so this one has to be good for all tables, which it cannot be for a staged one.
    """
    prefix, namespace, name = (
        quote(text, safe="")
        for text in (warehouse.prefix, NAMESPACE_SEPARATOR.join(table.namespace), table.name)
    )
    of_table = f"v1/{prefix}/namespaces/{namespace}/tables/{name}/sign"
    return {
        "s3.remote-signing-enabled": "true",
        "s3.signer": "S3V4RestSigner",
        "s3.signer.endpoint": of_table if is_staged else f"v1/{prefix}/aws/s3/sign",
        "signer.endpoint": of_table,
    }


def sign(
    catalog: Catalog, warehouse: Warehouse, table: TableIdentifier, provider: str, asked: Asked
) -> Signed:
    """Sign a request that reaches nothing but the files of a table, or of one that is about to be created.

    :raises NoSuchTableException: when it, or its namespace, does not exist
    :raises BadRequestException: when the warehouse offers no signing
    :raises ForbiddenException: when the request must not be signed
    """
    location = load_table_location(catalog, warehouse, table)
    store = _store(catalog, warehouse, f"table {table}", provider)
    return _sign(catalog, warehouse, store, normalise(location), asked)


def sign_staged(
    catalog: Catalog, warehouse: Warehouse, table: TableIdentifier, provider: str, asked: Asked
) -> Signed:
    """Sign a request for a table that is staged: written before it is there.

    Nothing is kept of staged creations. What shows that the client has staged one is the UUID in the location that the
    answer told: nobody can guess it or list it.

    :raises NoSuchTableException: when the request is not about such a place, or the warehouse offers no signing
    :raises ForbiddenException: when the request must not be signed
    """
    row = catalog.db.fetch_one("load_namespace", warehouse_id=warehouse.id, levels=list(table.namespace))
    profile = profile_of(catalog, warehouse)
    if row is None or provider != PROVIDER or not _offers(profile):
        raise TABLE.does_not_exist(table)
    warehouse.names.confirm_if_asked("namespace", table.namespace, row.id)
    store = _store_of(profile)
    place = _read(catalog, asked, lambda: object_of(asked, store))
    location = _staged_location(normalise(row.location), slug(table.name), place)
    if location is None or _is_taken(catalog, warehouse, location):
        raise TABLE.does_not_exist(table)
    return _sign(catalog, warehouse, store, location, asked)


def sign_by_object(
    catalog: Catalog,
    warehouse: Warehouse,
    provider: str,
    asked: Asked,
    check: Callable[[TableIdentifier], None],
) -> Signed:
    """Sign a request for the table whose location has the object that the request names.

    :param check: raises when the caller may not do that with the table
    :raises BadRequestException: when the warehouse offers no signing
    :raises ForbiddenException: when there is no such table or the request must not be signed
    """
    store = _store(catalog, warehouse, f"warehouse {warehouse.name}", provider)
    place = _read(catalog, asked, lambda: object_of(asked, store))
    row = catalog.db.fetch_one(
        "find_table_around", warehouse_id=warehouse.id, keys=[place.key, *_ancestors(place)]
    )
    nothing = refusal("uri", "it is in the location of no table")
    if row is None:
        raise nothing
    table = TableIdentifier(Namespace(row.levels), row.name)
    try:
        check(table)
    except NoSuchTableException:
        raise nothing from None
    warehouse.names.confirm(TABLE.name, table, row.id)
    return _sign(catalog, warehouse, store, normalise(row.location), asked)


def _sign(catalog: Catalog, warehouse: Warehouse, store: Store, location: Location, asked: Asked) -> Signed:
    approved = _read(catalog, asked, lambda: approve(asked, store, location))
    storages = catalog.storages.of(warehouse)
    file_system, reads = storages.for_location(location.key), not approved.operation.writes
    access: Access = "read" if reads else "read-write"
    keys = _session(storages, location, access) if profile_of(catalog, warehouse).sts else None
    headers = {name: [value] for name, value in file_system.sign(approved, keys).items()}
    return Signed(approved.uri, headers, reads)


def _read(catalog: Catalog, asked: Asked, call: Callable[[], T]) -> T:
    """Call what reads a request, in a thread when its body is large."""
    is_large = asked.body is not None and len(asked.body) > LARGE
    return catalog.cpu.run(call) if is_large else call()


def _session(storages: Storages, location: Location, access: Access) -> Vended:
    """Return temporary keys that reach no further than the location: whatever is made of a signature cannot either.

    Nobody gets them, so they are those of the service and no issued credentials.
    """
    if storages.vended is None:
        raise InternalServerError("The storage has no temporary keys to sign with")
    wanted = Wanted(location, access, "", session_name("bingsan", "sign"))
    try:
        return storages.vended.get(wanted, lambda _: None)
    except NotVendable as error:
        raise refusal("uri", f"there are no keys to sign with that end at the location: {error}") from None


def _store(catalog: Catalog, warehouse: Warehouse, whose: str, provider: str) -> Store:
    profile = profile_of(catalog, warehouse)
    if provider != PROVIDER or not _offers(profile):
        raise BadRequestException(
            f"Cannot sign a request to {provider[:40]} for {whose}: its storage ({profile.type}) has no remote signing"
        )
    return _store_of(profile)


def _store_of(profile: StorageProfile) -> Store:
    is_bounded = profile.sts is not None or is_aws(profile.endpoint)
    return Store(profile.endpoint, profile.region, profile.path_style_access, is_bounded)


def _offers(profile: StorageProfile) -> bool:
    return profile.type == "s3" and WAY in profile.delegation


def _staged_location(parent: Location, name: str, place: Location) -> Location | None:
    """Return the default location of a new table if ``place`` is in one."""
    beginning = f"{parent.path}/{name}-".removeprefix("/")
    uuid = place.path[len(beginning) :].partition("/")[0]
    if place.bucket != parent.bucket or not place.path.startswith(beginning) or not _UUID.fullmatch(uuid):
        return None
    return parent._replace(path=f"{beginning}{uuid}")


def _is_taken(catalog: Catalog, warehouse: Warehouse, location: Location) -> bool:
    """Whether it is the place of a table that is there, perhaps renamed, or dropped and held."""
    try:
        refuse_obstacle(catalog.db, warehouse, location.key)
    except IllegalArgumentException:
        return True
    return False


def _ancestors(place: Location) -> list[str]:
    parts = place.path.split("/")
    return [place._replace(path="/".join(parts[:depth])).key for depth in range(len(parts))]
