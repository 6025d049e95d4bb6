"""Metadata of a new table.

Source: the Iceberg REST specification, ``CreateTableRequest``, and the Java reference's
``TableMetadata.newTableMetadata``.
"""

from typing import Any

from app.errors import ValidationException
from app.metadata import partitioning, sorting
from app.metadata.draft import TableDraft
from app.metadata.finish import finish
from app.metadata.fresh_ids import assign_fresh_ids
from app.metadata.parsing import parse_table_metadata
from app.metadata.properties import (
    DEFAULT_FORMAT_VERSION,
    FORMAT_VERSION,
    PARQUET_COMPRESSION,
    RESERVED,
    TABLE_CHECKS,
    check_encryption,
    check_metrics_columns,
    check_properties,
)
from app.metadata.schema import index_schema
from app.metadata.schema_updates import clean_schema
from app.metadata.shapes import JsonObject, as_location, as_object, as_string_map, as_uuid

__all__ = ["new_table_metadata", "parse_table_metadata"]


def new_table_metadata(
    *,
    table_uuid: str,
    location: str,
    schema: Any,
    partition_spec: Any = None,
    sort_order: Any = None,
    properties: Any = None,
    now_ms: int,
    max_columns: int | None = None,
) -> JsonObject:
    """Return the metadata of a table that does not exist yet.

    Column, partition field, spec and order ids are assigned anew; reserved properties are dropped.

    :param schema: a JSON schema; spec and order refer to its column ids
    :param now_ms: epoch milliseconds
    :param max_columns: refuse schemas with more fields, nested ones included
    :raises BadRequestException: when an argument has the wrong shape
    :raises ValidationException, IllegalArgumentException: when the metadata would be invalid
    """
    given = as_string_map({} if properties is None else properties, "properties")
    check_properties(given, TABLE_CHECKS)
    version = int(given.get(FORMAT_VERSION, DEFAULT_FORMAT_VERSION))
    check_encryption(given, version)
    schema = clean_schema(as_object(schema, "schema"))
    index = index_schema(schema, "schema", format_version=version, max_columns=max_columns)
    check_metrics_columns(given, index)
    fresh_schema, new_ids = assign_fresh_ids(schema)
    spec = _fresh_spec(partition_spec, new_ids)
    order = _fresh_order(sort_order, new_ids)
    kept = {name: value for name, value in given.items() if name not in RESERVED}
    document: JsonObject = {
        "format-version": version,
        "table-uuid": as_uuid(table_uuid, "table-uuid"),
        "location": as_location(location, "location"),
        "last-sequence-number": 0,
        "last-updated-ms": now_ms,
        "last-column-id": len(new_ids),
        "current-schema-id": 0,
        "schemas": [fresh_schema],
        "default-spec-id": 0,
        "partition-specs": [spec],
        "last-partition-id": partitioning.last_field_id(spec),
        "default-sort-order-id": order["order-id"],
        "sort-orders": [order],
        "properties": {PARQUET_COMPRESSION: "zstd", **kept},
        "current-snapshot-id": None,
        "refs": {},
        "snapshots": [],
        "statistics": [],
        "partition-statistics": [],
        "snapshot-log": [],
        "metadata-log": [],
    }
    if version >= 3:
        document["next-row-id"] = 0
    draft = TableDraft(document, updated_ms=now_ms, creating=True, max_columns=max_columns)
    return finish(draft, None, None)


def _fresh_spec(value: Any, new_ids: dict[int, int]) -> JsonObject:
    spec = partitioning.read_spec({"fields": []} if value is None else value, "partition-spec")
    fields = [
        {**_with_sources(field, new_ids, "partition-spec"), "field-id": partitioning.FIRST_FIELD_ID + i}
        for i, field in enumerate(spec["fields"])
    ]
    return {**spec, "spec-id": 0, "fields": fields}


def _fresh_order(value: Any, new_ids: dict[int, int]) -> JsonObject:
    order = sorting.read_order({"fields": []} if value is None else value, "write-order")
    fields = [_with_sources(field, new_ids, "write-order") for field in order["fields"]]
    return {**order, "order-id": 1 if fields else 0, "fields": fields}


def _with_sources(field: JsonObject, new_ids: dict[int, int], what: str) -> JsonObject:
    """Return a field whose sources are the new column ids."""
    for source_id in partitioning.source_ids(field):
        if source_id not in new_ids:
            raise ValidationException(f"Cannot find source column for a field of {what}: {source_id}")
    fresh = dict(field)
    if "source-id" in field:
        fresh["source-id"] = new_ids[field["source-id"]]
    if "source-ids" in field:
        fresh["source-ids"] = [new_ids.get(source_id, source_id) for source_id in field["source-ids"]]
    return fresh
