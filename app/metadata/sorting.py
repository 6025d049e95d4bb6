"""Sort orders: shape and equality; their sources follow the rules of partition sources.

Source: the Iceberg table specification, "Sorting", and the Java reference's ``SortOrder``.
"""

from typing import Any

from app.errors import BadRequestException, IllegalArgumentException
from app.metadata.partitioning import source_ids
from app.metadata.shapes import (
    JsonObject,
    as_array_of,
    as_int,
    as_ints,
    as_object,
    as_string,
    optional,
    required,
    without_nulls,
)
from app.metadata.transforms import parse_transform

_DIRECTIONS = ("asc", "desc")
_NULL_ORDERS = ("nulls-first", "nulls-last")


def unsorted() -> JsonObject:
    return {"order-id": 0, "fields": []}


def read_order(value: Any, path: str) -> JsonObject:
    """Check a sort order's shape and return it with canonical members.

    :raises BadRequestException: when the shape is wrong
    """
    order = as_object(value, path)
    optional(order, "order-id", path, as_int)
    return {**order, "fields": required(order, "fields", path, as_array_of(_read_field))}


def _read_field(value: Any, path: str) -> JsonObject:
    field = without_nulls(as_object(value, path), ("source-id", "source-ids"))
    sources = optional(field, "source-ids", path, as_ints)
    if not sources or "source-id" in field:
        required(field, "source-id", path, as_int)
    return {
        **field,
        "transform": parse_transform(required(field, "transform", path, as_string)).text,
        "direction": _choice(field, "direction", path, _DIRECTIONS),
        "null-order": _choice(field, "null-order", path, _NULL_ORDERS),
    }


def _choice(field: JsonObject, name: str, path: str, choices: tuple[str, ...]) -> str:
    text = required(field, name, path, as_string)
    if text.lower() not in choices:
        raise BadRequestException(f"{path}.{name}: expected one of {', '.join(choices)}, got {text!r}")
    return text.lower()


def check_order_id(order: JsonObject) -> None:
    """Check that the id 0 and the order without fields go together.

    :raises IllegalArgumentException: when they do not
    """
    order_id = order.get("order-id")
    if order_id is None:
        return
    if not order["fields"] and order_id != 0:
        raise IllegalArgumentException("Unsorted order ID must be 0")
    if order["fields"] and order_id == 0:
        raise IllegalArgumentException("Sort order ID 0 is reserved for unsorted order")


def same_order(one: JsonObject, other: JsonObject) -> bool:
    """Tell whether two orders sort alike, their ids aside."""
    return [_key(field) for field in one["fields"]] == [_key(field) for field in other["fields"]]


def _key(field: JsonObject) -> tuple[str, tuple[int, ...], str, str]:
    transform = parse_transform(field["transform"]).text
    return transform, tuple(source_ids(field)), field["direction"].lower(), field["null-order"].lower()
