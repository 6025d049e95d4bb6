"""Several namespaces of several clients in one transaction: requests that wait at once share its cost."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from app.catalog.context import Catalog, Warehouse
from app.catalog.limits import check_properties
from app.catalog.locations import child_location
from app.catalog.namespace_properties import LOCATION, encode_properties
from app.catalog.namespaces import LoadedNamespace
from app.changes.origin import Origin
from app.identifiers import Namespace, check_name
from app.observability.failpoints import failpoint

LOCK_WAIT_MS: Final = 50
"""How long all of them wait because of one; then each is better off alone."""


class Creation(NamedTuple):
    """A namespace without a parent, in a place of the warehouse's choice, and who wants it."""

    name: str
    properties: Mapping[str, str]
    origin: Origin


def check_creation(catalog: Catalog, creation: Creation) -> None:
    """
    :raises BadRequestException: when the name or a property is not allowed, or a location is among them
    """
    limits = catalog.settings.limits
    check_name(creation.name, "namespace[0]", limits.max_identifier_length)
    check_properties(creation.properties, limits)


def create_namespaces(
    catalog: Catalog, warehouse: Warehouse, creations: Sequence[Creation], version: int | None
) -> list[LoadedNamespace | None]:
    """Create all that do not exist yet, and return them in the order asked for, with None for those that do exist.

    If the warehouse has got another root meanwhile, or somebody's rights have changed, there are none. Names must
    differ; creations must have been checked. Nothing was done if this raises anything but the last one.

    :param version: the ``security_version`` at which it was decided that all may be created; None where anybody may
    :raises LockNotAvailable: when somebody is just creating or dropping one of them, or changing the warehouse
    :raises DatabaseUnavailable: when the database is
    :raises TransactionOutcomeUnknown: when nobody knows whether they were created
    """
    wanted = [_wanted(warehouse, creation) for creation in creations]
    columns = _columns(wanted, creations)
    failpoint("mutation.begin")
    with catalog.db.transaction() as tx:
        tx.queue("limit_lock_wait", milliseconds=str(LOCK_WAIT_MS))
        rows = tx.fetch_all(
            "create_namespaces",
            commit_id=tx.commit_id,
            warehouse_id=warehouse.id,
            root_location=warehouse.root_location,
            security_version=version,
            **columns,
        )
        failpoint("mutation.end")
    ids = {row.name: row.id for row in rows}
    return [item._replace(id=ids[item.levels[0]]) if item.levels[0] in ids else None for item in wanted]


def _wanted(warehouse: Warehouse, creation: Creation) -> LoadedNamespace:
    location = child_location(warehouse.root_location, creation.name)
    return LoadedNamespace(0, Namespace([creation.name]), {**creation.properties, LOCATION: location})


def _columns(wanted: Sequence[LoadedNamespace], creations: Sequence[Creation]) -> dict[str, list[Any]]:
    origins = [creation.origin for creation in creations]
    return {
        "names": [creation.name for creation in creations],
        "locations": [item.location for item in wanted],
        "properties": [encode_properties(creation.properties) for creation in creations],
        "details": [msgspec.json.encode(item.details()).decode() for item in wanted],
        "principals": [origin.principal for origin in origins],
        "principal_ids": [origin.principal_id for origin in origins],
        "principal_kinds": [origin.principal_kind for origin in origins],
        "credentials": [origin.credential for origin in origins],
        "addresses": [origin.address for origin in origins],
        "user_agents": [origin.user_agent for origin in origins],
        "request_ids": [origin.request_id for origin in origins],
    }
