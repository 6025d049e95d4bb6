"""Grants: privileges on objects, given to principals and roles. They stay with their object when it is renamed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.auth.authority import load_authority
from app.auth.freshness import bump_security_version
from app.auth.objects import ObjectName
from app.auth.privileges import Privilege
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import keep_result, mutation, once
from app.catalog.kinds import KINDS
from app.catalog.namespaces import no_such_namespace
from app.catalog.roles import Grantee, find_grantee, somebody_left
from app.catalog.times import epoch_ms
from app.changes.log import Change, record_change
from app.db import Database, Row, Transaction
from app.identifiers import Namespace
from app.jobs import Job
from app.metadata.shapes import JsonObject

KEEP_GRANTS = "keep-grants"
PERIOD = 600.0


class ObjectIds(NamedTuple):
    """The id of an object, 0 for the server, and that of its warehouse."""

    object_id: int
    warehouse_id: int | None


class GrantFilter(NamedTuple):
    """On one object, or to a principal and roles."""

    object_kind: str | None = None
    object_id: int | None = None
    principal_id: int | None = None
    role_ids: tuple[int, ...] = ()


def _revive(_catalog: Catalog, _warehouse: Warehouse, result: JsonObject) -> list[str]:
    return list(result["privileges"])


@once(_revive)
def grant(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    privileges: Sequence[Privilege],
    target: ObjectName,
    grantee: Grantee,
) -> list[str]:
    """Give privileges on an object, and return those that the grantee did not have by a grant of its own.

    :param warehouse: that of the object; the default one for the server
    :raises NotFoundException: when there is nobody of this name
    :raises ServiceError: the 404 of a missing object
    """
    with mutation(catalog, caller, warehouse) as tx:
        ids, to = find_object(tx, warehouse, target), find_grantee(tx, grantee)
        rows = tx.fetch_all(
            "create_grants",
            object_kind=target.kind,
            privileges=list(privileges),
            granted_by=caller.principal,
            **ids._asdict(),
            **to._asdict(),
        )
        return _conclude(tx, caller, warehouse, "grant.created", rows, target, ids, grantee)


@once(_revive)
def revoke(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    privileges: Sequence[Privilege],
    target: ObjectName,
    grantee: Grantee,
) -> list[str]:
    """Take privileges on an object back, and return those that the grantee had by a grant of its own.

    :param warehouse: that of the object; the default one for the server
    :raises NotFoundException: when there is nobody of this name
    :raises ConflictException: when nobody would be left who administers the server
    :raises ServiceError: the 404 of a missing object
    """
    with mutation(catalog, caller, warehouse) as tx, somebody_left(tx):
        ids, to = find_object(tx, warehouse, target), find_grantee(tx, grantee)
        rows = tx.fetch_all(
            "delete_grants",
            object_kind=target.kind,
            object_id=ids.object_id,
            privileges=list(privileges),
            **to._asdict(),
        )
        return _conclude(tx, caller, warehouse, "grant.deleted", rows, target, ids, grantee)


def find_object(source: Database | Transaction, warehouse: Warehouse, target: ObjectName) -> ObjectIds:
    """Return the ids of an object, which is what the caller was authorized for.

    :param warehouse: that of the object
    :raises ServiceError: the 404 of a missing object
    """
    if target.kind == "server":
        return ObjectIds(0, None)
    if target.kind == "warehouse":
        return ObjectIds(warehouse.id, warehouse.id)
    place: dict[str, Any] = {"warehouse_id": warehouse.id, "levels": list(target.namespace)}
    if target.kind == "namespace":
        row = source.fetch_one("namespace_exists", **place)
        if row is None:
            raise no_such_namespace(target.namespace)
        warehouse.names.confirm("namespace", target.namespace, row.id)
    else:
        row = source.fetch_one("find_tabular", name=target.name, kind=target.kind, **place)
        if row is None:
            raise KINDS[target.kind].does_not_exist(target.identifier)
        warehouse.names.confirm(target.kind, target.identifier, row.id)
    return ObjectIds(row.id, warehouse.id)


def grants_on(catalog: Catalog, warehouse: Warehouse, target: ObjectName) -> GrantFilter:
    """Choose those on an object itself.

    :raises ServiceError: the 404 of a missing object
    """
    return GrantFilter(target.kind, find_object(catalog.db, warehouse, target).object_id)


def grants_to(catalog: Catalog, grantee: Grantee, *, effective: bool = False) -> GrantFilter:
    """Choose those to somebody.

    :param effective: also those to the roles of which it is a member, directly or by others
    :raises NotFoundException: when there is nobody of this name
    """
    ids = find_grantee(catalog.db, grantee)
    if ids.principal_id is None:
        assert ids.role_id is not None
        return GrantFilter(role_ids=(ids.role_id,))
    roles = load_authority(catalog.db, ids.principal_id).viewer.role_ids if effective else ()
    return GrantFilter(principal_id=ids.principal_id, role_ids=roles)


def list_grants(catalog: Catalog, wanted: GrantFilter, after: int, limit: int | None) -> Sequence[Row]:
    """Return grants in the order in which they were given, with ids above ``after``."""
    chosen = {**wanted._asdict(), "role_ids": list(wanted.role_ids)}
    return catalog.db.fetch_all("list_grants", after=after, limit=limit, **chosen)


def describe_grant(row: Row) -> dict[str, Any]:
    """Return all there is to say about a grant; ``object`` is an ObjectName."""
    kind = "role" if row.principal is None else "principal"
    return {
        "privilege": row.privilege,
        "object": ObjectName(row.kind, row.warehouse, Namespace(row.namespace or ()), row.name),
        "to": {kind: row.role or row.principal},
        "granted-by": row.granted_by,
        "granted-at-ms": epoch_ms(row.granted_at),
    }


def keep_grants(catalog: Catalog, _: Job) -> str:
    """Forget the grants on what is gone."""
    deleted = catalog.db.execute("delete_grants_of_gone")
    return f"{deleted} grants deleted"


def _conclude(
    tx: Transaction,
    caller: Caller,
    warehouse: Warehouse,
    action: str,
    rows: Sequence[Row],
    target: ObjectName,
    ids: ObjectIds,
    grantee: Grantee,
) -> list[str]:
    changed = sorted(row.privilege for row in rows)
    keep_result(tx, caller, warehouse, {"privileges": changed})
    if changed:
        change = Change(
            action=action,
            warehouse_id=ids.warehouse_id,
            object_id=ids.object_id,
            namespace=target.namespace,
            name=target.name,
            details={"privileges": changed, "object": target.address, "to": {grantee.kind: grantee.name}},
        )
        record_change(tx, change, caller.origin)
        bump_security_version(tx)
    return changed
