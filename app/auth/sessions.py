"""What is known of the one who makes a request, for as long as a credential is good."""

from dataclasses import dataclass

from app.auth.principals import ANONYMOUS, Principal


@dataclass(frozen=True, slots=True)
class Session:
    """A principal with the limits of its credential.

    ``credential`` tells which one it was without being secret (``key:12``, ``token:<id>``); ``scopes`` narrow what the
    principal may do, empty for not at all; ``expires_at`` is in seconds since the epoch, None for never; ``roles`` are
    names of roles that an external provider vouches for.
    """

    principal: Principal
    credential: str = ""
    scopes: frozenset[str] = frozenset()
    expires_at: float | None = None
    roles: tuple[str, ...] = ()


NOBODY_IN_PARTICULAR = Session(ANONYMOUS)
