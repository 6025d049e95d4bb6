"""What one request may do: a principal, its rights, and how far its credential reaches."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from app.auth.authority import Authority, Viewer
from app.auth.decide import Need, Place, Policy, Verdict, held, judge, reach
from app.auth.names import ANY, AuthorizedNames
from app.auth.privileges import Privileges, complete, privileges_of
from app.auth.sessions import Session
from app.db import Database
from app.identifiers import Namespace, TableIdentifier


class Wanted(NamedTuple):
    """Something in a warehouse that somebody wants to do something with: a namespace, or with a name what is in it.

    ``may_be_missing`` is for what the request may create itself.
    """

    need: Need
    namespace: Namespace
    name: str | None = None
    may_be_missing: bool = False

    @property
    def kind(self) -> str:
        return self.need.on

    @property
    def full_name(self) -> Namespace | TableIdentifier:
        return self.namespace if self.name is None else TableIdentifier(self.namespace, self.name)


class Found(NamedTuple):
    """What came of looking for something wanted; ``object_id`` is None when it is missing.

    ``privileges`` is what the principal may do with it, or with what could be there; ``is_place_seen`` tells whether
    its namespace is there and may be seen.
    """

    wanted: Wanted
    verdict: Verdict
    privileges: Privileges
    object_id: int | None
    is_place_seen: bool


class Access:
    """``names`` are those that the request was authorized for."""

    def __init__(
        self, db: Database, session: Session, authority: Authority, policy: Policy, names: AuthorizedNames
    ) -> None:
        self._db = db
        self.session = session
        self.authority = authority
        self.names = names
        self._implied = policy.implied(session.granting)

    def at_large(self, warehouse_id: int | None, *, is_security: bool = False) -> Privileges:
        """Return what the principal may do with all of a warehouse, or with None with the server."""
        granted = self.authority.at_large(warehouse_id)
        return granted if is_security else complete(granted | self._implied)

    def sees(self, warehouse_id: int) -> bool:
        """Whether there is anything in the warehouse that the principal may see."""
        return warehouse_id in self.authority.seen or bool(self.at_large(warehouse_id))

    def viewer(self, warehouse_id: int | None) -> Viewer | None:
        """Whose rights a listing has to look for; None when everything may be seen."""
        return None if self.at_large(warehouse_id) else self.authority.viewer

    def within(self, need: Need) -> Privileges:
        """Return how far the credential reaches."""
        return reach(self.session.scopes, is_signing=need.is_signing)

    def judge_at_large(self, need: Need, warehouse_id: int | None) -> Verdict:
        """Decide about the server or a whole warehouse, which may be seen."""
        privileges = self.at_large(warehouse_id, is_security=need.is_security)
        return judge(need, privileges, self.within(need), is_visible=True)

    def judge(self, warehouse_id: int, wanted: Sequence[Wanted]) -> list[Found]:
        """Decide about things in a warehouse, with at most one statement, and bind the names of those allowed.

        Names under which there is nothing are bound as well, so that nothing that comes later is taken for it.

        :raises MeaningChanged: when a name was bound to another object before
        """
        within = [self.within(item.need) for item in wanted]
        above = [self.at_large(warehouse_id, is_security=item.need.is_security) for item in wanted]
        verdicts = [
            judge(item.need, privileges, limit)
            for item, privileges, limit in zip(wanted, above, within, strict=True)
        ]
        if all(verdict is Verdict.ALLOWED for verdict in verdicts):
            for item in wanted:
                self._bind(item, ANY, ANY)
            return [
                Found(item, Verdict.ALLOWED, privileges, ANY, is_place_seen=True)
                for item, privileges in zip(wanted, above, strict=True)
            ]
        paths = resolve_places(self._db, self.authority.viewer, warehouse_id, wanted)
        return [
            self._judge_one(warehouse_id, *each) for each in zip(wanted, paths, above, within, strict=True)
        ]

    def _judge_one(
        self,
        warehouse_id: int,
        wanted: Wanted,
        path: Sequence[Place],
        above: Privileges,
        within: Privileges,
    ) -> Found:
        privileges = held(self.authority.viewer.principal_id, path, above)
        depth = len(wanted.namespace)
        namespace_id = path[depth - 1].id if len(path) >= depth else None
        object_id = path[-1].id if len(path) == depth + (wanted.name is not None) else None
        is_place_seen = bool(privileges)
        if not is_place_seen and namespace_id is not None and wanted.kind in ("namespace", "function"):
            is_place_seen = self._sees_below(warehouse_id, wanted.namespace)
        # What settings let everybody see can be seen, also where only granted rights count.
        is_visible = (is_place_seen and wanted.kind == "namespace") or bool(self.at_large(warehouse_id))
        verdict = judge(wanted.need, privileges, within, is_visible=is_visible)
        if verdict is Verdict.ALLOWED or object_id is None:
            self._bind(wanted, namespace_id, object_id)
        return Found(wanted, verdict, privileges, object_id, is_place_seen and namespace_id is not None)

    def _bind(self, wanted: Wanted, namespace_id: int | None, object_id: int | None) -> None:
        if wanted.kind != "namespace":
            self.names.bind("namespace", wanted.namespace, namespace_id)
        if wanted.kind != "function":
            self.names.bind(wanted.kind, wanted.full_name, object_id)

    def _sees_below(self, warehouse_id: int, namespace: Namespace) -> bool:
        row = self._db.fetch_one(
            "find_visible_below",
            warehouse_id=warehouse_id,
            levels=list(namespace),
            beyond=list(namespace.beyond),
            **self.authority.viewer.parameters(),
        )
        return bool(row.found)


def resolve_places(
    db: Database, viewer: Viewer, warehouse_id: int, wanted: Sequence[Wanted]
) -> list[list[Place]]:
    """Return for each thing wanted the places on the way to it, outermost first, as far as they exist."""
    names = [{"namespace": item.namespace, "name": item.name, "kind": item.kind} for item in wanted]
    rows = db.fetch_all(
        "resolve_places",
        warehouse_id=warehouse_id,
        names=msgspec.json.encode(names).decode(),
        **viewer.parameters(),
    )
    paths: list[list[Place]] = [[] for _ in wanted]
    for row in rows:
        place = Place(row.kind, row.id, row.owner_id, privileges_of(row.privileges))
        paths[row.position - 1].append(place)
    return paths
