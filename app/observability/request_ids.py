"""Request ids: the client's when it is a sane one, else ours."""

import os
import random
import re
from typing import Final

_SANE: Final = re.compile(r"[\x21-\x7e]{1,128}").fullmatch

_source = random.Random()  # noqa: S311 - ids need to differ, not to be secret
os.register_at_fork(after_in_child=_source.seed)


def new_request_id() -> str:
    """32 hexadecimal digits from 128 random bits; forked processes draw from generators of their own."""
    return f"{_source.getrandbits(128):032x}"


def accept_request_id(received: str | None) -> str:
    """``received`` if it is 1 to 128 visible ASCII characters, else a new id."""
    return received if received is not None and _SANE(received) else new_request_id()
