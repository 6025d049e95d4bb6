"""The audit as one list: the change log, and beside it what changed nothing."""

from collections.abc import Sequence
from typing import NamedTuple

from app.db import Database, Row
from app.identifiers import Namespace

CHANGE, EVENT = "change", "event"
_FIRST_US, _LAST_US = 0, 253_402_300_799_000_000
_LAST_CHANGE, _LAST_EVENT = 2**63 - 1, "ffffffff-ffff-ffff-ffff-ffffffffffff"
_BEFORE_ALL_EVENTS = "00000000-0000-0000-0000-000000000000"


class AuditFilter(NamedTuple):
    """Which entries to list; None does not restrict. ``namespace`` stands for itself and all below it.

    Times are microseconds since the epoch, inclusive.
    """

    actor: str | None = None
    event_type: str | None = None
    outcome: str | None = None
    warehouse: str | None = None
    namespace: Namespace | None = None
    name: str | None = None
    address: str | None = None
    request_id: str | None = None
    from_us: int | None = None
    to_us: int | None = None


class Place(NamedTuple):
    """Where an entry stands in the list: its time, its table (``CHANGE`` or ``EVENT``) and its id there."""

    at_us: int
    source: str
    id: str


def list_audit(db: Database, wanted: AuditFilter, after: Place | None, limit: int) -> Sequence[Row]:
    """Return entries, newest first, behind the place ``after``. At the same time events come before changes."""
    change_id, event_id = _bounds(after)
    namespace = wanted.namespace
    return db.fetch_all(
        "list_audit",
        actor=wanted.actor,
        event_type=wanted.event_type,
        outcome=wanted.outcome,
        warehouse=wanted.warehouse,
        levels=None if namespace is None else list(namespace),
        beyond=None if namespace is None else list(namespace.beyond),
        name=wanted.name,
        address=wanted.address,
        request_id=wanted.request_id,
        from_us=_FIRST_US if wanted.from_us is None else wanted.from_us,
        to_us=_LAST_US if wanted.to_us is None else wanted.to_us,
        after_us=_LAST_US if after is None else after.at_us,
        change_id=change_id,
        event_id=event_id,
        limit=limit,
    )


def _bounds(after: Place | None) -> tuple[int, str]:
    """The ids below which each table goes on at the time of ``after``."""
    if after is None:
        return _LAST_CHANGE, _LAST_EVENT
    if after.source == EVENT:
        return _LAST_CHANGE, after.id
    return int(after.id), _BEFORE_ALL_EVENTS
