"""Partition specs: shape, binding to a schema, equality and field ids.

Source: the Iceberg table specification, "Partitioning", and the Java reference's ``PartitionSpec``.
"""

from collections.abc import Iterable
from typing import Any

from app.errors import IllegalArgumentException, ValidationException
from app.metadata.schema import SchemaIndex
from app.metadata.shapes import (
    JsonObject,
    as_array_of,
    as_int,
    as_ints,
    as_object,
    as_string,
    next_id,
    optional,
    required,
    without_nulls,
)
from app.metadata.transforms import Transform, parse_transform

FIRST_FIELD_ID = 1000


def read_spec(value: Any, path: str) -> JsonObject:
    """Check a spec's shape and return it with canonical transforms; ids and bindings are not checked.

    :raises BadRequestException: when the shape is wrong
    :raises IllegalArgumentException: when some fields have ids and some have none
    """
    spec = as_object(value, path)
    optional(spec, "spec-id", path, as_int)
    fields = required(spec, "fields", path, as_array_of(_read_field))
    missing = sum("field-id" not in field for field in fields)
    if missing not in (0, len(fields)):
        raise IllegalArgumentException(
            f"Cannot parse spec with missing field IDs: {missing} missing of {len(fields)} fields."
        )
    return {**spec, "fields": fields}


def read_spec_fields(value: Any, path: str) -> list[JsonObject]:
    """Read the bare field array that format v1 has for a spec."""
    fields: list[JsonObject] = read_spec({"fields": value}, path)["fields"]
    return fields


def _read_field(value: Any, path: str) -> JsonObject:
    field = without_nulls(as_object(value, path), ("field-id", "source-id", "source-ids"))
    optional(field, "field-id", path, as_int)
    required(field, "name", path, as_string)
    transform = parse_transform(required(field, "transform", path, as_string))
    sources = optional(field, "source-ids", path, as_ints)
    if not sources or "source-id" in field:
        required(field, "source-id", path, as_int)
    return {**field, "transform": transform.text}


def source_ids(field: JsonObject) -> list[int]:
    """Return the source columns of a partition or sort field; only v3 has more than one."""
    return [field["source-id"]] if "source-id" in field else field["source-ids"]


def check_names(spec: JsonObject, index: SchemaIndex) -> None:
    """Check that partition names are unique and not those of other columns.

    :raises IllegalArgumentException: when one is empty, used twice, or names another column
    """
    seen = set()
    for field in spec["fields"]:
        name = field["name"]
        if not name:
            raise IllegalArgumentException("Cannot use empty partition name")
        if name in seen:
            raise IllegalArgumentException(f"Cannot use partition name more than once: {name}")
        seen.add(name)
        _check_conflict(field, name, index)


def _check_conflict(field: JsonObject, name: str, index: SchemaIndex) -> None:
    column_id = index.id_of(name)
    sources = source_ids(field)
    if column_id is None or column_id in sources or not any(source in index.fields for source in sources):
        return
    raise IllegalArgumentException(
        f"Cannot create identity partition sourced from different field in schema: {name}"
    )


def check_loadable(spec: JsonObject, index: SchemaIndex) -> None:
    """Check what holds for every spec of a table, in use or not: Java binds all of them to the current schema.

    :raises IllegalArgumentException: when a partition name is empty, used twice, or that of another column
    :raises ValidationException: when a transform does not fit the type that its source column has now
    """
    check_names(spec, index)
    for field in spec["fields"]:
        transform = parse_transform(field["transform"])
        for source in (index.fields[i] for i in source_ids(field) if i in index.fields):
            if not transform.can_be_loaded(source.primitive, source.type == "variant"):
                raise ValidationException(
                    f"Invalid source type {_text(source.type)} for transform: {transform.text}"
                )


def check_sources(fields: Iterable[JsonObject], index: SchemaIndex, what: str) -> None:
    """Check that the source columns of partition or sort fields exist and fit their transforms.

    :param what: ``partition`` or ``sort``, for the message
    :raises ValidationException: when they do not
    """
    for field in fields:
        transform = parse_transform(field["transform"])
        if transform.is_void and what == "partition":
            continue
        for source_id in source_ids(field):
            _check_source(source_id, transform, index, f"{what} field {field.get('name', transform.text)}")


def _check_source(source_id: int, transform: Transform, index: SchemaIndex, what: str) -> None:
    source = index.fields.get(source_id)
    if source is None:
        raise ValidationException(f"Cannot find source column for {what}: {source_id}")
    kind = source.primitive
    if kind is None:
        raise ValidationException(f"Cannot use non-primitive source column {source.name} for {what}")
    if not transform.applies_to(kind):
        raise ValidationException(f"Invalid source type {_text(source.type)} for transform: {transform.text}")
    for parent in index.ancestors(source):
        if type(parent.type) is not dict or parent.type["type"] != "struct":
            raise ValidationException(f"Invalid parent of the source column for {what}: {parent.name}")


def _text(kind: Any) -> str:
    return kind if type(kind) is str else str(kind["type"])


def same_spec(one: JsonObject, other: JsonObject) -> bool:
    """Tell whether two specs partition alike, their ids aside."""
    fields, others = one["fields"], other["fields"]
    return len(fields) == len(others) and all(
        field["name"] == item["name"] and _key(field) == _key(item)
        for field, item in zip(fields, others, strict=True)
    )


def _key(field: JsonObject) -> tuple[tuple[int, ...], str]:
    return tuple(source_ids(field)), parse_transform(field["transform"]).text


def with_field_ids(spec: JsonObject, specs: Iterable[JsonObject], last_partition_id: int) -> JsonObject:
    """Return ``spec`` with field ids: those of an equal field in ``specs``, else the next free ones."""
    if all("field-id" in field for field in spec["fields"]):
        return spec
    known = {_key(field): field["field-id"] for other in specs for field in other["fields"]}
    fields: list[JsonObject] = []
    last = max(last_partition_id, FIRST_FIELD_ID - 1)
    for field in spec["fields"]:
        field_id = known.get(_key(field))
        if field_id is None or any(earlier["field-id"] == field_id for earlier in fields):
            field_id = last = next_id(last)
        fields.append({**field, "field-id": field_id})
    return {**spec, "fields": fields}


def last_field_id(spec: JsonObject) -> int:
    """Return the highest field id of a spec; 999 when it is unpartitioned."""
    return max((field["field-id"] for field in spec["fields"]), default=FIRST_FIELD_ID - 1)


def check_sequential(spec: JsonObject) -> None:
    """Check the rule of format v1 that field ids count up from 1000.

    :raises ValidationException: when they do not
    """
    for i, field in enumerate(spec["fields"]):
        if field["field-id"] != FIRST_FIELD_ID + i:
            raise ValidationException("Spec does not use sequential IDs that are required in v1")


def check_distinct(spec: JsonObject) -> None:
    """:raises ValidationException: when two fields of a spec have the same id"""
    ids = [field["field-id"] for field in spec["fields"]]
    if len(set(ids)) != len(ids):
        raise ValidationException(f"Invalid partition spec: field ids are not distinct: {ids}")
