"""What a principal is and may do at large: its roles, and its rights on the server and on whole warehouses."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from app.auth.privileges import NONE, Privileges, complete, privileges_of
from app.auth.sessions import Session
from app.db import Database

MOST_AUTHORITIES = 10_000


class Viewer(NamedTuple):
    """By what queries know whose rights to look for."""

    principal_id: int | None
    role_ids: tuple[int, ...]

    def parameters(self) -> dict[str, object]:
        return {"principal_id": self.principal_id, "role_ids": list(self.role_ids)}


class Authority(NamedTuple):
    """``warehouses`` are rights on warehouses by id; ``seen`` are the ids of those in which there is any right."""

    viewer: Viewer
    server: Privileges
    warehouses: Mapping[int, Privileges]
    seen: frozenset[int]

    def at_large(self, warehouse_id: int | None) -> Privileges:
        """Return the rights that hold for all of a warehouse, or with None for the server."""
        if warehouse_id is None:
            return self.server
        return complete(self.server | self.warehouses.get(warehouse_id, NONE))


def load_authority(db: Database, principal_id: int | None, roles: Iterable[str] = ()) -> Authority:
    """
    :param roles: names of roles beside those that the principal is a member of
    """
    row = db.fetch_one("load_authority", principal_id=principal_id, roles=list(roles))
    pairs: list[tuple[int, str]] = msgspec.json.decode(row.warehouses, type=list[tuple[int, str]])
    granted: dict[int, set[str]] = {}
    for warehouse_id, privilege in pairs:
        granted.setdefault(warehouse_id, set()).add(privilege)
    return Authority(
        Viewer(principal_id, tuple(row.role_ids)),
        privileges_of(row.server),
        {warehouse_id: privileges_of(names) for warehouse_id, names in granted.items()},
        frozenset(row.seen),
    )


class Authorities:
    """Authorities as one worker remembers them, all of one ``security_version``."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._version = 0
        self._known: OrderedDict[tuple[int | None, tuple[str, ...]], Authority] = OrderedDict()

    def of(self, session: Session, version: int) -> Authority:
        """Return the authority of a session's principal.

        :param version: the ``security_version`` that the request at hand knows of
        """
        if version > self._version:
            self._known.clear()
            self._version = version
        key = (session.principal.id, session.roles)
        known = self._known.get(key)
        if known is None:
            known = load_authority(self._db, *key)
            if version == self._version:
                self._known[key] = known
                if len(self._known) > MOST_AUTHORITIES:
                    self._known.popitem(last=False)
        return known
