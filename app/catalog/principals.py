"""Principals: those who may come in, made, disabled and deleted by those who manage the catalog."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.auth.freshness import bump_security_version
from app.auth.secrets import hash_secret, new_secret
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import keep_result, mutation, no_result, once
from app.catalog.principal_rows import (
    check_principal_name,
    describe_principal,
    no_such_principal,
    record_security,
)
from app.catalog.roles import somebody_left
from app.db import ConstraintViolated, Row, Transaction
from app.errors import AlreadyExistsException, ConflictException, IllegalArgumentException
from app.metadata.shapes import JsonObject


def _revive(_catalog: Catalog, _warehouse: Warehouse, result: JsonObject) -> JsonObject:
    return result


def list_principals(catalog: Catalog, after: int, limit: int | None, *, deleted: bool) -> Sequence[Row]:
    """Return principals in the order in which they were made, with ids above ``after``."""
    return catalog.db.fetch_all("list_principals", after=after, limit=limit, deleted=deleted)


def load_principal(catalog: Catalog, name: str) -> Row:
    """
    :raises NotFoundException: when nobody has this name now
    """
    row = catalog.db.fetch_one("load_principal", name=name)
    if row is None:
        raise no_such_principal(name)
    return row


@once(_revive)
def create_principal(
    catalog: Catalog, caller: Caller, realm: Warehouse, name: str, kind: str = "service"
) -> JsonObject:
    """Make a principal with a client secret, which is in what is returned and nowhere else.

    A duplicate of the request gets the same without the secret: it is not kept.

    :param realm: the default warehouse, among whose idempotency keys the caller's is
    :raises BadRequestException: when the name is malformed
    :raises AlreadyExistsException: when the name is taken
    """
    check_principal_name(name)
    secret, stored = _new_secret(catalog)
    with _name_taken(name), mutation(catalog, caller, realm) as tx:
        row = tx.fetch_one("create_principal", name=name, kind=kind, created_by=caller.principal)
        tx.fetch_one("create_client_secret", principal_id=row.id, secret_hash=stored)
        made = {**describe_principal(row), "client-id": name}
        record_security(tx, "principal.created", row, caller.origin, kind=kind)
        keep_result(tx, caller, realm, made)
        bump_security_version(tx)
    return {**made, "client-secret": secret}


@once(_revive)
def disable_principal(
    catalog: Catalog, caller: Caller, realm: Warehouse, name: str, disabled: bool
) -> JsonObject:
    """Keep a principal out from now on, or let it in again. Its keys and tokens hold only while it is let in.

    :raises NotFoundException: when nobody has this name now
    :raises ConflictException: when it is the caller, or nobody would be left who administers the server
    """
    with mutation(catalog, caller, realm) as tx, somebody_left(tx):
        row = _lock(tx, name)
        _refuse_own(row, caller, "disabled")
        after = describe_principal(row)
        if row.disabled != disabled:
            row = tx.fetch_one("disable_principal", id=row.id, disabled=disabled)
            after = describe_principal(row)
            action = "principal.disabled" if disabled else "principal.enabled"
            record_security(tx, action, row, caller.origin)
            bump_security_version(tx)
        keep_result(tx, caller, realm, after)
    return after


@once(no_result)
def delete_principal(catalog: Catalog, caller: Caller, realm: Warehouse, name: str) -> None:
    """Delete a principal with its secrets, keys, grants and memberships; its name is free again.

    :raises NotFoundException: when nobody has this name now
    :raises ConflictException: when it is the caller, or nobody would be left who administers the server
    """
    with mutation(catalog, caller, realm) as tx, somebody_left(tx):
        row = _lock(tx, name)
        _refuse_own(row, caller, "deleted")
        tx.execute("end_client_secrets", principal_id=row.id, grace=0)
        tx.execute("revoke_keys_of_principal", principal_id=row.id)
        tx.execute("delete_grants_of_principal", principal_id=row.id)
        tx.execute("delete_memberships_of_principal", principal_id=row.id)
        row = tx.fetch_one("delete_principal", id=row.id)
        record_security(tx, "principal.deleted", row, caller.origin)
        bump_security_version(tx)


@once(_revive)
def rotate_secret(catalog: Catalog, caller: Caller, realm: Warehouse, name: str, grace: float) -> JsonObject:
    """Give a principal another client secret, which is in what is returned and nowhere else.

    :param grace: seconds for which the secret before it is good as well; those before that one end now
    :raises NotFoundException: when nobody has this name now
    :raises IllegalArgumentException: when somebody else vouches for the principal
    """
    secret, stored = _new_secret(catalog)
    with mutation(catalog, caller, realm) as tx:
        row = _lock(tx, name)
        if row.kind == "openid":
            raise IllegalArgumentException(f"Principal {name} has no secret: its provider vouches for it")
        tx.execute("end_client_secrets", principal_id=row.id, grace=grace)
        tx.fetch_one("create_client_secret", principal_id=row.id, secret_hash=stored)
        record_security(tx, "principal.secret-changed", row, caller.origin)
        after = {**describe_principal(row), "client-id": name}
        keep_result(tx, caller, realm, after)
        bump_security_version(tx)
    return {**after, "client-secret": secret}


@once(no_result)
def end_tokens(catalog: Catalog, caller: Caller, realm: Warehouse, name: str) -> None:
    """End all access tokens that were given to a principal until now.

    :raises NotFoundException: when nobody has this name now
    """
    with mutation(catalog, caller, realm) as tx:
        row = tx.fetch_one("end_tokens_of_principal", id=_lock(tx, name).id)
        record_security(tx, "principal.tokens-revoked", row, caller.origin)
        bump_security_version(tx)


def _new_secret(catalog: Catalog) -> tuple[str, str]:
    """A secret and what is stored of it; making the latter takes a while."""
    secret = new_secret()
    return secret, catalog.cpu.run(lambda: hash_secret(secret))


def _lock(tx: Transaction, name: str) -> Row:
    row = tx.fetch_one("lock_principal", name=name)
    if row is None:
        raise no_such_principal(name)
    return row


def _refuse_own(row: Row, caller: Caller, verb: str) -> None:
    if row.id == caller.principal_id:
        raise ConflictException(f"Principal {row.name} cannot be {verb} by itself")


@contextmanager
def _name_taken(name: str) -> Iterator[None]:
    try:
        yield
    except ConstraintViolated as error:
        if error.constraint != "principals_name_key":
            raise
        raise AlreadyExistsException(f"Principal already exists: {name}") from error
