"""Roles: what many have together. Principals are members of roles, and so are other roles."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from app.auth.freshness import bump_security_version
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import keep_result, mutation, no_result, once
from app.catalog.principal_rows import check_principal_name, no_such_principal, record_security
from app.catalog.times import epoch_ms
from app.db import ConstraintViolated, Database, Row, Transaction
from app.errors import AlreadyExistsException, ConflictException, IllegalArgumentException, NotFoundException
from app.metadata.shapes import JsonObject


class Grantee(NamedTuple):
    """A principal or a role by its name."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class GranteeIds(NamedTuple):
    """The id of one of the two."""

    principal_id: int | None = None
    role_id: int | None = None


def find_grantee(source: Database | Transaction, grantee: Grantee) -> GranteeIds:
    """
    :raises NotFoundException: when there is nobody of this name
    """
    if grantee.kind == "role":
        return GranteeIds(role_id=load_role(source, grantee.name).id)
    row = source.fetch_one("load_principal", name=grantee.name)
    if row is None:
        raise no_such_principal(grantee.name)
    return GranteeIds(principal_id=row.id)


def list_roles(catalog: Catalog, after: str | None, limit: int | None) -> Sequence[Row]:
    """Return roles by name in byte order, behind ``after``."""
    return catalog.db.fetch_all("list_roles", after=after or "", limit=limit)


def load_role(source: Database | Transaction, name: str) -> Row:
    """
    :raises NotFoundException: when no role has this name
    """
    row = source.fetch_one("load_role", name=name)
    if row is None:
        raise NotFoundException(f"Role does not exist: {name}")
    return row


def list_members(catalog: Catalog, role: str, after: int, limit: int | None) -> Sequence[Row]:
    """Return the members of a role, in the order in which they came, with ids above ``after``.

    :raises NotFoundException: when no role has this name
    """
    role_id = load_role(catalog.db, role).id
    return catalog.db.fetch_all("list_role_members", role_id=role_id, after=after, limit=limit)


def describe_role(row: Row) -> JsonObject:
    """Return all there is to say about a role."""
    return {"name": row.name, "created-by": row.created_by, "created-at-ms": epoch_ms(row.created_at)}


def describe_member(row: Row) -> JsonObject:
    """Return all there is to say about a member of a role."""
    kind = "role" if row.principal is None else "principal"
    return {kind: row.role or row.principal, "added-by": row.added_by, "added-at-ms": epoch_ms(row.added_at)}


def _revive(_catalog: Catalog, _warehouse: Warehouse, result: JsonObject) -> JsonObject:
    return result


@once(_revive)
def create_role(catalog: Catalog, caller: Caller, realm: Warehouse, name: str) -> JsonObject:
    """
    :param realm: the warehouse among whose idempotency keys the caller's is
    :raises BadRequestException: when the name is malformed
    :raises AlreadyExistsException: when the name is taken
    """
    check_principal_name(name)
    try:
        with mutation(catalog, caller, realm) as tx:
            row = tx.fetch_one("create_role", name=name, created_by=caller.principal)
            record_security(tx, "role.created", row, caller.origin)
            made = describe_role(row)
            keep_result(tx, caller, realm, made)
            bump_security_version(tx)
    except ConstraintViolated as error:
        if error.constraint != "roles_name_key":
            raise
        raise AlreadyExistsException(f"Role already exists: {name}") from error
    return made


@once(no_result)
def delete_role(catalog: Catalog, caller: Caller, realm: Warehouse, name: str) -> None:
    """Delete a role with its grants and memberships.

    :raises NotFoundException: when no role has this name
    :raises ConflictException: when nobody would be left who administers the server
    """
    with mutation(catalog, caller, realm) as tx, somebody_left(tx):
        row = tx.fetch_one("delete_role", name=name)
        if row is None:
            raise NotFoundException(f"Role does not exist: {name}")
        record_security(tx, "role.deleted", row, caller.origin)
        bump_security_version(tx)


@once(no_result)
def add_member(catalog: Catalog, caller: Caller, realm: Warehouse, role: str, member: Grantee) -> None:
    """Let a principal or another role have what a role has. Nothing happens when it has it already.

    :raises NotFoundException: when one of them does not exist
    :raises IllegalArgumentException: when the role would become a member of itself
    """
    with mutation(catalog, caller, realm) as tx:
        tx.fetch_one("lock_administrators")
        row, ids = load_role(tx, role), find_grantee(tx, member)
        if ids.role_id is not None:
            _refuse_cycle(tx, row, member, ids.role_id)
        added = tx.fetch_one(
            "add_role_member",
            role_id=row.id,
            principal_id=ids.principal_id,
            member_role_id=ids.role_id,
            added_by=caller.principal,
        )
        if added is not None:
            record_security(tx, "role.member-added", row, caller.origin, **{member.kind: member.name})
            bump_security_version(tx)


@once(no_result)
def remove_member(catalog: Catalog, caller: Caller, realm: Warehouse, role: str, member: Grantee) -> None:
    """
    :raises NotFoundException: when one of them does not exist, or is no member of the other
    :raises ConflictException: when nobody would be left who administers the server
    """
    with mutation(catalog, caller, realm) as tx, somebody_left(tx):
        row, ids = load_role(tx, role), find_grantee(tx, member)
        gone = tx.fetch_one(
            "remove_role_member", role_id=row.id, principal_id=ids.principal_id, member_role_id=ids.role_id
        )
        if gone is None:
            raise NotFoundException(f"{member.kind.capitalize()} {member.name} is no member of role {role}")
        record_security(tx, "role.member-removed", row, caller.origin, **{member.kind: member.name})
        bump_security_version(tx)


@contextmanager
def somebody_left(tx: Transaction) -> Iterator[None]:
    """Refuse what the block takes away if it is the last way to administer the server. One block at a time runs.

    :raises ConflictException: then
    """
    tx.fetch_one("lock_administrators")
    before = tx.fetch_one("find_active_administrator")
    yield
    if before is not None and tx.fetch_one("find_active_administrator") is None:
        raise ConflictException(
            "Nobody would be left who administers the server: grant administer to somebody else first"
        )


def _refuse_cycle(tx: Transaction, role: Row, member: Grantee, member_id: int) -> None:
    if tx.fetch_one("is_within_role", role_id=role.id, other_id=member_id).found:
        raise IllegalArgumentException(
            f"Invalid member: role {role.name} is role {member.name} or a member of it, directly or by others"
        )
