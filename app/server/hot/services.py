"""What the hot way shares with Flask."""

from collections.abc import Callable
from typing import Final, NamedTuple

from app.auth.authenticator import Authenticator
from app.auth.rates import TokenBuckets

EXTENSION: Final = "bingsan.hot"
"""Under which the application has its ``HotServices``."""


class HotServices(NamedTuple):
    """``buckets`` are None without a limit of rates; ``names`` tells whether an entity tag is among those of an
    If-None-Match; ``forget`` drops what else is remembered of warehouses."""

    authenticator: Authenticator | None
    buckets: TokenBuckets | None
    names: Callable[[str, str], bool]
    forget: Callable[[], None]
