"""Versions of a view: shape, equality, expiry.

Source: the Iceberg view specification, "Versions", and the Java reference's ``ViewMetadata``.
"""

from typing import Any

from app.errors import IllegalArgumentException, ValidationException
from app.metadata.properties import (
    DROP_DIALECT_ALLOWED,
    VERSION_HISTORY_SIZE,
    VERSION_HISTORY_SIZE_DEFAULT,
    boolean_property,
    integer_property,
)
from app.metadata.shapes import (
    JsonObject,
    as_array_of,
    as_int,
    as_long,
    as_object,
    as_string,
    as_string_map,
    as_strings,
    optional,
    required,
    without_nulls,
)

REPRESENTATION_TYPES = ("sql",)


def read_version(value: Any, path: str) -> JsonObject:
    """Check a version's shape and return it without null members.

    :raises BadRequestException: when the shape is wrong
    :raises IllegalArgumentException: when a dialect has two queries, or there is no query
    """
    version = without_nulls(as_object(value, path), ("default-catalog",))
    required(version, "version-id", path, as_int)
    required(version, "timestamp-ms", path, as_long)
    required(version, "schema-id", path, as_int)
    required(version, "summary", path, as_string_map)
    required(version, "default-namespace", path, as_strings)
    optional(version, "default-catalog", path, as_string)
    representations = required(version, "representations", path, as_array_of(_read_representation))
    if not representations:
        raise IllegalArgumentException("Invalid view version: at least one representation is required")
    seen = set()
    for representation in representations:
        dialect = representation["dialect"].lower()
        if dialect in seen:
            raise IllegalArgumentException(
                f"Invalid view version: Cannot add multiple queries for dialect {dialect}"
            )
        seen.add(dialect)
    return {**version, "representations": representations}


def _read_representation(value: Any, path: str) -> JsonObject:
    representation = as_object(value, path)
    kind = required(representation, "type", path, as_string).lower()
    if kind not in REPRESENTATION_TYPES:
        accepted = ", ".join(REPRESENTATION_TYPES)
        raise ValidationException(
            f"{path}.type: unknown representation type {representation['type']!r}, accepted: {accepted}"
        )
    required(representation, "sql", path, as_string)
    required(representation, "dialect", path, as_string)
    return {**representation, "type": kind}


def same_version(one: JsonObject, other: JsonObject) -> bool:
    """Tell whether two versions would behave alike: equal but for id and time."""
    members = ("summary", "representations", "default-catalog", "default-namespace", "schema-id")
    return all(one.get(member) == other.get(member) for member in members)


def check_dialects(previous: JsonObject, current: JsonObject, properties: dict[str, str]) -> None:
    """:raises IllegalArgumentException: when a dialect is lost and the properties do not allow it"""
    lost = _dialects(previous) - _dialects(current)
    if lost and not boolean_property(properties, DROP_DIALECT_ALLOWED):
        raise IllegalArgumentException(
            f"Cannot replace view due to loss of view dialects ({DROP_DIALECT_ALLOWED}=false): "
            f"{', '.join(sorted(lost))}"
        )


def _dialects(version: JsonObject) -> set[str]:
    return {representation["dialect"].lower() for representation in version["representations"]}


def expire_versions(document: JsonObject, added_ids: set[int]) -> None:
    """Keep the current version and then the newest; drop the log before a version that is gone.

    :raises ValidationException: when the history size is not positive
    """
    properties = document.get("properties", {})
    size = integer_property(properties, VERSION_HISTORY_SIZE, VERSION_HISTORY_SIZE_DEFAULT)
    if size <= 0:
        raise ValidationException(f"{VERSION_HISTORY_SIZE} must be positive but was {size}")
    current_id = document["current-version-id"]
    keep = max(size, len(added_ids | {current_id}))
    versions = document["versions"]
    if len(versions) <= keep:
        return
    newest = sorted((item["version-id"] for item in versions), reverse=True)
    kept = {current_id, *[item for item in newest if item != current_id][: keep - 1]}
    document["versions"] = [item for item in versions if item["version-id"] in kept]
    document["version-log"] = _log_since_gap(document["version-log"], kept)


def _log_since_gap(log: list[JsonObject], kept: set[int]) -> list[JsonObject]:
    result: list[JsonObject] = []
    for entry in log:
        if entry["version-id"] in kept:
            result.append(entry)
        else:
            result.clear()
    return result
