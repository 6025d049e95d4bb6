"""What is worth knowing and changed nothing: requests that were refused, credentials that were handed out.

Mutations are in the change log. A refusal is written soon after the answer, in batches; an issued credential before it
leaves.
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import msgspec

from app.changes.origin import Origin
from app.config.settings import AuditSettings
from app.db import Database
from app.db.row_buffer import RowBuffer
from app.observability.metrics import metrics
from app.observability.redaction import mask_fields

Outcome = Literal["success", "denied"]
Level = Literal["all", "write", "manage"]
STORE: Final = "store_audit_events"
_LEVELS: Final = {"all": 0, "write": 1, "manage": 2}
_MANAGING: Final = frozenset({"manage-grants", "administer"})
_READING: Final = frozenset({"list", "read-metadata", "read-data"})


class AuditObject(NamedTuple):
    """``kind`` is server, warehouse, namespace, table, view, function or principal."""

    kind: str | None = None
    id: int | None = None
    warehouse_id: int | None = None
    namespace: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """``action`` is an event type such as ``access.denied``, ``operation`` a method with the template of its route.

    ``level`` is the least that it is about: ``all`` for reading, ``write``, or ``manage`` for who may do what.
    """

    action: str
    outcome: Outcome
    status: int
    level: Level
    origin: Origin
    on: AuditObject = field(default_factory=AuditObject)
    privilege: str | None = None
    operation: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def level_of(privilege: str | None) -> Level:
    """What an exercise of a privilege is about; ``write`` where none is known."""
    if privilege in _READING:
        return "all"
    return "manage" if privilege in _MANAGING else "write"


class Audit:
    """The audit of one worker, as far as the settings want one."""

    def __init__(self, db: Database, settings: AuditSettings) -> None:
        self._settings = settings
        self._buffer = RowBuffer(db, "audit events", STORE, metrics.audit_events_dropped)

    def note(self, event: AuditEvent) -> None:
        """Have an event stored soon; the request does not wait."""
        metrics.audit_events.inc(event.outcome)
        if _is_wanted(self._settings, event):
            self._buffer.add(_row(event))

    def close(self) -> None:
        """Store what is left."""
        self._buffer.close()


def record_issued(db: Database, settings: AuditSettings, event: AuditEvent) -> None:
    """Store that a credential is handed out. Call it before the credential leaves, once for each that was made.

    :raises ServiceError: when the database does not take it; the credential must then not leave
    """
    metrics.audit_events.inc(event.outcome)
    if _is_wanted(settings, event):
        db.execute(STORE, rows=f"[{_row(event).decode()}]")


def _is_wanted(settings: AuditSettings, event: AuditEvent) -> bool:
    return settings.enabled and _LEVELS[event.level] >= _LEVELS[settings.log_level]


def _row(event: AuditEvent) -> bytes:
    row = {
        **event.origin.columns(),
        "id": str(uuid.uuid4()),
        "at_us": time.time_ns() // 1000,
        "action": event.action,
        "outcome": event.outcome,
        "status": event.status,
        "operation": event.operation,
        "privilege": event.privilege,
        "warehouse_id": event.on.warehouse_id,
        "object_kind": event.on.kind,
        "object_id": event.on.id,
        "namespace": event.on.namespace,
        "name": event.on.name,
        "details": mask_fields(event.details),
    }
    return msgspec.json.encode(row)
