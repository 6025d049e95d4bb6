"""Metadata of functions: shape and rules.

Source: the REST specification's ``FunctionMetadata``. Unknown members are left alone.
"""

import re
from typing import Any

from app.errors import ValidationException
from app.metadata.shapes import (
    JsonObject,
    Reader,
    as_array_of,
    as_boolean,
    as_int,
    as_long,
    as_object,
    as_string,
    as_string_map,
    as_uuid,
    optional,
    refuse,
    required,
)
from app.metadata.types import parse_primitive

FORMAT_VERSION = 1
FUNCTION_TYPES = ("udf", "udtf")
ON_NULL_INPUT = ("return-null", "call")
MOST_TYPE_LEVELS = 64
_NOT_IN_TYPES = re.compile(r"[\s\"'`]")


def read_function_metadata(value: Any, path: str = "metadata") -> JsonObject:
    """Return the metadata of a function when it is valid.

    :raises BadRequestException: when the shape is wrong
    :raises ValidationException: when a rule is broken
    """
    metadata = as_object(value, path)
    required(metadata, "function-uuid", path, as_uuid)
    version = required(metadata, "format-version", path, as_int)
    if version != FORMAT_VERSION:
        raise ValidationException(f"{path}.format-version: expected {FORMAT_VERSION}, got {version}")
    definitions = required(metadata, "definitions", path, as_array_of(_read_definition))
    _refuse_repeated([item["definition-id"] for item in definitions], f"{path}.definitions", "definition-id")
    names = [item["specific-name"] for item in definitions if item.get("specific-name") is not None]
    _refuse_repeated(names, f"{path}.definitions", "specific-name")
    required(metadata, "definition-log", path, as_array_of(_read_log_entry))
    optional(metadata, "location", path, as_string)
    optional(metadata, "properties", path, as_string_map)
    optional(metadata, "secure", path, as_boolean)
    optional(metadata, "doc", path, as_string)
    return metadata


def _read_definition(value: Any, path: str) -> JsonObject:
    definition = as_object(value, path)
    _read_id(definition, path)
    optional(definition, "specific-name", path, as_string)
    required(definition, "parameters", path, as_array_of(_read_parameter))
    returned = required(definition, "return-type", path, _read_type)
    optional(definition, "return-nullable", path, as_boolean)
    optional(definition, "doc", path, as_string)
    kind = required(definition, "function-type", path, _one_of(FUNCTION_TYPES))
    if kind == "udtf" and not (isinstance(returned, dict) and returned["type"] == "struct"):
        raise ValidationException(f"{path}.return-type: a function of type udtf returns a struct")
    _check_versions(definition, path)
    return definition


def _read_id(definition: JsonObject, path: str) -> str:
    text = required(definition, "definition-id", path, as_string)
    if re.search(r"\s", text):
        raise ValidationException(f"{path}.definition-id: must not contain spaces, got {text!r}")
    return text


def _check_versions(definition: JsonObject, path: str) -> None:
    versions = required(definition, "versions", path, as_array_of(_read_version))
    ids = [version["version-id"] for version in versions]
    _refuse_repeated(ids, f"{path}.versions", "version-id")
    current = required(definition, "current-version-id", path, as_int)
    if current not in ids:
        raise ValidationException(f"{path}.current-version-id: there is no version {current}")


def _read_parameter(value: Any, path: str) -> JsonObject:
    parameter = as_object(value, path)
    required(parameter, "name", path, as_string)
    required(parameter, "type", path, _read_type)
    optional(parameter, "doc", path, as_string)
    return parameter


def _read_version(value: Any, path: str) -> JsonObject:
    version = as_object(value, path)
    required(version, "version-id", path, as_int)
    required(version, "timestamp-ms", path, as_long)
    optional(version, "deterministic", path, as_boolean)
    optional(version, "on-null-input", path, _one_of(ON_NULL_INPUT))
    if not required(version, "representations", path, as_array_of(_read_representation)):
        raise ValidationException(f"{path}.representations: at least one is required")
    return version


def _read_representation(value: Any, path: str) -> JsonObject:
    representation = as_object(value, path)
    required(representation, "type", path, _one_of(("sql",)))
    required(representation, "dialect", path, as_string)
    required(representation, "sql", path, as_string)
    return representation


def _read_log_entry(value: Any, path: str) -> JsonObject:
    entry = as_object(value, path)
    required(entry, "timestamp-ms", path, as_long)
    required(entry, "definition-versions", path, as_array_of(_read_version_reference))
    return entry


def _read_version_reference(value: Any, path: str) -> JsonObject:
    reference = as_object(value, path)
    _read_id(reference, path)
    required(reference, "version-id", path, as_int)
    return reference


def _read_type(value: Any, path: str, level: int = 1) -> Any:
    """A type's text, or the object of a nested type."""
    if type(value) is str:
        return _read_primitive(value, path)
    if type(value) is not dict:
        refuse(path, "a type as a string or an object", value)
    if level > MOST_TYPE_LEVELS:
        raise ValidationException(f"{path}: types are nested deeper than {MOST_TYPE_LEVELS} levels")

    def read_inner(inner: Any, inner_path: str) -> Any:
        return _read_type(inner, inner_path, level + 1)

    def read_field(field: Any, field_path: str) -> JsonObject:
        required(as_object(field, field_path), "name", field_path, as_string)
        required(field, "type", field_path, read_inner)
        return dict(field)

    kind = required(value, "type", path, _one_of(("list", "map", "struct")))
    if kind == "struct":
        required(value, "fields", path, as_array_of(read_field))
    for member in {"list": ("element",), "map": ("key", "value"), "struct": ()}[kind]:
        required(value, member, path, read_inner)
    return value


def _read_primitive(text: str, path: str) -> str:
    if _NOT_IN_TYPES.search(text):
        raise ValidationException(f"{path}: a type contains no spaces and no quotes, got {text!r}")
    try:
        parse_primitive(text)
    except ValueError as error:
        raise ValidationException(f"{path}: unknown type {text!r}") from error
    return text


def _one_of(choices: tuple[str, ...]) -> Reader[str]:
    def read(value: Any, path: str) -> str:
        text = as_string(value, path)
        if text not in choices:
            raise ValidationException(f"{path}: expected {' or '.join(choices)}, got {text!r}")
        return text

    return read


def _refuse_repeated(items: list[Any], path: str, member: str) -> None:
    seen = set()
    for item in items:
        if item in seen:
            raise ValidationException(f"{path}: the {member} {item!r} occurs more than once")
        seen.add(item)
