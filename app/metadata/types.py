"""Primitive types: their text, the format version they need, and JSON values of them.

Source: the Iceberg table specification, "Primitive Types", "Default values" and appendix D.
"""

import re
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from app.metadata.shapes import INT_MAX, LONG_MAX

MINIMUM_VERSIONS = {
    "boolean": 1,
    "int": 1,
    "long": 1,
    "float": 1,
    "double": 1,
    "date": 1,
    "time": 1,
    "timestamp": 1,
    "timestamptz": 1,
    "string": 1,
    "uuid": 1,
    "binary": 1,
    "timestamp_ns": 3,
    "timestamptz_ns": 3,
    "variant": 3,
    "unknown": 3,
    "geometry": 3,
    "geography": 3,
    "fixed": 1,
    "decimal": 1,
}

_FIXED = re.compile(r"fixed\[\s*([0-9]{1,10})\s*\]")
_DECIMAL = re.compile(r"decimal\(\s*([0-9]{1,10})\s*,\s*([0-9]{1,10})\s*\)")
_GEOMETRY = re.compile(r"geometry\s*\(\s*([^)]*?)\s*\)")
_GEOGRAPHY = re.compile(r"geography\s*\(\s*([^,)]*?)\s*(?:,\s*([a-z]+)\s*)?\)")
_DEFAULT_CRS = "OGC:CRS84"
_EDGE_ALGORITHMS = ("spherical", "vincenty", "thomas", "andoyer", "karney")
_HEX = re.compile(r"([0-9a-fA-F]{2})*")
_TIME = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
_TIMESTAMP = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_TIME}(?P<zone>\+00:00|Z)?")


class PrimitiveType(NamedTuple):
    """A parsed type; two texts mean the same type when these are equal."""

    kind: str
    parameters: tuple[int | str, ...] = ()


@lru_cache(maxsize=4096)
def parse_primitive(text: str) -> PrimitiveType:
    """Parse a type such as ``decimal(9, 2)``.

    :raises ValueError: when there is no such type
    """
    if text in MINIMUM_VERSIONS and text not in ("fixed", "decimal"):
        return _bare(text)
    if match := _FIXED.fullmatch(text):
        return _fixed(int(match[1]))
    if match := _DECIMAL.fullmatch(text):
        return _decimal(int(match[1]), int(match[2]))
    if match := _GEOMETRY.fullmatch(text):
        return PrimitiveType("geometry", (match[1] or _DEFAULT_CRS,))
    if match := _GEOGRAPHY.fullmatch(text):
        return _geography(match[1] or _DEFAULT_CRS, match[2] or "spherical")
    raise ValueError(f"unknown type {text!r}")


def _bare(name: str) -> PrimitiveType:
    if name == "geometry":
        return PrimitiveType(name, (_DEFAULT_CRS,))
    if name == "geography":
        return PrimitiveType(name, (_DEFAULT_CRS, "spherical"))
    return PrimitiveType(name)


def _fixed(length: int) -> PrimitiveType:
    if not 0 < length <= INT_MAX:
        raise ValueError(f"fixed[{length}]: the length must be positive and fit 32 bits")
    return PrimitiveType("fixed", (length,))


def _decimal(precision: int, scale: int) -> PrimitiveType:
    if not 0 < precision <= 38:
        raise ValueError(f"decimal({precision},{scale}): the precision must be 1 to 38")
    if scale > INT_MAX:
        raise ValueError(f"decimal({precision},{scale}): the scale must fit 32 bits")
    return PrimitiveType("decimal", (precision, scale))


def _geography(crs: str, algorithm: str) -> PrimitiveType:
    if algorithm not in _EDGE_ALGORITHMS:
        raise ValueError(f"geography: unknown edge algorithm {algorithm!r}")
    return PrimitiveType("geography", (crs, algorithm))


def is_value(value: Any, kind: PrimitiveType) -> bool:
    """Tell whether a JSON value is a single value of a type, as default values are written."""
    name = kind.kind
    if name == "boolean":
        return type(value) is bool
    if name in ("int", "long"):
        maximum = INT_MAX if name == "int" else LONG_MAX
        return type(value) is int and -maximum - 1 <= value <= maximum
    if name in ("float", "double"):
        return type(value) is float
    return type(value) is str and _is_text_of(value, kind)


def _is_text_of(text: str, kind: PrimitiveType) -> bool:
    name = kind.kind
    if name == "string":
        return True
    if name == "uuid":
        return bool(re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text))
    if name == "binary":
        return _HEX.fullmatch(text) is not None
    if name == "fixed":
        return _HEX.fullmatch(text) is not None and len(text) == 2 * int(kind.parameters[0])
    if name == "decimal":
        return _is_decimal(text, int(kind.parameters[0]), int(kind.parameters[1]))
    return _is_moment(text, name)


def _is_decimal(text: str, precision: int, scale: int) -> bool:
    try:
        number = Decimal(text).as_tuple()
    except InvalidOperation:
        return False
    return number.exponent == -scale and len(number.digits) <= precision


def _is_moment(text: str, name: str) -> bool:
    try:
        if name == "date":
            return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)) and bool(date.fromisoformat(text))
        if name == "time":
            return bool(re.fullmatch(_TIME, text)) and bool(time.fromisoformat(text[:15]) is not None)
        if not name.startswith("timestamp"):
            return False
        match = _TIMESTAMP.fullmatch(text)
        zoned = name.startswith("timestamptz")
        return match is not None and bool(match["zone"]) == zoned and bool(datetime.fromisoformat(text[:26]))
    except ValueError:
        return False
