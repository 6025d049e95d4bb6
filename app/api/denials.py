"""Requests that were refused although it is known who made them: told to the audit."""

from app.api.at_hand import AtHand, at_hand
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
    here = at_hand()
    if here.session is None:
        return
    denial, asked = error.denial, here.request
    privilege = denial.privilege if denial else None
    services().audit.note(
        AuditEvent(
            action=DENIED,
            outcome="denied",
            status=error.code,
            level=level_of(privilege),
            origin=origin(),
            on=AuditObject(*denial[1:]) if denial else _named(here),
            privilege=privilege,
            operation=f"{asked.method} {asked.environ.get('bingsan.route') or asked.path}",
            details={"message": error.message[:_LONGEST_MESSAGE]},
        )
    )


def _named(here: AtHand) -> AuditObject:
    """What the path names."""
    warehouse = getattr(here, "warehouse", None) if "bingsan.warehouse" in here.request.environ else None
    warehouse_id = None if warehouse is None else warehouse.id
    for kind, named in here.names.items():
        if isinstance(named, TableIdentifier):
            return AuditObject(kind, None, warehouse_id, named.namespace, named.name)
        if isinstance(named, Namespace):
            return AuditObject(kind, None, warehouse_id, named)
    if warehouse is None:
        return AuditObject()
    return AuditObject("warehouse", warehouse_id, warehouse_id, (), warehouse.name)
