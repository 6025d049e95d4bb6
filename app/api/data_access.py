"""Answers about a table that also let the client at its files, as far as the one who asks may."""

import time

from app.api.answers import Response, metadata_answer
from app.api.authorization import allowed, allowed_to_owner
from app.api.context import catalog, visitor, warehouse
from app.api.delegation import requested_delegation
from app.api.etags import known_etag, known_unexpired, table_etag
from app.auth.privileges import Privilege, Privileges
from app.catalog.delegation import Delegation, delegate, delegate_created, least_expiry, location_of
from app.catalog.tables import LoadedTable
from app.catalog.warehouse_profiles import profile_of
from app.identifiers import TableIdentifier
from app.storage.policy import Access


def data_access(table: TableIdentifier) -> Access | None:
    """Return how far the one who asks may be let at the files of a table; None is not at all."""
    return _access(allowed(table, Privilege.VEND, Privilege.READ_DATA, Privilege.WRITE_DATA))


def owners_access() -> Access | None:
    """The same for a table that the request makes."""
    return _access(allowed_to_owner())


def _access(privileges: Privileges) -> Access | None:
    if Privilege.VEND not in privileges:
        return None
    if Privilege.WRITE_DATA in privileges:
        return "read-write"
    return "read" if Privilege.READ_DATA in privileges else None


def known_table(table: TableIdentifier, metadata_location: str, snapshots: str) -> str | None:
    """Return the tag of If-None-Match that still holds: the table is the same, and so is how the client came to it.

    Who has credentials that are past half of their life has to get new ones.
    """
    way = profile_of(catalog(), warehouse()).way_for(requested_delegation())
    access = data_access(table) if way else None
    if way is None or access is None:
        return known_etag(_etag(metadata_location, snapshots))
    warehouse().reads.refuse()
    etag = _etag(metadata_location, snapshots, Delegation(way), access)
    if way == "vended-credentials":
        return known_unexpired(etag, least_expiry(catalog(), warehouse(), time.time()))
    return known_etag(etag)


def loaded_answer(table: TableIdentifier, loaded: LoadedTable, snapshots: str) -> Response:
    """Answer with a table that is there."""
    access = data_access(table) if requested_delegation() else None
    given = delegate(catalog(), visitor(), warehouse(), table, lambda: location_of(loaded.document), access)
    if given.way is not None:
        warehouse().reads.refuse()
    etag = _etag(loaded.metadata_location, snapshots, given, access)
    return metadata_answer(*loaded, config=True, delegation=given, etag=etag)


def made_answer(table: TableIdentifier, made: LoadedTable, access: Access | None) -> Response:
    """Answer with a table that the request has made.

    :param access: how far the one who asks may be let at its files
    """
    given = delegate_created(
        catalog(), visitor(), warehouse(), table, lambda: location_of(made.document), access
    )
    etag = _etag(made.metadata_location, "all", given, access)
    return metadata_answer(*made, config=True, delegation=given, etag=etag)


def staged_answer(table: TableIdentifier, document: str) -> Response:
    """Answer with a table that the client is about to make; there is nothing yet that a tag could name."""
    access = owners_access() if requested_delegation() else None
    given = delegate(
        catalog(), visitor(), warehouse(), table, lambda: location_of(document), access, is_staged=True
    )
    return metadata_answer(None, document, config=True, delegation=given)


def committed_answer(committed: LoadedTable) -> Response:
    return metadata_answer(*committed, config=False, etag=_etag(committed.metadata_location, "all"))


def _etag(
    metadata_location: str, snapshots: str, given: Delegation | None = None, access: Access | None = None
) -> str:
    about = (metadata_location, snapshots, warehouse().version)
    if given is None or given.way is None:
        return table_etag(*about)
    origin = visitor().origin
    return table_etag(
        *about, given.way, origin.principal_id, origin.principal, access, expires_at=given.expires_at
    )
