"""Metadata of a view: new, read from a file, and the requirements of a commit.

Source: the Iceberg view specification and the Java reference's ``ViewMetadata`` and ``ViewMetadataParser``.
"""

from typing import Any

from app.errors import (
    BadRequestException,
    CommitFailedException,
    IllegalArgumentException,
    ValidationException,
)
from app.metadata.properties import VIEW_CHECKS, check_properties
from app.metadata.schema import index_schema
from app.metadata.schema_updates import clean_schema
from app.metadata.shapes import (
    JsonObject,
    as_array,
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
from app.metadata.view_updates import apply_view_updates
from app.metadata.view_versions import read_version

__all__ = ["apply_view_updates", "check_view_requirements", "new_view_metadata", "parse_view_metadata"]

ROOT = "metadata"


def new_view_metadata(
    *,
    view_uuid: str,
    location: str,
    schema: Any,
    version: Any,
    properties: Any = None,
    max_columns: int | None = None,
) -> JsonObject:
    """Return the metadata of a view that does not exist yet.

    The schema gets id 0 with its column ids kept; the version keeps its id, time and summary.

    :param version: the request's ``view-version``
    :param max_columns: refuse schemas with more fields, nested ones included
    :raises BadRequestException: when an argument has the wrong shape
    :raises ValidationException, IllegalArgumentException: when the metadata would be invalid
    """
    given = as_string_map({} if properties is None else properties, "properties")
    check_properties(given, VIEW_CHECKS)
    schema = {**clean_schema(as_object(schema, "schema")), "schema-id": 0}
    index_schema(schema, "schema", max_columns=max_columns)
    draft = {"schema-id": 0, **as_object(version, "view-version")}
    first = {**read_version(draft, "view-version"), "schema-id": 0}
    entry = {"version-id": first["version-id"], "timestamp-ms": first["timestamp-ms"]}
    return {
        "view-uuid": as_uuid(view_uuid, "view-uuid"),
        "format-version": 1,
        "location": as_location(location, "location"),
        "schemas": [schema],
        "current-version-id": first["version-id"],
        "versions": [first],
        "version-log": [entry],
        "properties": dict(given),
    }


def parse_view_metadata(document: Any) -> JsonObject:
    """Check a view metadata document and return it complete; unknown members are kept.

    :raises ValidationException: naming the path of what is wrong
    """
    try:
        return _read_document(document)
    except (BadRequestException, IllegalArgumentException) as error:
        raise ValidationException(f"Invalid view metadata: {error.message}") from error


def _read_document(document: Any) -> JsonObject:
    parsed = dict(as_object(document, ROOT))
    version = required(parsed, "format-version", ROOT, as_int)
    if version != 1:
        raise ValidationException(f"{ROOT}.format-version: Cannot read unsupported version {version}")
    required(parsed, "view-uuid", ROOT, as_uuid)
    parsed["location"] = required(parsed, "location", ROOT, as_location)
    parsed["properties"] = optional(parsed, "properties", ROOT, as_string_map) or {}
    parsed["schemas"] = required(parsed, "schemas", ROOT, as_array_of(_read_schema))
    parsed["versions"] = required(parsed, "versions", ROOT, as_array_of(read_version))
    required(parsed, "version-log", ROOT, as_array_of(_read_log_entry))
    required(parsed, "current-version-id", ROOT, as_int)
    _check_ids(parsed)
    return parsed


def _read_schema(value: Any, path: str) -> JsonObject:
    schema = clean_schema(as_object(value, path))
    schema.setdefault("schema-id", 0)
    index_schema(schema, path)
    return schema


def _read_log_entry(value: Any, path: str) -> None:
    entry = as_object(value, path)
    required(entry, "version-id", path, as_int)
    required(entry, "timestamp-ms", path, as_long)


def _check_ids(parsed: JsonObject) -> None:
    schema_ids = [schema["schema-id"] for schema in parsed["schemas"]]
    version_ids = [version["version-id"] for version in parsed["versions"]]
    for member, ids in (("schemas", schema_ids), ("versions", version_ids)):
        if len(set(ids)) != len(ids):
            raise ValidationException(f"{ROOT}.{member}: ids are not unique: {ids}")
    for i, version in enumerate(parsed["versions"]):
        if version["schema-id"] not in schema_ids:
            raise ValidationException(
                f"{ROOT}.versions[{i}].schema-id: schema {version['schema-id']} does not exist"
            )
    if parsed["current-version-id"] not in version_ids:
        raise ValidationException(
            f"{ROOT}.current-version-id: version {parsed['current-version-id']} does not exist"
        )


def check_view_requirements(base: JsonObject, requirements: Any) -> None:
    """Check requirements in order.

    :raises BadRequestException: when a requirement has the wrong shape or is not one of views
    :raises CommitFailedException: when a requirement does not hold
    """
    for i, item in enumerate(as_array(requirements, "requirements")):
        path = f"requirements[{i}]"
        kind = required(as_object(item, path), "type", path, as_string)
        if kind.lower() != "assert-view-uuid":
            raise BadRequestException(f"{path}.type: {kind!r} does not apply to views")
        uuid = required(item, "uuid", path, as_string)
        if uuid.lower() != base["view-uuid"].lower():
            raise CommitFailedException(
                f"Requirement failed: view UUID does not match: expected {base['view-uuid']} != {uuid}"
            )
