"""Read table metadata written by others, as when a table is registered.

The result is what the rest of this package works on: members that old writers left out are added, all rules
are checked, unknown members are kept. Source: the Java reference's ``TableMetadataParser`` and the checks in
the constructor of its ``TableMetadata``.
"""

from collections.abc import Callable, Iterable
from typing import Any

from app.errors import BadRequestException, IllegalArgumentException, ValidationException
from app.metadata import partitioning, sorting
from app.metadata.draft import TableDraft
from app.metadata.finish import CLOCK_SKEW_MS, check_layout, check_log_order, write_version_members
from app.metadata.properties import SUPPORTED_FORMAT_VERSIONS
from app.metadata.schema import index_schema
from app.metadata.schema_updates import clean_schema
from app.metadata.shapes import (
    JsonObject,
    as_array_of,
    as_int,
    as_location,
    as_long,
    as_object,
    as_string,
    as_string_map,
    as_uuid,
    optional,
    required,
)
from app.metadata.snapshots import MAIN, read_ref, read_snapshot
from app.metadata.statistics import read_encryption_key, read_partition_statistics, read_statistics

ROOT = "metadata"


def parse_table_metadata(document: Any) -> JsonObject:
    """Check a metadata document of format v1, v2 or v3 and return it complete.

    :raises ValidationException: naming the path of what is wrong
    """
    try:
        parsed = _read_version(document)
        _read_identity(parsed)
        _read_schemas(parsed)
        _read_specs(parsed)
        _read_orders(parsed)
        _read_history(parsed)
        _check(parsed)
    except (BadRequestException, IllegalArgumentException) as error:
        raise ValidationException(f"Invalid table metadata: {error.message}") from error
    return parsed


def _read_version(document: Any) -> JsonObject:
    parsed = dict(as_object(document, ROOT))
    version = required(parsed, "format-version", ROOT, as_int)
    if version not in SUPPORTED_FORMAT_VERSIONS:
        raise ValidationException(f"{ROOT}.format-version: Cannot read unsupported version {version}")
    return parsed


def _read_identity(parsed: JsonObject) -> None:
    version = parsed["format-version"]
    if version > 1 or parsed.get("table-uuid") is not None:
        required(parsed, "table-uuid", ROOT, as_uuid)
    parsed["location"] = required(parsed, "location", ROOT, as_location)
    for member in ("last-updated-ms", *(("last-sequence-number",) if version > 1 else ())):
        required(parsed, member, ROOT, as_long)
    required(parsed, "last-column-id", ROOT, as_int)
    if version >= 3:
        required(parsed, "next-row-id", ROOT, as_long)
    parsed["properties"] = optional(parsed, "properties", ROOT, as_string_map) or {}


def _read_schemas(parsed: JsonObject) -> None:
    if parsed.get("schemas") is None and parsed["format-version"] == 1:
        schema = {"schema-id": 0, **required(parsed, "schema", ROOT, as_object)}
        parsed["schemas"], parsed["current-schema-id"] = [schema], schema["schema-id"]
    schemas = required(parsed, "schemas", ROOT, as_array_of(_read_schema))
    required(parsed, "current-schema-id", ROOT, as_int)
    _check_unique(schemas, "schema-id", "schemas")
    parsed["schemas"] = schemas


def _read_schema(value: Any, path: str) -> JsonObject:
    schema = clean_schema(as_object(value, path))
    schema.setdefault("schema-id", 0)
    index_schema(schema, path)
    return schema


def _read_specs(parsed: JsonObject) -> None:
    is_v1 = parsed["format-version"] == 1
    if parsed.get("partition-specs") is None and is_v1:
        fields = required(parsed, "partition-spec", ROOT, partitioning.read_spec_fields)
        parsed["partition-specs"], parsed["default-spec-id"] = [{"spec-id": 0, "fields": fields}], 0
    specs = required(parsed, "partition-specs", ROOT, as_array_of(_read_spec))
    required(parsed, "default-spec-id", ROOT, as_int)
    _check_unique(specs, "spec-id", "partition-specs")
    parsed["partition-specs"] = specs
    if parsed.get("last-partition-id") is None and is_v1:
        parsed["last-partition-id"] = max(map(partitioning.last_field_id, specs), default=999)
    required(parsed, "last-partition-id", ROOT, as_int)


def _read_spec(value: Any, path: str) -> JsonObject:
    spec = partitioning.read_spec(value, path)
    required(spec, "spec-id", path, as_int)
    return partitioning.with_field_ids(spec, (), 0)


def _read_orders(parsed: JsonObject) -> None:
    if parsed.get("sort-orders") is None and parsed["format-version"] == 1:
        parsed["sort-orders"], parsed["default-sort-order-id"] = [sorting.unsorted()], 0
    orders = required(parsed, "sort-orders", ROOT, as_array_of(_read_order))
    required(parsed, "default-sort-order-id", ROOT, as_int)
    _check_unique(orders, "order-id", "sort-orders")
    parsed["sort-orders"] = orders


def _read_order(value: Any, path: str) -> JsonObject:
    order = sorting.read_order(value, path)
    required(order, "order-id", path, as_int)
    sorting.check_order_id(order)
    return order


def _read_history(parsed: JsonObject) -> None:
    readers: dict[str, Callable[[Any, str], JsonObject]] = {
        "snapshots": read_snapshot,
        "statistics": read_statistics,
        "partition-statistics": read_partition_statistics,
        "snapshot-log": _read_snapshot_log_entry,
        "metadata-log": _read_metadata_log_entry,
        "encryption-keys": read_encryption_key,
    }
    for member, reader in readers.items():
        parsed[member] = optional(parsed, member, ROOT, as_array_of(reader)) or []
    _check_unique(parsed["snapshots"], "snapshot-id", "snapshots")
    _check_unique(parsed["encryption-keys"], "key-id", "encryption-keys")
    current = optional(parsed, "current-snapshot-id", ROOT, as_long)
    refs = optional(parsed, "refs", ROOT, as_object)
    if refs is None:
        refs = {} if current in (None, -1) else {MAIN: {"snapshot-id": current, "type": "branch"}}
    parsed["refs"] = {name: read_ref(ref, f"{ROOT}.refs.{name}") for name, ref in refs.items()}


def _read_snapshot_log_entry(value: Any, path: str) -> JsonObject:
    entry = as_object(value, path)
    required(entry, "timestamp-ms", path, as_long)
    required(entry, "snapshot-id", path, as_long)
    return entry


def _read_metadata_log_entry(value: Any, path: str) -> JsonObject:
    entry = as_object(value, path)
    required(entry, "timestamp-ms", path, as_long)
    required(entry, "metadata-file", path, as_string)
    return entry


def _check_unique(items: Iterable[JsonObject], id_member: str, member: str) -> None:
    seen = set()
    for item in items:
        if item[id_member] in seen:
            raise ValidationException(f"{ROOT}.{member}: {id_member} {item[id_member]} is there twice")
        seen.add(item[id_member])


def _check(parsed: JsonObject) -> None:
    """Check the rules that hold between members."""
    check_layout(TableDraft(parsed, updated_ms=0, creating=False, max_columns=None))
    last_sequence = parsed["last-sequence-number"] if parsed["format-version"] > 1 else 0
    for i, snapshot in enumerate(parsed["snapshots"]):
        if snapshot.get("sequence-number", 0) > last_sequence:
            raise ValidationException(
                f"{ROOT}.snapshots[{i}].sequence-number: {snapshot['sequence-number']} "
                f"exceeds the last sequence number {last_sequence}"
            )
    _check_refs(parsed)
    _check_row_ids(parsed)
    for log in ("snapshot-log", "metadata-log"):
        check_log_order(parsed[log], log)
        if parsed[log] and parsed["last-updated-ms"] - parsed[log][-1]["timestamp-ms"] < -CLOCK_SKEW_MS:
            raise ValidationException(f"{ROOT}.last-updated-ms: before the last entry of {log}")
    write_version_members(parsed)


def _check_refs(parsed: JsonObject) -> None:
    snapshot_ids = {snapshot["snapshot-id"] for snapshot in parsed["snapshots"]}
    for name, ref in parsed["refs"].items():
        if ref["snapshot-id"] not in snapshot_ids:
            raise ValidationException(f"{ROOT}.refs.{name}: snapshot {ref['snapshot-id']} does not exist")
    main = parsed["refs"].get(MAIN)
    current = parsed.get("current-snapshot-id")
    if main is None:
        if current not in (None, -1):
            raise ValidationException(f"{ROOT}.current-snapshot-id: set to {current}, but there is no main")
    elif main["type"] != "branch":
        raise ValidationException(f"{ROOT}.refs.main: must be a branch")
    elif main["snapshot-id"] != current:
        raise ValidationException(
            f"{ROOT}.current-snapshot-id: {current}, but main is at {main['snapshot-id']}"
        )


def _check_row_ids(parsed: JsonObject) -> None:
    """A row id that a snapshot has taken must never be given out again."""
    if parsed["format-version"] < 3:
        return
    following = parsed["next-row-id"]
    if following < 0:
        raise ValidationException(f"{ROOT}.next-row-id: must not be negative: {following}")
    for i, snapshot in enumerate(parsed["snapshots"]):
        taken = snapshot.get("first-row-id", 0) + snapshot.get("added-rows", 0)
        if "first-row-id" in snapshot and taken > following:
            raise ValidationException(
                f"{ROOT}.snapshots[{i}]: its row ids end at {taken}, beyond next-row-id {following}"
            )
