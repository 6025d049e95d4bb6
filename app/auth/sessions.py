"""What is known of the one who makes a request, for as long as a credential is good."""

import time
from collections import OrderedDict
from dataclasses import dataclass

from app.auth.principals import ANONYMOUS, Principal

MOST_SESSIONS = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """A principal with the limits of its credential.

    ``credential`` tells which one it was without being secret (``key:12``, ``token:<id>``); ``scopes`` narrow what the
    principal may do, empty for not at all; ``expires_at`` is in seconds since the epoch, None for never; ``roles`` are
    names of roles that an external provider vouches for. ``granting`` are the scopes that an administrator gave to the
    API key behind it: with ``compat.go_scopes`` they do not only narrow but grant. ``recheck_at`` is when the
    credential has to be looked at again although it may not have expired: an external provider may have withdrawn its
    key.
    """

    principal: Principal
    credential: str = ""
    scopes: frozenset[str] = frozenset()
    expires_at: float | None = None
    roles: tuple[str, ...] = ()
    granting: frozenset[str] = frozenset()
    key_id: int | None = None
    recheck_at: float | None = None

    def is_remembered(self, now: float) -> bool:
        """Whether it may be taken for good without looking at the credential again."""
        return all(end is None or now < end for end in (self.expires_at, self.recheck_at))


NOBODY_IN_PARTICULAR = Session(ANONYMOUS)


class SessionCache:
    """Sessions of one worker by the SHA-256 of their credential; the least recently used give way.

    All of them are forgotten as soon as ``security_version`` is seen to have grown.
    """

    def __init__(self, most: int = MOST_SESSIONS) -> None:
        self._most = most
        self._version = 0
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()

    def find(self, digest: bytes, version: int) -> Session | None:
        """Return the session of a credential if it was loaded at ``version`` or later and still holds."""
        if version > self._version:
            self._sessions.clear()
            self._version = version
        session = self._sessions.get(digest)
        if session is None:
            return None
        if not session.is_remembered(time.time()):
            del self._sessions[digest]
            return None
        self._sessions.move_to_end(digest)
        return session

    def keep(self, digest: bytes, version: int, session: Session) -> None:
        """Keep a session whose loading began when ``version`` was the newest; not if something changed since."""
        if version != self._version:
            return
        self._sessions[digest] = session
        if len(self._sessions) > self._most:
            self._sessions.popitem(last=False)
