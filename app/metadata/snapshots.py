"""Snapshots and the references to them: shapes and rules that need no table.

Source: the Iceberg table specification, "Snapshots" and "Snapshot References".
"""

from typing import Any

from app.errors import BadRequestException, IllegalArgumentException
from app.metadata.shapes import (
    JsonObject,
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

MAIN = "main"
OPERATIONS = ("append", "replace", "overwrite", "delete")
_OPTIONAL = (
    "parent-snapshot-id",
    "sequence-number",
    "manifest-list",
    "manifests",
    "summary",
    "schema-id",
    "first-row-id",
    "added-rows",
    "key-id",
)
_RETENTION = {"min-snapshots-to-keep": as_int, "max-snapshot-age-ms": as_long, "max-ref-age-ms": as_long}


def read_snapshot(value: Any, path: str) -> JsonObject:
    """Check a snapshot's shape and return it without null members.

    :raises BadRequestException: when the shape is wrong
    :raises IllegalArgumentException: when its row ids contradict one another
    """
    snapshot = without_nulls(as_object(value, path), _OPTIONAL)
    required(snapshot, "snapshot-id", path, as_long)
    required(snapshot, "timestamp-ms", path, as_long)
    for name in ("parent-snapshot-id", "sequence-number"):
        optional(snapshot, name, path, as_long)
    optional(snapshot, "schema-id", path, as_int)
    optional(snapshot, "key-id", path, as_string)
    optional(snapshot, "summary", path, as_string_map)
    optional(snapshot, "manifest-list", path, as_string)
    if "manifest-list" not in snapshot:
        if "manifests" not in snapshot:
            raise BadRequestException(f"{path}.manifest-list: missing")
        required(snapshot, "manifests", path, as_strings)
    _check_row_ids(snapshot, path)
    return snapshot


def _check_row_ids(snapshot: JsonObject, path: str) -> None:
    first_row_id = optional(snapshot, "first-row-id", path, as_long)
    added_rows = optional(snapshot, "added-rows", path, as_long)
    if first_row_id is not None and first_row_id < 0:
        raise IllegalArgumentException(f"Invalid first-row-id (cannot be negative): {first_row_id}")
    if added_rows is not None and added_rows < 0:
        raise IllegalArgumentException(f"Invalid added-rows (cannot be negative): {added_rows}")
    if first_row_id is not None and added_rows is None:
        raise IllegalArgumentException("Invalid added-rows (required when first-row-id is set): null")


def check_added_snapshot(snapshot: JsonObject, path: str) -> None:
    """Check what a snapshot must have when it is added to a table of format v2 or later.

    :raises BadRequestException: when the manifest list or the summary's operation is missing
    """
    required(snapshot, "manifest-list", path, as_string)
    summary = required(snapshot, "summary", path, as_string_map)
    required(summary, "operation", f"{path}.summary", as_string)


def check_operation(snapshot: JsonObject, path: str) -> None:
    """Python and Rust clients cannot load a table with an operation that they do not know.

    :raises BadRequestException: when the summary has one that the specification lacks
    """
    operation = (snapshot.get("summary") or {}).get("operation", OPERATIONS[0])
    if operation not in OPERATIONS:
        expected = ", ".join(OPERATIONS)
        raise BadRequestException(f"{path}.summary.operation: expected one of {expected}, got {operation!r}")


def read_ref(value: Any, path: str) -> JsonObject:
    """Check a reference and return it with a lower-case type and without null members.

    :raises BadRequestException: when the shape is wrong
    :raises IllegalArgumentException: when a retention setting is not positive or does not fit a tag
    """
    ref = without_nulls(as_object(value, path), tuple(_RETENTION))
    required(ref, "snapshot-id", path, as_long)
    kind = required(ref, "type", path, as_string).lower()
    if kind not in ("branch", "tag"):
        raise BadRequestException(f"{path}.type: expected branch or tag, got {ref['type']!r}")
    for name, reader in _RETENTION.items():
        _check_retention(name, optional(ref, name, path, reader), kind)
    return {**ref, "type": kind}


def _check_retention(name: str, value: int | None, kind: str) -> None:
    if value is None:
        return
    if kind == "tag" and name != "max-ref-age-ms":
        raise IllegalArgumentException(f"Tags do not support setting {name}")
    if value <= 0:
        raise IllegalArgumentException(f"{name} must be greater than 0, got {value}")


def ref_of_update(update: JsonObject, path: str) -> JsonObject:
    """Return the reference that a set-snapshot-ref update describes."""
    return read_ref(_known_members(update), path)


def same_ref(one: JsonObject, other: JsonObject) -> bool:
    """Tell whether two valid references are equal but for unknown members."""
    return _known_members(one) == _known_members(other)


def _known_members(owner: JsonObject) -> JsonObject:
    return {name: owner[name] for name in ("snapshot-id", "type", *_RETENTION) if name in owner}


def referenced_only(document: JsonObject) -> JsonObject:
    """Return metadata without the snapshots that no branch or tag points to, and without their statistics."""
    referenced = {ref["snapshot-id"] for ref in (document.get("refs") or {}).values()}
    reduced = dict(document)
    for member in ("snapshots", "statistics", "partition-statistics"):
        if document.get(member):
            reduced[member] = [item for item in document[member] if item["snapshot-id"] in referenced]
    return reduced
