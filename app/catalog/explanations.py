"""Why somebody may do something, or what is missing: from the very rows and rules that decide."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from app.auth.access import Wanted, resolve_places
from app.auth.authority import Authority, load_authority
from app.auth.decide import Need, Place, Policy, held
from app.auth.objects import SERVER, ObjectName
from app.auth.privileges import NONE, Privilege, Privileges
from app.catalog.context import Catalog, Warehouse
from app.catalog.times import epoch_ms
from app.db import Row
from app.errors import NotFoundException
from app.identifiers import Namespace
from app.metadata.shapes import JsonObject


class Question(NamedTuple):
    """Whether somebody may use one of ``privileges``; ``warehouse`` is that of the object, None for the server."""

    principal: Row
    privileges: Sequence[Privilege]
    target: ObjectName
    warehouse: Warehouse | None


class Standpoint(NamedTuple):
    """Where somebody stands: the places on the way to an object, outermost first, and what it may do there.

    ``is_there`` tells whether the object exists.
    """

    authority: Authority
    places: Sequence[tuple[ObjectName, Place]]
    privileges: Privileges
    is_there: bool


def stand(catalog: Catalog, policy: Policy, question: Question) -> Standpoint:
    """Find out what a principal may do with an object, without the limits of any credential."""
    principal_id = question.principal.id
    authority = load_authority(catalog.db, principal_id)
    places = _places(catalog, authority, question)
    implied = NONE if _is_security(question) else policy.implied()
    above = authority.at_large(None if question.warehouse is None else question.warehouse.id) | implied
    privileges = held(principal_id, [place for _, place in places], above)
    return Standpoint(authority, places, privileges, places[-1][0] == question.target)


def explain(catalog: Catalog, policy: Policy, question: Question, standpoint: Standpoint) -> JsonObject:
    """Return the answer with all that leads to it, as a JSON object."""
    has_one = not standpoint.privileges.isdisjoint(question.privileges)
    disabled = bool(question.principal.disabled)
    allowed = has_one and not disabled
    reasons = [
        *_ownerships(question, standpoint),
        *_grants(catalog, question, standpoint),
        *_settings(policy, question),
    ]
    return {
        "principal": question.principal.name,
        "object": question.target.address,
        "needs": list(question.privileges),
        "allowed": allowed,
        "disabled": disabled,
        "privileges": sorted(standpoint.privileges),
        "because": reasons,
        "message": _in_words(question, allowed=allowed, disabled=disabled),
    }


def find_denial(catalog: Catalog, error_id: str) -> Row:
    """
    :raises NotFoundException: when no refusal with this id is known (any more)
    """
    row = catalog.db.fetch_one("find_denial", request_id=error_id)
    if row is None:
        raise NotFoundException(f"No refused request with the error id {error_id} is known")
    return row


def denied_object(row: Row) -> ObjectName:
    """Return what a refusal was about; the server where it is not known."""
    kind = "namespace" if row.object_kind == "function" else row.object_kind
    if row.warehouse is None or kind not in ("warehouse", "namespace", "table", "view"):
        return SERVER
    if kind == "warehouse":
        return ObjectName(kind, row.warehouse)
    name = row.name if kind in ("table", "view") else None
    return ObjectName(kind, row.warehouse, Namespace(row.namespace), name)


def describe_denial(row: Row) -> JsonObject:
    """Return what is known of a refusal."""
    return {
        "at-ms": epoch_ms(row.at),
        "principal": row.principal,
        "operation": row.operation,
        "privilege": row.privilege,
        "message": row.message,
    }


def _is_security(question: Question) -> bool:
    return tuple(question.privileges) == (Privilege.MANAGE_GRANTS,)


def _places(catalog: Catalog, authority: Authority, question: Question) -> list[tuple[ObjectName, Place]]:
    places = [(SERVER, Place("server", 0, None, authority.server))]
    found, target = question.warehouse, question.target
    if found is None:
        return places
    owner = catalog.db.fetch_one("find_warehouse_owner", id=found.id)
    at_large = authority.warehouses.get(found.id, NONE)
    place = Place("warehouse", found.id, owner and owner.owner_id, at_large)
    places.append((ObjectName("warehouse", found.name), place))
    if not target.namespace:
        return places
    wanted = Wanted(Need((), target.kind), target.namespace, target.name)
    (path,) = resolve_places(catalog.db, authority.viewer, found.id, [wanted])
    for depth, place in enumerate(path, start=1):
        above = ObjectName("namespace", found.name, Namespace(target.namespace[:depth]))
        places.append((above if place.kind == "namespace" else target, place))
    return places


def _ownerships(question: Question, standpoint: Standpoint) -> list[JsonObject]:
    principal_id = question.principal.id
    owned = [name for name, place in standpoint.places if place.owner_id == principal_id]
    return [{"kind": "ownership", "object": name.address} for name in owned]


def _grants(catalog: Catalog, question: Question, standpoint: Standpoint) -> list[JsonObject]:
    """Those that give what is needed, with the roles by which the principal has them."""
    places = [{"kind": place.kind, "id": place.id} for _, place in standpoint.places]
    names = {(place.kind, place.id): name for name, place in standpoint.places}
    viewer = standpoint.authority.viewer
    rows = catalog.db.fetch_all(
        "find_grants_at", places=msgspec.json.encode(places).decode(), **viewer.parameters()
    )
    ways: dict[int, list[str]] = {
        row.role_id: list(row.names)
        for row in catalog.db.fetch_all("list_ways_to_roles", principal_id=viewer.principal_id)
    }
    useful = {Privilege.ADMINISTER, *question.privileges}
    return [_grant(row, names, ways) for row in rows if row.privilege in useful]


def _grant(
    row: Row, names: Mapping[tuple[str, int], ObjectName], ways: Mapping[int, list[str]]
) -> JsonObject:
    return {
        "kind": "grant",
        "privilege": row.privilege,
        "object": names[row.object_kind, row.object_id].address,
        "through": ways.get(row.role_id, []),
        "granted-by": row.granted_by,
        "granted-at-ms": epoch_ms(row.granted_at),
    }


def _settings(policy: Policy, question: Question) -> list[JsonObject]:
    if _is_security(question):
        return []
    if policy.is_open:
        return [{"kind": "setting", "setting": "auth.acl.enabled"}]
    if not policy.by_default.isdisjoint(question.privileges):
        return [{"kind": "setting", "setting": "auth.acl.default_permission"}]
    return []


def _in_words(question: Question, *, allowed: bool, disabled: bool) -> str:
    who, wanted = question.principal.name, " or ".join(question.privileges)
    if disabled:
        return f"Principal {who} is disabled"
    if allowed:
        return f"Principal {who} may use {wanted} on {question.target}"
    return (
        f"Principal {who} lacks {wanted} on {question.target}: no grant on it or on what it is in, to the principal"
        " or to one of its roles, gives that"
    )
