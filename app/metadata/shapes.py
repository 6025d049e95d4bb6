"""Checks of JSON shapes that name the path of what is wrong.

A *reader* takes ``(value, path)`` and returns the value or raises. Integers are JSON integers only: ``true``
and ``1.0`` are none. An explicit null counts as absent.
"""

import re
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from app.errors import BadRequestException, ValidationException

JsonObject = dict[str, Any]
T = TypeVar("T")
Reader = Callable[[Any, str], T]

INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_KINDS = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal number",
    type(None): "null",
}


def refuse(path: str, expected: str, value: object) -> NoReturn:
    got = _KINDS.get(type(value), type(value).__name__)
    raise BadRequestException(f"{path}: expected {expected}, got {got}")


def as_object(value: Any, path: str) -> JsonObject:
    if type(value) is not dict:
        refuse(path, "an object", value)
    return value


def as_array(value: Any, path: str) -> list[Any]:
    if type(value) is not list:
        refuse(path, "an array", value)
    return value


def as_string(value: Any, path: str) -> str:
    if type(value) is not str:
        refuse(path, "a string", value)
    return value


def as_boolean(value: Any, path: str) -> bool:
    if type(value) is not bool:
        refuse(path, "a boolean", value)
    return value


def as_int(value: Any, path: str) -> int:
    return _integer(value, path, INT_MAX, 32)


def as_long(value: Any, path: str) -> int:
    return _integer(value, path, LONG_MAX, 64)


def _integer(value: Any, path: str, maximum: int, bits: int) -> int:
    if type(value) is not int:
        refuse(path, "an integer", value)
    if not -maximum - 1 <= value <= maximum:
        raise BadRequestException(f"{path}: expected an integer of {bits} bits, got {value}")
    return value


def as_uuid(value: Any, path: str) -> str:
    text = as_string(value, path)
    if not _UUID.fullmatch(text):
        raise BadRequestException(f"{path}: expected a UUID, got {text!r}")
    return text


def as_location(value: Any, path: str) -> str:
    """Return a location without its trailing slashes (``s3://`` keeps its own)."""
    location = strip_slashes(as_string(value, path))
    if not location:
        raise BadRequestException(f"{path}: must not be empty")
    return location


def strip_slashes(location: str) -> str:
    while location.endswith("/") and not location.endswith("://"):
        location = location[:-1]
    return location


def as_string_map(value: Any, path: str) -> dict[str, str]:
    items: dict[str, str] = as_object(value, path)
    for key, item in items.items():
        if type(item) is not str:
            refuse(f"{path}.{key}", "a string", item)
    return items


def as_array_of(reader: Reader[T]) -> Reader[list[T]]:
    """Make a reader of arrays whose items ``reader`` accepts."""

    def read(value: Any, path: str) -> list[T]:
        return [reader(item, f"{path}[{i}]") for i, item in enumerate(as_array(value, path))]

    return read


as_strings = as_array_of(as_string)
as_ints = as_array_of(as_int)
as_longs = as_array_of(as_long)


def required(owner: JsonObject, name: str, path: str, reader: Reader[T]) -> T:
    """Return member ``name`` of ``owner``, which lies at ``path``.

    :raises BadRequestException: when it is missing, null, or not what ``reader`` accepts
    """
    if name not in owner:
        raise BadRequestException(f"{path}.{name}: missing")
    return reader(owner[name], f"{path}.{name}")


def optional(owner: JsonObject, name: str, path: str, reader: Reader[T]) -> T | None:
    """Return member ``name`` of ``owner``, or None when it is missing or null."""
    value = owner.get(name)
    return None if value is None else reader(value, f"{path}.{name}")


def next_id(highest: int) -> int:
    """Return the id after ``highest``.

    :raises ValidationException: when there is none of 32 bits
    """
    if highest >= INT_MAX:
        raise ValidationException(f"Cannot assign an id after {highest}: it would exceed 32 bits")
    return highest + 1


def without_nulls(owner: JsonObject, names: tuple[str, ...]) -> JsonObject:
    """Return ``owner``, or a copy of it without those of ``names`` that are null."""
    nulls = [name for name in names if name in owner and owner[name] is None]
    return {name: value for name, value in owner.items() if name not in nulls} if nulls else owner
