"""Update actions on schemas.

Source: the Iceberg REST specification, ``TableUpdate``, and the Java reference's ``TableMetadata.Builder``.
"""

from app.errors import IllegalArgumentException, ValidationException
from app.metadata.draft import TableDraft
from app.metadata.schema import index_schema, same_schema
from app.metadata.shapes import JsonObject, as_int, as_ints, as_object, next_id, optional, required


def add_schema(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Add a schema under the next free id, or find the equal one that is there."""
    optional(update, "last-column-id", path, as_int)
    schema = clean_schema(required(update, "schema", path, as_object))
    index = index_schema(
        schema, f"{path}.schema", format_version=draft.format_version, max_columns=draft.max_columns
    )
    equal = next((item for item in draft.read("schemas") if same_schema(item, schema)), None)
    if equal is None:
        equal = {**schema, "schema-id": next_schema_id(draft)}
        draft.edit_array("schemas").append(equal)
    if index.highest_field_id > draft.document["last-column-id"]:
        draft.put("last-column-id", index.highest_field_id)
    draft.last_added_schema_id = equal["schema-id"]


def clean_schema(schema: JsonObject) -> JsonObject:
    """Return a schema without ``identifier-field-ids`` if there are none."""
    if schema.get("identifier-field-ids") in (None, []):
        return {name: value for name, value in schema.items() if name != "identifier-field-ids"}
    return schema


def next_schema_id(draft: TableDraft) -> int:
    ids = [item["schema-id"] for item in draft.read("schemas")]
    return next_id(max(ids)) if ids else int(draft.document["current-schema-id"])


def set_current_schema(draft: TableDraft, update: JsonObject, path: str) -> None:
    schema_id = required(update, "schema-id", path, as_int)
    if schema_id == -1:
        if draft.last_added_schema_id is None:
            raise ValidationException("Cannot set last added schema: no schema has been added")
        schema_id = draft.last_added_schema_id
    if schema_id == draft.document["current-schema-id"]:
        return
    if draft.find("schemas", "schema-id", schema_id) is None:
        raise IllegalArgumentException(f"Cannot set current schema to unknown schema: {schema_id}")
    draft.put("current-schema-id", schema_id)
    draft.layout_changed = True


def remove_schemas(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Remove schemas; unknown ids are ignored."""
    removed = set(required(update, "schema-ids", path, as_ints))
    if draft.document["current-schema-id"] in removed:
        raise IllegalArgumentException("Cannot remove the current schema")
    if removed:
        kept = [item for item in draft.read("schemas") if item["schema-id"] not in removed]
        draft.put("schemas", kept)
        draft.forget_indexes()
