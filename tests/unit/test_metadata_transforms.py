"""Partition and sort transforms."""

import pytest

from app.errors import IllegalArgumentException
from app.metadata.transforms import parse_transform
from app.metadata.types import parse_primitive

NUMBERS = {"int", "long", "decimal(9,2)"}
DATES = {"date", "timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns"}
EVERY_TYPE = {
    *NUMBERS,
    *DATES,
    *("boolean", "float", "double", "time", "string", "uuid", "fixed[4]", "binary", "unknown"),
    *("geometry", "geography"),
}
APPLIES = {
    "identity": EVERY_TYPE - {"geometry", "geography"},
    "bucket[16]": NUMBERS | DATES | {"time", "string", "uuid", "fixed[4]", "binary"},
    "truncate[3]": NUMBERS | {"string", "binary"},
    "year": DATES,
    "month": DATES,
    "day": DATES,
    "hour": DATES - {"date"},
    "void": EVERY_TYPE,
    "zorder": EVERY_TYPE,
}


@pytest.mark.parametrize("text", sorted(APPLIES))
def test_sources_of_a_transform(text: str) -> None:
    transform = parse_transform(text)
    assert {kind for kind in EVERY_TYPE if transform.applies_to(parse_primitive(kind))} == APPLIES[text]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Identity", "identity"),
        ("VOID", "void"),
        ("Bucket[016]", "bucket[16]"),
        ("truncate[3]", "truncate[3]"),
        ("zOrder", "zOrder"),
        ("bucket[x]", "bucket[x]"),
        ("bucket", "bucket"),
        ("years", "years"),
        ("", ""),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    assert parse_transform(text).text == canonical


@pytest.mark.parametrize(
    "text", ["bucket[0]", "truncate[0]", "bucket[2147483648]", "bucket[" + "9" * 400 + "]"]
)
def test_widths_are_positive(text: str) -> None:
    with pytest.raises(IllegalArgumentException, match="Invalid width"):
        parse_transform(text)


def test_only_void_is_void() -> None:
    assert parse_transform("Void").is_void
    assert not parse_transform("identity").is_void
