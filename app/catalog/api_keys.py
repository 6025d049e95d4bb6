"""API keys: made for a principal, shown once, replaced, revoked."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from app.auth.freshness import bump_security_version
from app.auth.keys import hash_key, new_key
from app.auth.scopes import CATALOG, SCOPES, wider
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import keep_result, mutation, no_result, once
from app.catalog.principal_rows import LONGEST_NAME, no_such_principal, record_security
from app.catalog.times import optional_ms
from app.db import Row, Transaction
from app.errors import (
    BadRequestException,
    ForbiddenException,
    IllegalArgumentException,
    NotFoundException,
)
from app.metadata.shapes import JsonObject

GRACE = 86_400.0
"""Seconds for which a key that was replaced is good as well."""


class NewKey(NamedTuple):
    """What createKey asks for; ``principal`` None is the caller, ``lifetime`` (seconds) None is for ever."""

    name: str
    scopes: Sequence[str] = (CATALOG,)
    principal: str | None = None
    lifetime: float | None = None


def _revive(_catalog: Catalog, _warehouse: Warehouse, result: JsonObject) -> JsonObject:
    return result


def list_keys(
    catalog: Catalog, after: int, limit: int | None, *, principal_id: int | None, revoked: bool
) -> Sequence[Row]:
    """Return keys in the order in which they were made, with ids above ``after``.

    :param principal_id: whose; None for everybody's
    """
    return catalog.db.fetch_all(
        "list_keys", after=after, limit=limit, principal_id=principal_id, revoked=revoked
    )


def describe_key(row: Row) -> JsonObject:
    """Return all there is to say about a key; the key itself is not known here."""
    return {
        "id": row.id,
        "name": row.name,
        "principal": row.principal,
        "scopes": row.scopes,
        "created-by": row.created_by,
        "created-at-ms": optional_ms(row.created_at),
        "rotated-at-ms": optional_ms(row.rotated_at),
        "previous-valid-until-ms": optional_ms(row.previous_valid_until),
        "expires-at-ms": optional_ms(row.expires_at),
        "last-used-at-ms": optional_ms(row.last_used_at),
        "deleted-at-ms": optional_ms(row.revoked_at),
    }


@once(_revive)
def create_key(
    catalog: Catalog, caller: Caller, realm: Warehouse, held: Collection[str], new: NewKey
) -> JsonObject:
    """Make a key, which is in what is returned and nowhere else; a duplicate of the request gets the rest.

    :param realm: the default warehouse, among whose idempotency keys the caller's is
    :param held: the scopes of the caller's own credential, which the key cannot exceed; empty for no limit
    :raises BadRequestException: when a member is malformed
    :raises ForbiddenException: when scopes are asked for that the caller's own credential does not have
    :raises NotFoundException: when there is no such principal
    """
    _check(catalog, caller, new, held)
    key = new_key()
    with mutation(catalog, caller, realm) as tx:
        row = tx.fetch_one(
            "create_key",
            principal_id=_owner(tx, caller, new),
            name=new.name,
            key_hash=hash_key(key),
            scopes=list(new.scopes),
            created_by=caller.principal,
            lifetime=new.lifetime,
        )
        made = _changed(tx, caller, "key.created", row.id)
        keep_result(tx, caller, realm, made)
        bump_security_version(tx)
    return {**made, "key": key}


@once(_revive)
def rotate_key(catalog: Catalog, caller: Caller, realm: Warehouse, key_id: int) -> JsonObject:
    """Replace a key; the one before it is good for a day more, the one before that no longer.

    :raises NotFoundException: when there is no such key, or not any more
    """
    key = new_key()
    with mutation(catalog, caller, realm) as tx:
        _lock(tx, key_id, None)
        tx.fetch_one("rotate_key", id=key_id, key_hash=hash_key(key), grace=GRACE)
        made = _changed(tx, caller, "key.rotated", key_id)
        keep_result(tx, caller, realm, made)
        bump_security_version(tx)
    return {**made, "key": key}


@once(no_result)
def revoke_key(catalog: Catalog, caller: Caller, realm: Warehouse, key_id: int, owner_id: int | None) -> None:
    """End a key, and the tokens that were made with it.

    :param owner_id: whose keys the caller may revoke; None for everybody's
    :raises NotFoundException: when there is no such key, or not any more
    """
    with mutation(catalog, caller, realm) as tx:
        _lock(tx, key_id, owner_id)
        tx.fetch_one("revoke_key", id=key_id)
        _changed(tx, caller, "key.revoked", key_id)
        bump_security_version(tx)


def _check(catalog: Catalog, caller: Caller, new: NewKey, held: Collection[str]) -> None:
    if not catalog.settings.auth.api_key.enabled and catalog.settings.auth.enabled:
        raise IllegalArgumentException("API keys are not accepted here (auth.api_key.enabled)")
    if not 1 <= len(new.name) <= LONGEST_NAME or not new.name.isprintable():
        raise BadRequestException(f"Invalid name: expected 1 to {LONGEST_NAME} printable characters")
    unknown = [scope for scope in new.scopes if scope not in SCOPES]
    if unknown or not new.scopes:
        raise BadRequestException(f"Invalid scopes {unknown}: expected one or more of {', '.join(SCOPES)}")
    excess = wider(new.scopes, held or (CATALOG,))
    if excess:
        message = (
            f"The credential of principal {caller.principal} is too narrow for a key with {', '.join(excess)}"
        )
        raise ForbiddenException(message)


def _owner(tx: Transaction, caller: Caller, new: NewKey) -> int:
    if new.principal is not None:
        row = tx.fetch_one("lock_principal", name=new.principal)
        if row is None:
            raise no_such_principal(new.principal)
        return int(row.id)
    if caller.principal_id is None:
        raise BadRequestException("Invalid principal: it is missing, and nobody in particular asks")
    return caller.principal_id


def _lock(tx: Transaction, key_id: int, owner_id: int | None) -> None:
    row = tx.fetch_one("lock_key", id=key_id)
    if row is None or row.revoked_at is not None or owner_id not in (None, row.principal_id):
        raise NotFoundException(f"Key does not exist: {key_id}")


def _changed(tx: Transaction, caller: Caller, action: str, key_id: int) -> JsonObject:
    row = tx.fetch_one("load_key", id=key_id)
    record_security(tx, action, row, caller.origin, principal=row.principal, scopes=row.scopes)
    return describe_key(row)
