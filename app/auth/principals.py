"""Who makes requests."""

from typing import NamedTuple


class Principal(NamedTuple):
    """``id`` is that of its row, None for somebody without; ``kind`` is service, user, openid or anonymous."""

    id: int | None
    name: str
    kind: str


ANONYMOUS = Principal(None, "anonymous", "anonymous")
