"""Apply the updates of a commit to view metadata.

Source: the Iceberg REST specification, ``ViewUpdate``, and the Java reference's ``ViewMetadata.Builder``.
"""

from collections.abc import Callable
from typing import Any

from app.errors import BadRequestException, IllegalArgumentException, ValidationException
from app.metadata.properties import VIEW_CHECKS, check_properties
from app.metadata.schema import index_schema, same_schema
from app.metadata.schema_updates import clean_schema
from app.metadata.shapes import (
    JsonObject,
    as_array,
    as_int,
    as_location,
    as_object,
    as_string,
    as_string_map,
    as_strings,
    as_uuid,
    next_id,
    required,
)
from app.metadata.table_updates import either_member
from app.metadata.view_versions import check_dialects, expire_versions, read_version, same_version


class ViewDraft:
    """A view's metadata while updates are applied; members are replaced, never edited in place."""

    def __init__(self, base: JsonObject, now_ms: int, max_columns: int | None) -> None:
        self.document = dict(base)
        self.now_ms = now_ms
        self.max_columns = max_columns
        self.changed = False
        self.last_added_schema_id: int | None = None
        self.last_added_version_id: int | None = None
        self.added_version_ids: set[int] = set()
        self.log_entry: JsonObject | None = None

    def put(self, member: str, value: Any) -> None:
        self.document[member] = value
        self.changed = True

    def version(self, version_id: int) -> JsonObject | None:
        versions = self.document["versions"]
        return next((item for item in versions if item["version-id"] == version_id), None)


def apply_view_updates(
    base: JsonObject, updates: Any, *, now_ms: int, max_columns: int | None = None
) -> JsonObject:
    """Return the metadata that a list of updates makes of ``base``, which stays untouched.

    :param base: metadata made by this package
    :param updates: the request's ``updates``, applied in order
    :param now_ms: epoch milliseconds
    :return: ``base`` itself when nothing changed
    :raises BadRequestException: when an update has the wrong shape or does not apply to views
    :raises ValidationException, IllegalArgumentException: when the metadata would be invalid
    """
    items = as_array(updates, "updates")
    actions = [_action(item, f"updates[{i}]") for i, item in enumerate(items)]
    draft = ViewDraft(base, now_ms, max_columns)
    for i, (item, action) in enumerate(zip(items, actions, strict=True)):
        VIEW_ACTIONS[action](draft, item, f"updates[{i}]")
    return _finish(draft, base) if draft.changed else base


def _action(update: Any, path: str) -> str:
    action = required(as_object(update, path), "action", path, as_string)
    if action.lower() not in VIEW_ACTIONS:
        raise BadRequestException(f"{path}.action: {action!r} does not apply to views")
    return action.lower()


def _finish(draft: ViewDraft, base: JsonObject) -> JsonObject:
    document = draft.document
    if draft.log_entry is not None:
        document["version-log"] = [*document["version-log"], draft.log_entry]
    previous = next(item for item in base["versions"] if item["version-id"] == base["current-version-id"])
    current = draft.version(document["current-version-id"])
    check_dialects(previous, current or previous, document.get("properties", {}))
    expire_versions(document, draft.added_version_ids)
    return document


def _assign_uuid(draft: ViewDraft, update: JsonObject, path: str) -> None:
    uuid = required(update, "uuid", path, as_uuid)
    if uuid.lower() != draft.document["view-uuid"].lower():
        raise IllegalArgumentException("Cannot reassign uuid")


def _upgrade_format_version(draft: ViewDraft, update: JsonObject, path: str) -> None:
    version = required(update, "format-version", path, as_int)
    current = draft.document["format-version"]
    if version < current:
        raise IllegalArgumentException(f"Cannot downgrade v{current} view to v{version}")
    if version > 1:
        raise IllegalArgumentException(
            f"Cannot upgrade view to unsupported format version: v{version} (supported: v1)"
        )


def _add_schema(draft: ViewDraft, update: JsonObject, path: str) -> None:
    schema = clean_schema(required(update, "schema", path, as_object))
    index_schema(schema, f"{path}.schema", max_columns=draft.max_columns)
    schemas = draft.document["schemas"]
    equal = next((item for item in schemas if same_schema(item, schema)), None)
    if equal is None:
        equal = {**schema, "schema-id": next_id(max((item["schema-id"] for item in schemas), default=-1))}
        draft.put("schemas", [*schemas, equal])
    draft.last_added_schema_id = equal["schema-id"]


def _set_location(draft: ViewDraft, update: JsonObject, path: str) -> None:
    location = required(update, "location", path, as_location)
    if location != draft.document["location"]:
        draft.put("location", location)


def _set_properties(draft: ViewDraft, update: JsonObject, path: str) -> None:
    updates = either_member(update, "updates", "updated", path, as_string_map)
    check_properties(updates, VIEW_CHECKS)
    if updates:
        draft.put("properties", {**draft.document.get("properties", {}), **updates})


def _remove_properties(draft: ViewDraft, update: JsonObject, path: str) -> None:
    removals = set(either_member(update, "removals", "removed", path, as_strings))
    if removals:
        properties = draft.document.get("properties", {})
        draft.put("properties", {name: item for name, item in properties.items() if name not in removals})


def _add_view_version(draft: ViewDraft, update: JsonObject, path: str) -> None:
    version = read_version(required(update, "view-version", path, as_object), f"{path}.view-version")
    version = {**version, "schema-id": _schema_id(draft, version["schema-id"])}
    versions = draft.document["versions"]
    equal = next((item for item in versions if same_version(item, version)), None)
    if equal is None:
        highest = max(item["version-id"] for item in versions)
        equal = {**version, "version-id": max(version["version-id"], next_id(highest))}
        draft.put("versions", [*versions, equal])
        draft.added_version_ids.add(equal["version-id"])
    draft.last_added_version_id = equal["version-id"]


def _schema_id(draft: ViewDraft, wanted: int) -> int:
    if wanted == -1:
        if draft.last_added_schema_id is None:
            raise ValidationException("Cannot set last added schema: no schema has been added")
        return draft.last_added_schema_id
    if all(schema["schema-id"] != wanted for schema in draft.document["schemas"]):
        raise IllegalArgumentException(f"Cannot add version with unknown schema: {wanted}")
    return wanted


def _set_current_view_version(draft: ViewDraft, update: JsonObject, path: str) -> None:
    version_id = required(update, "view-version-id", path, as_int)
    if version_id == -1:
        if draft.last_added_version_id is None:
            raise ValidationException("Cannot set last version id: no current version id has been set")
        version_id = draft.last_added_version_id
    if version_id == draft.document["current-version-id"]:
        return
    version = draft.version(version_id)
    if version is None:
        raise IllegalArgumentException(f"Cannot set current version to unknown version: {version_id}")
    draft.put("current-version-id", version_id)
    moment = version["timestamp-ms"] if version_id in draft.added_version_ids else draft.now_ms
    draft.log_entry = {"version-id": version_id, "timestamp-ms": moment}


VIEW_ACTIONS: dict[str, Callable[[ViewDraft, JsonObject, str], None]] = {
    "assign-uuid": _assign_uuid,
    "upgrade-format-version": _upgrade_format_version,
    "add-schema": _add_schema,
    "set-location": _set_location,
    "set-properties": _set_properties,
    "remove-properties": _remove_properties,
    "add-view-version": _add_view_version,
    "set-current-view-version": _set_current_view_version,
}
