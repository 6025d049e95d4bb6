"""Primitive types and their JSON values."""

from typing import Any

import pytest

from app.metadata.types import MINIMUM_VERSIONS, is_value, parse_primitive

PLAIN = sorted(set(MINIMUM_VERSIONS) - {"fixed", "decimal"})


@pytest.mark.parametrize("text", [*PLAIN, "fixed[16]", "decimal(9,2)", "decimal(38, 0)", "fixed[ 1 ]"])
def test_type_is_known(text: str) -> None:
    assert parse_primitive(text).kind in text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("decimal(9,2)", "decimal( 9 , 2 )"),
        ("fixed[16]", "fixed[ 16 ]"),
        ("geometry", "geometry(OGC:CRS84)"),
        ("geography", "geography( OGC:CRS84 , spherical )"),
        ("geography(EPSG:4326)", "geography(EPSG:4326, spherical)"),
    ],
)
def test_texts_of_the_same_type(one: str, other: str) -> None:
    assert parse_primitive(one) == parse_primitive(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("decimal(9,2)", "decimal(9,3)"),
        ("fixed[16]", "fixed[17]"),
        ("geometry(EPSG:4326)", "geometry"),
        ("geography(EPSG:4326, karney)", "geography(EPSG:4326)"),
        ("timestamp", "timestamptz"),
    ],
)
def test_texts_of_different_types(one: str, other: str) -> None:
    assert parse_primitive(one) != parse_primitive(other)


@pytest.mark.parametrize(
    "text",
    [
        *("", "text", "INT", "int ", "struct", "list", "map", "fixed", "decimal"),
        *("fixed[0]", "fixed[-1]", "fixed[x]", "fixed[99999999999]", "fixed[²]"),
        *("decimal(39,1)", "decimal(0,0)", "decimal(9)", "decimal(9,-1)", "decimal(9,9999999999)"),
        *("geography(EPSG:4326, flat)", "geometry(", "timestamp_ms"),
    ],
)
def test_type_is_unknown(text: str) -> None:
    with pytest.raises(ValueError, match=r"type|must be|must fit|algorithm"):
        parse_primitive(text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("boolean", True),
        ("int", 2**31 - 1),
        ("long", -(2**63)),
        ("float", 1.5),
        ("double", 1e300),
        ("decimal(9,2)", "14.20"),
        ("decimal(9,2)", "-0.01"),
        ("decimal(9,0)", "14"),
        ("date", "2024-02-29"),
        ("time", "23:59:59.999999"),
        ("time", "23:59"),
        ("timestamp", "2024-02-29T23:59:59.123456"),
        ("timestamptz", "2024-02-29T23:59:59.123456+00:00"),
        ("timestamp_ns", "2024-02-29T23:59:59.123456789"),
        ("timestamptz_ns", "2024-02-29T23:59:59.123456789+00:00"),
        ("string", ""),
        ("uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7"),
        ("fixed[2]", "00fF"),
        ("binary", ""),
        ("binary", "00ff"),
    ],
)
def test_value_of_type(kind: str, value: Any) -> None:
    assert is_value(value, parse_primitive(kind))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("boolean", 1),
        ("int", 2**31),
        ("int", True),
        ("int", 1.0),
        ("int", "1"),
        ("long", 2**63),
        ("float", 1),
        ("double", "1.0"),
        ("decimal(9,2)", "14.2"),
        ("decimal(9,2)", "12345678.90"),
        ("decimal(9,2)", 14.2),
        ("decimal(9,2)", "NaN"),
        ("decimal(9,2)", "x"),
        ("date", "2023-02-29"),
        ("date", "20230228"),
        ("date", 5),
        ("time", "25:00"),
        ("time", "noon"),
        ("timestamp", "2024-02-29T23:59:59+00:00"),
        ("timestamp", "2024-02-30T23:59:59"),
        ("timestamptz", "2024-02-29T23:59:59"),
        ("timestamptz", "2024-02-29T23:59:59+02:00"),
        ("string", 5),
        ("uuid", "f79c3e09"),
        ("fixed[2]", "00"),
        ("fixed[2]", "00zz"),
        ("binary", "0"),
        ("unknown", "x"),
        ("geometry", "POINT (1 1)"),
        ("variant", "x"),
    ],
)
def test_no_value_of_type(kind: str, value: Any) -> None:
    assert not is_value(value, parse_primitive(kind))
