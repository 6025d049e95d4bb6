"""What all changes of who may come in have in common."""

from typing import Any

from app.catalog.times import epoch_ms
from app.changes.log import Change, record_change
from app.changes.origin import Origin
from app.db import Row, Transaction
from app.errors import BadRequestException, NotFoundException
from app.identifiers import Namespace
from app.metadata.shapes import JsonObject

LONGEST_NAME = 255


def check_principal_name(name: str) -> str:
    """Return a name that a principal may have.

    A colon would end the name in ``Authorization: Basic``; principals of external providers have one in theirs.

    :raises BadRequestException: when it may not
    """
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BadRequestException(f"Invalid name: expected 1 to {LONGEST_NAME} characters, got {len(name)}")
    if not name.isprintable() or name.strip() != name or ":" in name:
        raise BadRequestException(
            f"Invalid name {name!r}: no colon, no control characters and no space at either end"
        )
    return name


def no_such_principal(name: str) -> NotFoundException:
    return NotFoundException(f"Principal does not exist: {name}")


def describe_principal(row: Row) -> JsonObject:
    """Return all there is to say about a principal."""
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "disabled": row.disabled,
        "created-by": row.created_by,
        "created-at-ms": epoch_ms(row.created_at),
        "updated-at-ms": epoch_ms(row.updated_at),
        "deleted-at-ms": None if row.deleted_at is None else epoch_ms(row.deleted_at),
    }


def record_security(tx: Transaction, action: str, row: Row, origin: Origin, **details: Any) -> None:
    """Append the change row of a principal, key or the like; ``details`` never hold a secret.

    :param row: has ``id`` and ``name`` of what is changed
    """
    change = Change(
        action=action,
        warehouse_id=None,
        object_id=row.id,
        namespace=Namespace(),
        name=row.name,
        details=details,
    )
    record_change(tx, change, origin)
