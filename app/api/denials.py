"""Requests that were refused although it is known who made them: told to the audit."""

from typing import Any

from flask import g, request

from app.api.context import catalog, origin, request_id, services
from app.changes.audit import AuditEvent, AuditObject, level_of
from app.errors import ForbiddenException
from app.identifiers import Namespace, TableIdentifier

DENIED = "access.denied"
_LONGEST_MESSAGE = 1_000


def identified(error: ForbiddenException) -> ForbiddenException:
    """Return a 403 as it leaves: where somebody can look it up, under which id."""
    if not catalog().settings.auth.enabled:
        return error
    message = f"{error.message} (error id {request_id()})"
    return ForbiddenException(message, denial=error.denial, headers=error.headers)


def note_denial(error: ForbiddenException) -> None:
    """Have a 403 in the audit soon, unless it met somebody unknown."""
    if "session" not in g:
        return
    denial = error.denial
    privilege = denial.privilege if denial else None
    services().audit.note(
        AuditEvent(
            action=DENIED,
            outcome="denied",
            status=error.code,
            level=level_of(privilege),
            origin=origin(),
            on=AuditObject(*denial[1:]) if denial else _named(g.get("names", {})),
            privilege=privilege,
            operation=f"{request.method} {request.environ.get('bingsan.route') or request.path}",
            details={"message": error.message[:_LONGEST_MESSAGE]},
        )
    )


def _named(names: dict[str, Any]) -> AuditObject:
    """What the path names."""
    warehouse = g.get("warehouse") if "bingsan.warehouse" in request.environ else None
    warehouse_id = None if warehouse is None else warehouse.id
    for kind, named in names.items():
        if isinstance(named, TableIdentifier):
            return AuditObject(kind, None, warehouse_id, named.namespace, named.name)
        if isinstance(named, Namespace):
            return AuditObject(kind, None, warehouse_id, named)
    if warehouse is None:
        return AuditObject()
    return AuditObject("warehouse", warehouse_id, warehouse_id, (), warehouse.name)
