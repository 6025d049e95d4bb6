"""Names of metadata files that tell who made them, and when.

Their UUID is of version 8, whose bits are the maker's business (RFC 9562, 5.8): the first group is the second in which
it was made, the last eight digits are the warehouse's mark, the rest is random. Files of other catalogs, of another
installation and of older versions never look like that.
"""

import os
import re
import time
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from app.catalog.context import Warehouse

_NAME = re.compile(
    r"[0-9]{5,18}-([0-9a-f]{8})-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{4}([0-9a-f]{8})"
    r"(\.gz)?\.metadata\.json"
)


def unique_text(warehouse: Warehouse) -> str:
    """A text for the name of a file that was never used before."""
    return str(_uuid(int(time.time()), int.from_bytes(os.urandom(8)), _mark(warehouse)))


def is_made_by(warehouse: Warehouse, name: str) -> bool:
    """Whether a file is metadata of the warehouse that this installation made, as far as its name tells."""
    match = _NAME.fullmatch(name)
    return match is not None and int(match[2], 16) == _mark(warehouse)


def second_of(location: str) -> int:
    """Return when a file that we made was named, in seconds since 1970."""
    return int(location.rpartition("/")[2].split("-")[1], 16)


def _uuid(seconds: int, chance: int, mark: int) -> UUID:
    high = (seconds & 0xFFFFFFFF) << 32 | (chance >> 48) << 16 | 8 << 12 | chance >> 36 & 0xFFF
    low = 0b10 << 62 | (chance >> 22 & 0x3FFF) << 48 | (chance & 0xFFFF) << 32 | mark
    return UUID(int=high << 64 | low)


def _mark(warehouse: Warehouse) -> int:
    return _mark_of(warehouse.id, warehouse.created_at)


@lru_cache(1024)
def _mark_of(warehouse_id: int, created_at: datetime) -> int:
    """The moment of its creation, to the microsecond, tells a warehouse from those of other databases."""
    text = f"{warehouse_id} {created_at.astimezone(UTC).isoformat()}"
    return int.from_bytes(sha256(text.encode()).digest()[:4])
