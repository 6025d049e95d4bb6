"""Schemas: validation, lookup, equality and fresh column ids.

Source: the Iceberg table specification, "Schemas and Data Types", and the Java reference's ``Schema``.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from app.errors import IllegalArgumentException, ValidationException
from app.metadata.shapes import (
    JsonObject,
    as_array,
    as_boolean,
    as_int,
    as_ints,
    as_object,
    as_string,
    optional,
    refuse,
    required,
)
from app.metadata.types import MINIMUM_VERSIONS, PrimitiveType, is_value, parse_primitive

MAX_DEPTH = 100


class Field(NamedTuple):
    """A column at any depth; list elements and map keys and values are fields too."""

    field_id: int
    name: str
    type: Any
    required: bool
    parent_id: int | None

    @property
    def primitive(self) -> PrimitiveType | None:
        """The parsed type, or None for a struct, list, map or variant."""
        if type(self.type) is not str or self.type == "variant":
            return None
        return parse_primitive(self.type)


class SchemaIndex:
    """Everything in a schema by id and by dotted name."""

    def __init__(self) -> None:
        self.fields: dict[int, Field] = {}
        self.names: dict[str, int] = {}
        self.short_names: dict[str, int] = {}

    @property
    def highest_field_id(self) -> int:
        return max(self.fields, default=0)

    def id_of(self, name: str) -> int | None:
        return self.names.get(name, self.short_names.get(name))

    def ancestors(self, field: Field) -> Iterator[Field]:
        while field.parent_id is not None:
            field = self.fields[field.parent_id]
            yield field


class _Walk(NamedTuple):
    found: SchemaIndex
    format_version: int | None
    max_columns: int | None


class _Place(NamedTuple):
    """Where the walk is: the JSON path, the dotted names, the enclosing field, the depth."""

    path: str
    name: str | None
    short_name: str | None
    parent_id: int | None
    depth: int


def index_schema(
    schema: Any, path: str, *, format_version: int | None = None, max_columns: int | None = None
) -> SchemaIndex:
    """Validate a schema and return its index.

    :param format_version: refuse types and defaults that this table format version does not have
    :raises BadRequestException: when the shape is wrong
    :raises ValidationException: when a rule of schemas is broken
    """
    if required(as_object(schema, path), "type", path, as_string) != "struct":
        raise ValidationException(f"{path}: Cannot create schema, not a struct type: {schema['type']}")
    optional(schema, "schema-id", path, as_int)
    walk = _Walk(SchemaIndex(), format_version, max_columns)
    _walk_struct(walk, schema, _Place(path, None, None, None, 0))
    for field_id in optional(schema, "identifier-field-ids", path, as_ints) or ():
        _check_identifier(walk.found, field_id)
    return walk.found


def _walk_struct(walk: _Walk, struct: JsonObject, place: _Place) -> None:
    for i, item in enumerate(required(struct, "fields", place.path, as_array)):
        path = f"{place.path}.fields[{i}]"
        field = as_object(item, path)
        name = required(field, "name", path, as_string)
        optional(field, "doc", path, as_string)
        at = place._replace(path=path)
        _walk_field(walk, at, name, name, field, ("id", "type", "required"))
        _check_defaults(walk, field, path)


def _walk_field(
    walk: _Walk, place: _Place, name: str, short: str | None, owner: JsonObject, members: tuple[str, str, str]
) -> None:
    """Walk one field whose id, type and required flag are the named members of ``owner``."""
    id_member, type_member, required_member = members
    field_id = required(owner, id_member, place.path, as_int)
    is_required = required(owner, required_member, place.path, as_boolean) if required_member else True
    if type_member not in owner:
        required(owner, type_member, place.path, as_object)
    full_name = _join(place.name, name)
    short_name = place.short_name if short is None else _join(place.short_name, short)
    kind = owner[type_member]
    _add(walk, Field(field_id, full_name, kind, is_required, place.parent_id), short_name)
    inner = _Place(f"{place.path}.{type_member}", full_name, short_name, field_id, place.depth + 1)
    _walk_type(walk, kind, inner, is_required)


def _join(prefix: str | None, name: str) -> str:
    return name if prefix is None else f"{prefix}.{name}"


def _add(walk: _Walk, field: Field, short_name: str | None) -> None:
    index = walk.found
    if field.name in index.names:
        raise ValidationException(
            f"Invalid schema: multiple fields for name {field.name}: "
            f"{index.names[field.name]} and {field.field_id}"
        )
    if field.field_id in index.fields:
        raise ValidationException(
            f"Invalid schema: multiple fields for id {field.field_id}: "
            f"{index.fields[field.field_id].name} and {field.name}"
        )
    index.fields[field.field_id] = field
    index.names[field.name] = field.field_id
    if short_name is not None:
        index.short_names.setdefault(short_name, field.field_id)
    if walk.max_columns is not None and len(index.fields) > walk.max_columns:
        raise ValidationException(
            f"Invalid schema: more columns than limits.max_columns ({walk.max_columns})"
        )


def _walk_type(walk: _Walk, kind: Any, place: _Place, is_required: bool) -> None:
    if type(kind) is str:
        _check_primitive(walk, kind, place.path, is_required)
        return
    if type(kind) is not dict:
        refuse(place.path, "a type", kind)
    if place.depth > MAX_DEPTH:
        raise ValidationException(f"Invalid schema: types nest deeper than {MAX_DEPTH} levels")
    _walk_nested(walk, kind, place)


def _walk_nested(walk: _Walk, kind: JsonObject, place: _Place) -> None:
    name = required(kind, "type", place.path, as_string)
    if name == "struct":
        _walk_struct(walk, kind, place)
    elif name == "list":
        short = None if _is_struct(kind.get("element")) else "element"
        _walk_field(walk, place, "element", short, kind, ("element-id", "element", "element-required"))
    elif name == "map":
        short = None if _is_struct(kind.get("value")) else "value"
        _walk_field(walk, place, "key", "key", kind, ("key-id", "key", ""))
        _walk_field(walk, place, "value", short, kind, ("value-id", "value", "value-required"))
    else:
        raise ValidationException(f"{place.path}: Cannot parse type: unknown nested type {name!r}")


def _is_struct(kind: Any) -> bool:
    return type(kind) is dict and kind.get("type") == "struct"


def _check_primitive(walk: _Walk, text: str, path: str, is_required: bool) -> None:
    try:
        kind = parse_primitive(text).kind
    except ValueError as error:
        raise ValidationException(f"{path}: Cannot parse type: {error}") from error
    if kind == "unknown" and is_required:
        raise ValidationException(f"{path}: Cannot create required field with unknown type")
    minimum = MINIMUM_VERSIONS[kind]
    if walk.format_version is not None and walk.format_version < minimum:
        raise ValidationException(
            f"Invalid schema for v{walk.format_version}: {path}: {text} is not supported until v{minimum}"
        )


def _check_defaults(walk: _Walk, field: JsonObject, path: str) -> None:
    for member in ("initial-default", "write-default"):
        value = field.get(member)
        if value is None:
            continue
        kind = field["type"]
        if type(kind) is not str or not is_value(value, parse_primitive(kind)):
            raise ValidationException(f"{path}.{member}: Invalid default value for {kind}: {value!r}")
        if member == "initial-default" and walk.format_version is not None and walk.format_version < 3:
            raise ValidationException(
                f"Invalid schema for v{walk.format_version}: {path}: "
                "non-null default values are not supported until v3"
            )


def _check_identifier(index: SchemaIndex, field_id: int) -> None:
    field = index.fields.get(field_id)
    if field is None:
        raise IllegalArgumentException(
            f"Cannot add fieldId {field_id} as an identifier field: field does not exist"
        )
    reason = None
    if field.primitive is None:
        reason = "not a primitive type field"
    elif not field.required:
        reason = "not a required field"
    elif field.primitive.kind in ("float", "double"):
        reason = "must not be float or double field"
    elif any(not _is_struct(parent.type) or not parent.required for parent in index.ancestors(field)):
        reason = "must not be nested in an optional field, a list or a map"
    if reason:
        raise IllegalArgumentException(f"Cannot add field {field.name} as an identifier field: {reason}")


def same_schema(one: JsonObject, other: JsonObject) -> bool:
    """Tell whether two valid schemas are equal but for their ids and unknown members."""
    return set(one.get("identifier-field-ids") or ()) == set(
        other.get("identifier-field-ids") or ()
    ) and _same_type({**one, "type": "struct"}, {**other, "type": "struct"})


def _same_type(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if type(one) is str:
        return one == other or parse_primitive(one) == parse_primitive(other)
    if one["type"] != other["type"]:
        return False
    if one["type"] == "struct":
        fields, others = one["fields"], other["fields"]
        return len(fields) == len(others) and all(map(_same_field, fields, others))
    if one["type"] == "list":
        return _same(one, other, "element-id", "element-required") and _same_type(
            one["element"], other["element"]
        )
    return (
        _same(one, other, "key-id", "value-id", "value-required")
        and _same_type(one["key"], other["key"])
        and _same_type(one["value"], other["value"])
    )


def _same_field(one: JsonObject, other: JsonObject) -> bool:
    return _same(
        one, other, "id", "name", "required", "doc", "initial-default", "write-default"
    ) and _same_type(one["type"], other["type"])


def _same(one: JsonObject, other: JsonObject, *members: str) -> bool:
    return all(one.get(member) == other.get(member) for member in members)
