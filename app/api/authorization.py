"""Whether the one who makes the request at hand may do what it asks for.

What may not be seen gets the very 404 of what is not there.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from app.api.at_hand import at_hand
from app.api.authentication import session
from app.api.context import services, warehouse
from app.api.idempotency import VARIABLE as IDEMPOTENCY_KEY
from app.auth.access import Access, Found, Wanted
from app.auth.authority import Viewer
from app.auth.decide import Need, Verdict
from app.auth.names import ANY, UNCHECKED, AuthorizedNames
from app.auth.objects import SERVER, ObjectName
from app.auth.privileges import ALL, Privilege, Privileges
from app.catalog.context import Warehouse
from app.catalog.functions import no_such_function
from app.catalog.kinds import KINDS
from app.catalog.namespaces import no_such_namespace
from app.catalog.warehouses import no_such_warehouse
from app.changes.effects import READS, UNTRACED
from app.errors import Denial, ForbiddenException, InternalServerError, ServiceError
from app.identifiers import Namespace, TableIdentifier
from app.observability.failpoints import failpoint

_LISTING = Need(on="warehouse")


def access() -> Access | None:
    """What the request may do; None where everybody may do all, without authentication."""
    here = at_hand()
    if not here.services.catalog.settings.auth.enabled:
        return None
    if here.access is None:
        found, asking = here.services, session()
        authority = found.authorities.of(asking, here.security_version)
        here.access = Access(found.catalog.db, asking, authority, found.policy, AuthorizedNames())
    return here.access


def enter(found: Warehouse, asked: str | None) -> None:
    """Make a warehouse that of the request.

    :param asked: what the client called it; None when it meant the default one
    :raises NoSuchWarehouseException: when there is nothing in it that the caller may see
    """
    take(found)
    current = access()
    if current is not None and not current.sees(found.id):
        raise no_such_warehouse(asked)


def take(found: Warehouse) -> None:
    """As :func:`enter`, for requests that only keep their idempotency key in the warehouse."""
    here, mine = at_hand(), access()
    reads = here.request.environ.get(READS)
    if mine is not None or reads is not None:
        names = UNCHECKED if mine is None else mine.names
        found = replace(found, names=names, reads=UNTRACED if reads is None else reads)
    here.warehouse = found


def authorize(need: Need | None, names: dict[str, Any]) -> None:
    """Check what a route needs, before its view function runs.

    :param names: the decoded path: ``namespace``, ``table``, ``view``, ``function``; ``warehouse`` for its name
    :raises ServiceError: the 404 of a missing object when it may not be seen
    :raises ForbiddenException: when it may be seen, but not that
    :raises MeaningChanged: when a name meant two things within this request
    """
    current = access()
    if current is None:
        return
    if need is None:
        raise InternalServerError("It is not said what this route needs")
    current.names.forget()
    if need.on == "server":
        _check_at_large(current, need, None)
    elif need.on == "warehouse":
        _check_at_large(current, need, _named(names["warehouse"]) if "warehouse" in names else warehouse())
    elif need.on:
        demand(wanted(need, names[need.on]))


def wanted(need: Need, name: Namespace | TableIdentifier, *, may_be_missing: bool = False) -> Wanted:
    """Say that a request needs something on what has this name."""
    if isinstance(name, Namespace):
        return Wanted(need, name, None, may_be_missing)
    return Wanted(need, name.namespace, name.name, may_be_missing)


def demand(*everything: Wanted) -> None:
    """Check all that a request wants to do in its warehouse, before any of it is done; at most one statement.

    :raises ServiceError: the 404 of the first one that is missing or may not be seen
    :raises ForbiddenException: for the first one that may be seen, but not that
    """
    current = access()
    if current is None:
        return
    judged = current.judge(warehouse().id, everything)
    _trace(judged)
    for found in judged:
        _accept(current, found)
    failpoint("request.authorized")


def demand_at_large(*privileges: Privilege) -> None:
    """As :func:`demand`, for one of ``privileges`` on the warehouse of the request."""
    current = access()
    if current is not None:
        _check_at_large(current, Need(privileges, "warehouse"), warehouse())


def authorize_grants(target: ObjectName, privileges: Sequence[Privilege]) -> None:
    """Check that the caller may manage the grants on an object in the warehouse of the request, and has privileges
    that it wants to give or to take back.

    :raises ServiceError: the 404 of an object that is missing or may not be seen
    :raises ForbiddenException: naming the first privilege that is missing
    """
    current = access()
    if current is None:
        return
    asked = [
        Need((one,), target.kind, is_security=True)
        for one in dict.fromkeys((Privilege.MANAGE_GRANTS, *privileges))
    ]
    if target.kind in ("server", "warehouse"):
        for need in asked:
            _check_at_large(current, need, None if target.kind == "server" else warehouse())
    else:
        name = target.namespace if target.name is None else target.identifier
        demand(*(wanted(need, name) for need in asked))


def sees(target: ObjectName) -> bool:
    """Whether the caller may see an object of the warehouse of the request, or there is nothing that it may not."""
    current = access()
    if current is None or target.kind in ("server", "warehouse"):
        return True
    name = target.namespace if target.name is None else target.identifier
    (found,) = current.judge(warehouse().id, [wanted(Need((), target.kind), name)])
    return found.verdict is not Verdict.HIDDEN


def allowed(table: TableIdentifier, *privileges: Privilege, is_signing: bool = False) -> Privileges:
    """Return which of ``privileges`` the caller may use on a table that is there; at most one statement.

    :param is_signing: whether a credential with the scope ``sign`` will do
    """
    current = access()
    if current is None:
        return frozenset(privileges)
    asked = [Wanted(Need((one,), "table", is_signing=is_signing), *table) for one in privileges]
    judged = current.judge(warehouse().id, asked)
    _trace(judged)
    pairs = zip(privileges, judged, strict=True)
    return frozenset(one for one, found in pairs if found.verdict is Verdict.ALLOWED)


def allowed_to_owner() -> Privileges:
    """Return what the caller may do with a table that it makes, as far as its credential reaches."""
    current = access()
    return ALL if current is None else current.within(Need())


def viewer() -> Viewer | None:
    """Whose rights a listing in the warehouse of the request has to look for; None when everything may be seen.

    :raises ForbiddenException: when the credential is not good for listings
    """
    current = access()
    if current is None:
        return None
    if Privilege.LIST not in current.within(_LISTING):
        raise _denied(current, _LISTING, _of_warehouse(warehouse()), Verdict.NARROWED)
    seen_by = current.viewer(warehouse().id)
    if seen_by is not None:
        warehouse().reads.judged(warehouse().id)
    return seen_by


def seen_warehouses() -> frozenset[int] | None:
    """The ids of the warehouses in which the caller may see anything; None for all.

    :raises ForbiddenException: when the credential is not good for listings
    """
    current = access()
    if current is None:
        return None
    if Privilege.LIST not in current.within(_LISTING):
        raise _denied(current, _LISTING, _SERVER, Verdict.NARROWED)
    return None if current.at_large(None) else current.authority.seen


def _trace(judged: Sequence[Found]) -> None:
    if any(found.object_id != ANY for found in judged):
        warehouse().reads.judged(warehouse().id)


def _named(name: str) -> Warehouse:
    found = services().warehouses.named(name)
    current = access()
    if current is not None:
        if not current.sees(found.id):
            raise no_such_warehouse(name)
        current.names.bind("warehouse", name, found.id)
    return found


def _check_at_large(current: Access, need: Need, found: Warehouse | None) -> None:
    verdict = current.judge_at_large(need, None if found is None else found.id)
    if verdict is not Verdict.ALLOWED:
        target = _SERVER if found is None else _of_warehouse(found)
        raise _denied(current, need, target, verdict)


def _accept(current: Access, found: Found) -> None:
    asked = found.wanted
    if found.object_id is None:
        # A request that is repeated may have removed it: what it was answered is known further on.
        repeatable = (
            IDEMPOTENCY_KEY in at_hand().request.environ and Privilege.CREATE not in asked.need.privileges
        )
        if asked.may_be_missing or repeatable:
            return
    elif found.verdict is Verdict.ALLOWED:
        return
    elif found.verdict is not Verdict.HIDDEN:
        raise _denied(current, asked.need, _target(found), found.verdict)
    raise _missing(found)


def _missing(found: Found) -> ServiceError:
    asked = found.wanted
    if asked.name is None or (asked.kind == "function" and not found.is_place_seen):
        return no_such_namespace(asked.namespace)
    name = TableIdentifier(asked.namespace, asked.name)
    return KINDS[asked.kind].does_not_exist(name) if asked.kind in KINDS else no_such_function(name)


class _Target(NamedTuple):
    """What something is called, and its numbers for the audit."""

    called: ObjectName
    object_id: int | None = None
    warehouse_id: int | None = None


_SERVER = _Target(SERVER)


def _of_warehouse(found: Warehouse) -> _Target:
    return _Target(ObjectName("warehouse", found.name), found.id, found.id)


def _target(found: Found) -> _Target:
    """The rights on a function are those on its namespace."""
    asked = found.wanted
    name = ObjectName("namespace", warehouse().name, asked.namespace)
    if asked.kind == "function":
        return _Target(name, None, warehouse().id)
    if asked.kind in KINDS:
        name = name._replace(kind=asked.kind, name=asked.name)
    return _Target(name, found.object_id, warehouse().id)


def _denied(current: Access, need: Need, target: _Target, verdict: Verdict) -> ForbiddenException:
    """The 403, which ends with the id by which an administrator can have it explained."""
    principal, called = current.session.principal.name, target.called
    lacking = " or ".join(need.privileges) or Privilege.LIST
    if verdict is Verdict.NARROWED:
        shown = ", ".join(sorted(current.session.scopes))
        text = f"The scopes of the credential ({shown}) do not let principal {principal} use {lacking} on {called}"
    else:
        text = f"Principal {principal} does not have the privilege {lacking} on {called}"
    name = called.warehouse if called.kind == "warehouse" else called.name
    denial = Denial(
        next(iter(need.privileges), Privilege.LIST),
        called.kind,
        target.object_id,
        target.warehouse_id,
        called.namespace,
        name,
    )
    return ForbiddenException(text, denial=denial)
