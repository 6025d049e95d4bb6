"""What the hot way shares with Flask."""

from collections.abc import Callable
from typing import Final, NamedTuple

from app.auth.authenticator import Authenticator
from app.auth.authority import Authorities
from app.auth.decide import Policy
from app.auth.rates import TokenBuckets
from app.auth.sessions import NOBODY_IN_PARTICULAR, Session
from app.catalog.context import Catalog
from app.catalog.warehouses import Warehouses
from app.server.hot.heads import Head

EXTENSION: Final = "bingsan.hot"
"""Under which the application has its ``HotServices``."""


class HotServices(NamedTuple):
    """``authenticator`` is None where nobody has to say who they are, ``buckets`` without a limit of rates; ``names``
    tells whether an entity tag is among those of an If-None-Match."""

    authenticator: Authenticator | None
    buckets: TokenBuckets | None
    names: Callable[[str, str], bool]
    catalog: Catalog
    warehouses: Warehouses
    authorities: Authorities
    policy: Policy

    def session(self, head: Head, version: int) -> Session | None:
        """Return whose request it is, if that is known without asking anybody.

        :param version: the ``security_version`` that holds
        """
        if self.authenticator is not None:
            return self.authenticator.remembered(head.digest or b"", version)
        return NOBODY_IN_PARTICULAR if self.buckets is None else None  # Flask counts by address

    def admits(self, session: Session) -> bool:
        """Count a request that is answered here; what is left to Flask is counted there."""
        if self.authenticator is None or self.buckets is None:
            return True
        return not self.buckets.take(_bucket(session))

    def forget(self, session: Session) -> None:
        """Do not count a request after all: it is left to Flask."""
        if self.authenticator is not None and self.buckets is not None:
            self.buckets.give_back(_bucket(session))


def _bucket(session: Session) -> str:
    return f"principal {session.principal.name}"
