"""Partition and sort transforms.

Source: the Iceberg table specification, "Partition Transforms". Unknown transforms are legal.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from app.errors import IllegalArgumentException
from app.metadata.shapes import INT_MAX
from app.metadata.types import PrimitiveType

_DATES = frozenset({"date", "timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns"})
_TRUNCATABLE = frozenset({"int", "long", "decimal", "string", "binary"})
_SOURCES = {
    "bucket": _DATES | _TRUNCATABLE | {"time", "uuid", "fixed"},
    "truncate": _TRUNCATABLE,
    "year": _DATES,
    "month": _DATES,
    "day": _DATES,
    "hour": _DATES - {"date"},
}
_WITH_WIDTH = re.compile(r"(\w+)\[([0-9]+)\]", re.ASCII)
_BARE = ("identity", "void", "year", "month", "day", "hour")


class Transform(NamedTuple):
    """A transform; ``text`` is its canonical form, ``name`` is empty when it is not known."""

    text: str
    name: str

    @property
    def is_void(self) -> bool:
        return self.name == "void"

    def applies_to(self, source: PrimitiveType) -> bool:
        if self.name == "identity":
            return source.kind not in ("geometry", "geography")
        return self.name not in _SOURCES or source.kind in _SOURCES[self.name]

    def can_be_loaded(self, source: PrimitiveType | None, is_variant: bool) -> bool:
        """Tell whether Java can bind it, in a spec that is not in use, to a column changed since."""
        if source is not None:
            return self.applies_to(source)
        return self.name not in _SOURCES and not (self.name == "identity" and is_variant)


@lru_cache(maxsize=4096)
def parse_transform(text: str) -> Transform:
    """Parse a transform's text, letter case aside.

    :raises IllegalArgumentException: when a known transform has a width that is not positive
    """
    lower = text.lower()
    if lower in _BARE:
        return Transform(lower, lower)
    match = _WITH_WIDTH.fullmatch(lower)
    if match and match[1] in ("bucket", "truncate"):
        width = int(match[2][:20])
        if not 0 < width <= INT_MAX:
            raise IllegalArgumentException(f"Invalid width of transform: {text} (must be positive)")
        return Transform(f"{match[1]}[{width}]", match[1])
    return Transform(text, "")
