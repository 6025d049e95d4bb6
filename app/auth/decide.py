"""May somebody do that? The rules alone: no database, no request.

Rights only add up. Who has one on an object has it on all that lies in it, and who created something administers it.
"""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple, Self

from app.auth.privileges import ALL, LEVELS, NONE, SIGNING, Privilege, Privileges, privileges_of
from app.auth.scopes import CATALOG, SIGN
from app.config import Settings


class Need(NamedTuple):
    """What is needed: one of ``privileges``, without any to see the object, on what ``on`` names.

    ``on`` is ``server``, ``warehouse``, ``namespace``, ``table``, ``view`` or ``function``; empty when being somebody
    is enough, or when ``text`` says what is asked for later. ``is_security`` is about who may come in and do what, so
    that only rights count that were granted to somebody. ``is_signing`` is what the scope ``sign`` is good for.
    """

    privileges: tuple[Privilege, ...] = ()
    on: str = ""
    text: str = ""
    is_security: bool = False
    is_signing: bool = False


class Place(NamedTuple):
    """An object on the way to what is meant, with what is granted to somebody there; ``kind`` as in ``Need.on``."""

    kind: str
    id: int
    owner_id: int | None
    granted: Privileges


class Verdict(Enum):
    """``HIDDEN`` is not to be told from missing; ``NARROWED`` is what only the credential's scopes forbid."""

    ALLOWED = "allowed"
    HIDDEN = "hidden"
    FORBIDDEN = "forbidden"
    NARROWED = "narrowed"


def held(principal_id: int | None, places: Iterable[Place], above: Privileges = NONE) -> Privileges:
    """Return what somebody may do with the innermost of ``places``.

    :param above: what holds for all that is in the outermost of them
    """
    found = set(above)
    for place in places:
        found |= place.granted
        if place.owner_id is not None and place.owner_id == principal_id:
            found.add(Privilege.ADMINISTER)
    return ALL if Privilege.ADMINISTER in found else frozenset(found)


def reach(scopes: frozenset[str], *, is_signing: bool = False) -> Privileges:
    """Return how far a credential with these scopes reaches, whatever its principal may do."""
    if not scopes or CATALOG in scopes:
        return ALL
    found: set[Privilege] = set()
    for scope in scopes:
        found |= LEVELS.get(scope, NONE)
    if is_signing and SIGN in scopes:
        found |= SIGNING
    return frozenset(found)


def judge(need: Need, privileges: Privileges, within: Privileges, *, is_visible: bool = False) -> Verdict:
    """
    :param privileges: what the principal may do with the object
    :param within: how far its credential reaches
    :param is_visible: whether something below the object may be seen, and the object because of it
    """
    is_visible = is_visible or bool(privileges)
    if not is_visible:
        return Verdict.HIDDEN
    if not need.privileges:
        return Verdict.ALLOWED if Privilege.LIST in within else Verdict.NARROWED
    if privileges.isdisjoint(need.privileges):
        return Verdict.FORBIDDEN
    return Verdict.NARROWED if (privileges & within).isdisjoint(need.privileges) else Verdict.ALLOWED


class Policy(NamedTuple):
    """What everybody may do, by the settings ``auth.acl`` and ``compat.go_scopes``; never what is about security."""

    is_open: bool = False
    by_default: Privileges = NONE
    scopes_grant: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Self:
        acl = settings.auth.acl
        return cls(not acl.enabled, LEVELS[acl.default_permission], settings.compat.go_scopes)

    def implied(self, granting: Iterable[str] = ()) -> Privileges:
        """
        :param granting: scopes that an administrator gave to the API key in use
        """
        if self.is_open:
            return ALL
        found = set(self.by_default)
        if self.scopes_grant:
            for scope in granting:
                found |= LEVELS.get(scope, NONE)
        return privileges_of(found)
