"""Warehouses as those see them who run the catalog: created, changed, listed and deleted."""

import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import msgspec

from app.auth.freshness import bump_security_version
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import keep_result, mutation, no_result, once
from app.catalog.kinds import is_protected
from app.catalog.times import epoch_ms
from app.catalog.warehouse_places import probe, refuse_overlap
from app.catalog.warehouse_probes import probe_vending
from app.catalog.warehouse_profiles import CheckedProfile, check_profile, profile_of
from app.catalog.warehouse_requests import NewWarehouse, WarehouseChanges
from app.catalog.warehouses import no_such_warehouse
from app.changes.log import Change, record_change
from app.db import ConstraintViolated, Row, Transaction
from app.errors import (
    AlreadyExistsException,
    BadRequestException,
    CommitFailedException,
    ConflictException,
    IllegalArgumentException,
)
from app.identifiers import Namespace, warehouse_name_problem
from app.metadata.shapes import JsonObject


def _revive(_catalog: Catalog, _warehouse: Warehouse, result: JsonObject) -> JsonObject:
    return result


def list_warehouses(
    catalog: Catalog, after: str | None, limit: int | None, seen: Collection[int] | None = None
) -> Sequence[Warehouse]:
    """Return all warehouses, active or not, by name in byte order, behind ``after``.

    :param seen: the ids of those that may be seen; None for all
    """
    page = {"after": after or "", "limit": limit}
    if seen is None:
        rows = catalog.db.fetch_all("list_warehouses", **page)
    else:
        rows = catalog.db.fetch_all("list_visible_warehouses", ids=list(seen), **page)
    return [Warehouse.from_row(row) for row in rows]


def describe(catalog: Catalog, warehouse: Warehouse) -> JsonObject:
    """Return all there is to say about a warehouse, as a JSON object; its secrets are not known here."""
    hold = warehouse.soft_delete_seconds
    return {
        "name": warehouse.name,
        "prefix": warehouse.prefix,
        "default": warehouse.is_default,
        "active": warehouse.is_active,
        "protected": warehouse.is_protected,
        "soft-delete": {"enabled": hold is not None, "hold-seconds": hold},
        "storage-profile": msgspec.to_builtins(profile_of(catalog, warehouse)),
        "version": warehouse.version,
        "created-at-ms": epoch_ms(warehouse.created_at),
        "updated-at-ms": epoch_ms(warehouse.updated_at),
    }


def load_warehouse(catalog: Catalog, name: str) -> Warehouse:
    """
    :raises NoSuchWarehouseException: when no warehouse has this name now
    """
    row = catalog.db.fetch_one("load_warehouse", name=name)
    if row is None:
        raise no_such_warehouse(name)
    return Warehouse.from_row(row)


@once(_revive)
def create_warehouse(catalog: Catalog, caller: Caller, realm: Warehouse, new: NewWarehouse) -> JsonObject:
    """Create a warehouse whose storage works, and describe it.

    :param realm: the default warehouse, among whose idempotency keys the caller's is
    :raises BadRequestException: when a member is malformed
    :raises IllegalArgumentException: when a member names what must not be used, or the storage does not work
    :raises AlreadyExistsException: when the name or a place in storage is taken
    """
    _check_name(new.name)
    hold = new.soft_delete.seconds(None) if new.soft_delete else None
    checked = check_profile(catalog, new.profile, None)
    _seal(catalog, new.name, checked)  # refused before the storage is tried
    refuse_overlap(catalog, catalog.db, 0, checked.profile)
    _try(catalog, checked)
    with _name_taken(new.name), mutation(catalog, caller, realm) as tx:
        tx.fetch_one("lock_warehouses")
        refuse_overlap(catalog, tx, 0, checked.profile)
        prefix = _free_prefix(tx, new.name)
        row = tx.fetch_one(
            "create_warehouse",
            name=new.name,
            prefix=prefix,
            root_location=checked.profile.root_location,
            protected=new.protected,
            soft_delete_seconds=hold,
            storage_profile=msgspec.json.encode(checked.profile).decode(),
            sealed_secret=_seal(catalog, prefix, checked),
            owner_id=caller.principal_id,
        )
        made = describe(catalog, Warehouse.from_row(row))
        _record(tx, caller, "created", row, made)
        keep_result(tx, caller, realm, made)
        bump_security_version(tx)  # its owner has rights on all of it
    return made


@once(_revive)
def update_warehouse(
    catalog: Catalog, caller: Caller, realm: Warehouse, name: str, changes: WarehouseChanges
) -> JsonObject:
    """Change a warehouse and describe it as it is then; its prefix never changes.

    :param realm: the default warehouse, among whose idempotency keys the caller's is
    :raises NoSuchWarehouseException: when no warehouse has this name now
    :raises CommitFailedException: when somebody else changed it at the same time
    :raises ConflictException: when the root location shall change though the warehouse is not empty
    """
    before = load_warehouse(catalog, name)
    realm.names.confirm("warehouse", name, before.id)
    checked = _check_changes(catalog, before, changes)
    columns = _columns(before, changes)
    if checked is not None:
        columns |= {
            "root_location": checked.profile.root_location,
            "storage_profile": msgspec.json.encode(checked.profile).decode(),
            "sealed_secret": _seal(catalog, before.prefix, checked),
        }
    with _name_taken(columns["name"]), mutation(catalog, caller, realm) as tx:
        tx.fetch_one("lock_warehouses")
        locked = tx.fetch_one("lock_warehouse", id=before.id)
        if locked is None or locked.version != before.version:
            raise CommitFailedException(
                f"Warehouse {name} was changed at the same time; load it and try again"
            )
        if checked is not None:
            refuse_overlap(catalog, tx, before.id, checked.profile)
            if checked.profile.root_location != before.root_location:
                _refuse_unless_empty(tx, before, "its root location can only change while it is empty")
        after = describe(catalog, before)
        if columns != _columns(before, WarehouseChanges()):
            after = _update(catalog, tx, caller, before, columns)
        keep_result(tx, caller, realm, after)
    return after


@once(no_result)
def delete_warehouse(catalog: Catalog, caller: Caller, realm: Warehouse, name: str, *, force: bool) -> None:
    """Forget an empty warehouse; what else lies in its storage stays.

    :param realm: the default warehouse, among whose idempotency keys the caller's is
    :raises NoSuchWarehouseException: when no warehouse has this name now
    :raises ConflictException: when it is not empty, or protected and not forced
    """
    warehouse = load_warehouse(catalog, name)
    realm.names.confirm("warehouse", name, warehouse.id)
    if warehouse.is_default:
        raise IllegalArgumentException(f"Warehouse {name} is the default one, which cannot be deleted")
    with mutation(catalog, caller, realm) as tx:
        locked = tx.fetch_one("lock_warehouse", id=warehouse.id)
        if locked is None or locked.name != name:
            raise no_such_warehouse(name)
        if locked.protected and not force:
            raise is_protected("Warehouse", name)
        _refuse_unless_empty(tx, warehouse, "only an empty one can be deleted")
        tx.execute("delete_idempotency_keys_of_warehouse", warehouse_id=warehouse.id)
        row = tx.fetch_one("delete_warehouse", id=warehouse.id)
        _record(tx, caller, "deleted", row, {})


def _check_name(name: str) -> None:
    problem = warehouse_name_problem(name)
    if problem:
        raise BadRequestException(f"Invalid name {name[:140]!r}: {problem}")


def _check_changes(catalog: Catalog, before: Warehouse, changes: WarehouseChanges) -> CheckedProfile | None:
    if changes == WarehouseChanges():
        raise BadRequestException(
            "Invalid request body: expected at least one of name, active, protected, soft-delete, storage-profile"
        )
    if before.is_default and (changes.name is not None or changes.profile is not None):
        raise IllegalArgumentException(
            f"Name and storage of the default warehouse {before.name} come from the settings"
            " (catalog.default_warehouse, storage) and can only be changed there"
        )
    if changes.name is not None:
        _check_name(changes.name)
    if changes.profile is None:
        return None
    checked = check_profile(catalog, changes.profile, before)
    _seal(catalog, before.prefix, checked)  # refused before the storage is tried
    refuse_overlap(catalog, catalog.db, before.id, checked.profile)
    _try(catalog, checked)
    return checked


def _columns(before: Warehouse, changes: WarehouseChanges) -> dict[str, Any]:
    hold, profile = before.soft_delete_seconds, before.profile
    return {
        "name": before.name if changes.name is None else changes.name,
        "active": before.is_active if changes.active is None else changes.active,
        "protected": before.is_protected if changes.protected is None else changes.protected,
        "soft_delete_seconds": hold if changes.soft_delete is None else changes.soft_delete.seconds(hold),
        "root_location": before.root_location,
        "storage_profile": None if profile is None else msgspec.json.encode(profile).decode(),
        "sealed_secret": before.sealed_secret,
    }


def _update(
    catalog: Catalog, tx: Transaction, caller: Caller, before: Warehouse, columns: dict[str, Any]
) -> JsonObject:
    row = tx.fetch_one("update_warehouse", id=before.id, **columns)
    warehouse = Warehouse.from_row(row)
    after = describe(catalog, warehouse)
    _record(tx, caller, _verb(before, warehouse), row, after, before=describe(catalog, before))
    return after


def _seal(catalog: Catalog, owner: str, checked: CheckedProfile) -> bytes | None:
    """Seal inline keys, given or kept; the only way in which they reach the database."""
    if checked.profile.credentials.type != "inline" or checked.keys is None:
        return None
    return catalog.storages.vault.seal(owner, checked.keys)


def _try(catalog: Catalog, checked: CheckedProfile) -> None:
    with closing(catalog.storages.connect(checked.profile, checked.keys)) as storages:
        probe(storages, checked.profile.root_location)
        probe_vending(catalog, checked.profile, storages)


def _refuse_unless_empty(tx: Transaction, warehouse: Warehouse, rule: str) -> None:
    """The row is locked, so nothing can come into the warehouse meanwhile."""
    found = tx.fetch_one("find_content_of_warehouse", warehouse_id=warehouse.id)
    if found.namespaces or found.held:
        what = "namespaces" if found.namespaces else "dropped tables or views that are held"
        raise ConflictException(f"Warehouse {warehouse.name} has {what}: {rule}")
    if found.jobs:
        raise ConflictException(f"Warehouse {warehouse.name} has jobs that are not done: {rule}")


def _free_prefix(tx: Transaction, name: str) -> str:
    """The name itself, unless a warehouse that was called so before has it."""
    if tx.fetch_one("load_warehouse_by_prefix", prefix=name) is None:
        return name
    return f"{name}-{secrets.token_hex(4)}"


def _verb(before: Warehouse, after: Warehouse) -> str:
    if before.name != after.name:
        return "renamed"
    if before.is_active != after.is_active:
        return "activated" if after.is_active else "deactivated"
    return "updated"


def _record(tx: Transaction, caller: Caller, verb: str, row: Row, after: JsonObject, **details: Any) -> None:
    change = Change(
        action=f"warehouse.{verb}",
        warehouse_id=row.id,
        object_id=row.id,
        namespace=Namespace(),
        name=row.name,
        details={**details, "after": after},
    )
    record_change(tx, change, caller.origin)


@contextmanager
def _name_taken(name: str) -> Iterator[None]:
    """Say which name is taken when the database refuses it."""
    try:
        yield
    except ConstraintViolated as error:
        if error.constraint != "warehouses_name_key":
            raise
        raise AlreadyExistsException(f"Warehouse already exists: {name}") from error
