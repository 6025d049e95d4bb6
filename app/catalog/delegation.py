"""What a client is told about reaching a table's files: credentials to take along, or how to have requests signed.

Only the table's own location is reached. What ``write.data.path`` and its like name outside of it is not: nobody has
shown that no other table's files lie there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from app.catalog import signing
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.locations import Holder
from app.catalog.vended_places import keep_place
from app.catalog.warehouse_profiles import profile_of
from app.changes.audit import AuditEvent, AuditObject, record_issued
from app.errors import ServiceError
from app.identifiers import NAMESPACE_SEPARATOR, TableIdentifier
from app.observability.logs import get_logger
from app.storage.locations import normalise
from app.storage.policy import Access
from app.storage.profiles import StorageProfile, Way
from app.storage.vending import NotVendable, Vended, VendedCredentials, Wanted, session_name

log = get_logger(__name__)


class StorageCredential(NamedTuple):
    """``config`` holds client properties that are good for all locations that begin with ``prefix``."""

    prefix: str
    config: dict[str, str]


@dataclass(frozen=True, slots=True)
class Delegation:
    """``config`` are client properties of the table; ``expires_at`` is when its secrets end, in seconds since the
    epoch, None for never."""

    way: Way | None = None
    config: dict[str, str] = field(default_factory=dict, repr=False)
    credentials: tuple[StorageCredential, ...] = field(default=(), repr=False)
    expires_at: float | None = None


NOTHING = Delegation()


class _Placed(msgspec.Struct):
    location: str


def location_of(document: str) -> str:
    """Return the location that a metadata document names."""
    return msgspec.json.decode(document, type=_Placed).location


def delegate(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    table: TableIdentifier,
    locate: Callable[[], str],
    access: Access | None,
    *,
    is_staged: bool = False,
) -> Delegation:
    """Let a client at the files below a table's location, in one of the ways that it asks for and the warehouse offers.

    :param locate: returns the location, called when it is needed
    :param access: what the client may do with the table's data, None for nothing
    :param is_staged: whether the table is not there yet
    :raises ServiceError: when credentials are the only way and their service refuses or does not answer
    """
    if access is None or not caller.delegation:
        return NOTHING
    profile, storages = profile_of(catalog, warehouse), catalog.storages.of(warehouse)
    way = profile.way_for(caller.delegation)
    if way == "remote-signing":
        return Delegation(
            way,
            {
                **profile.client_properties(),
                **signing.client_properties(warehouse, table, is_staged=is_staged),
            },
        )
    if way is None or storages.vended is None:
        return NOTHING
    location = locate()
    try:
        vended = _vend(catalog, caller, warehouse, table, location, access, storages.vended)
    except NotVendable as reason:
        log.info("no credentials are vended for a table", location=location, reason=str(reason))
        return NOTHING
    renewal = None if is_staged else credentials_path(warehouse, table)
    return _credentials(profile, location, vended, way, renewal)


def delegate_created(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    table: TableIdentifier,
    locate: Callable[[], str],
    access: Access | None,
) -> Delegation:
    """The same for a table that was just made: for want of credentials that is not undone, nor called a failure."""
    try:
        return delegate(catalog, caller, warehouse, table, locate, access)
    except ServiceError as error:
        log.warning("a new table is answered without credentials", table=str(table), reason=error.message)
        return NOTHING


def least_expiry(catalog: Catalog, warehouse: Warehouse, now: float) -> float:
    """Return until when credentials that a client holds must be good for it to keep them: half of their life."""
    sts = profile_of(catalog, warehouse).sts
    return now + (sts.session_duration_seconds / 2 if sts is not None else 0.0)


def _vend(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    table: TableIdentifier,
    location: str,
    access: Access,
    credentials: VendedCredentials,
) -> Vended:
    allowed = catalog.storages.of(warehouse).allowed
    if not allowed.allows(location) or normalise(location).family != "s3":
        raise NotVendable("It is no place in S3 where the warehouse may have files")
    place = normalise(location)
    origin = caller.origin
    session = session_name(origin.principal, str(table))
    wanted = Wanted(place, access, caller.identity, session)

    def record(vended: Vended) -> None:
        if vended.expires_at is not None:
            keep_place(catalog, warehouse, place, Holder(caller.identity, table), vended.expires_at)
        event = AuditEvent(
            action="credentials.issued",
            outcome="success",
            status=200,
            level="write",
            origin=origin,
            on=AuditObject(
                "table", _id(catalog, warehouse, table), warehouse.id, table.namespace, table.name
            ),
            privilege="vend",
            details={
                "location": place.key,
                "access": access,
                "session": session,
                "key": vended.key_id,
                "expires-at-ms": None if vended.expires_at is None else int(vended.expires_at * 1000),
            },
        )
        record_issued(catalog.db, catalog.settings.audit, event)

    return credentials.get(wanted, record)


def _credentials(
    profile: StorageProfile, location: str, vended: Vended, way: Way, renewal: str | None
) -> Delegation:
    config = {**profile.client_properties(), **vended.secrets}
    if vended.expires_at is not None and renewal is not None:
        config["client.refresh-credentials-endpoint"] = renewal
        config["client.refresh-credentials-enabled"] = "true"
    # Older clients only look into config, newer ones take the longest prefix that fits.
    return Delegation(way, config, (StorageCredential(location.rstrip("/"), config),), vended.expires_at)


def _id(catalog: Catalog, warehouse: Warehouse, table: TableIdentifier) -> int | None:
    """The table's id; one that is staged has none."""
    row = catalog.db.fetch_one(
        "table_exists", warehouse_id=warehouse.id, levels=list(table.namespace), name=table.name
    )
    return None if row is None else int(row.id)


def credentials_path(warehouse: Warehouse, table: TableIdentifier) -> str:
    """Return where a table's credentials are renewed, relative to the catalog's address."""
    namespace = quote(NAMESPACE_SEPARATOR.join(table.namespace), safe="")
    prefix, name = quote(warehouse.prefix, safe=""), quote(table.name, safe="")
    return f"v1/{prefix}/namespaces/{namespace}/tables/{name}/credentials"
