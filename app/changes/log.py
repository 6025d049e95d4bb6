"""One row per mutation, written in the mutation's own transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.changes.origin import Origin
from app.db import Transaction
from app.identifiers import Namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to which object.

    ``action`` is an event type such as ``table.committed``; ``warehouse_id`` is None for what is in no warehouse, such
    as a principal; the pointers are metadata locations before and after;
    ``details`` is a JSON object with what else a reader of the log needs.
    """

    action: str
    warehouse_id: int | None
    object_id: int
    namespace: Namespace
    name: str | None = None
    before_pointer: str | None = None
    after_pointer: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def record_change(transaction: Transaction, change: Change, origin: Origin) -> None:
    """Append a change row, by which the outcome of the transaction can be looked up.

    It waits for no answer unless the transaction's number is not known yet, which that look-up needs too.
    """
    columns = _columns(transaction, change, origin)
    if transaction.xid is None:
        transaction.fetch_one("record_change", **columns)
    else:
        transaction.queue("record_change", **columns)


def _columns(transaction: Transaction, change: Change, origin: Origin) -> dict[str, Any]:
    return {
        "commit_id": transaction.commit_id,
        "warehouse_id": change.warehouse_id,
        "action": change.action,
        "object_kind": change.action.partition(".")[0],
        "object_id": change.object_id,
        "namespace": list(change.namespace),
        "name": change.name,
        "before_pointer": change.before_pointer,
        "after_pointer": change.after_pointer,
        "details": msgspec.json.encode(change.details).decode(),
        **origin.columns(),
    }
