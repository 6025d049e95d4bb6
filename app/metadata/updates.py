"""Apply the updates of a commit to table metadata.

Source: the Iceberg REST specification, ``TableUpdate``, and the Java reference's ``TableMetadata.Builder``.
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from app.errors import BadRequestException
from app.metadata import layout_updates, schema_updates, snapshot_updates, table_updates
from app.metadata.draft import TableDraft
from app.metadata.finish import finish
from app.metadata.properties import DEFAULT_FORMAT_VERSION, SUPPORTED_FORMAT_VERSIONS
from app.metadata.shapes import LONG_MAX, JsonObject, as_array, as_int, as_object, as_string, required

Apply = Callable[[TableDraft, JsonObject, str], None]

ACTIONS: dict[str, Apply] = {
    "assign-uuid": table_updates.assign_uuid,
    "upgrade-format-version": table_updates.upgrade_format_version,
    "add-schema": schema_updates.add_schema,
    "set-current-schema": schema_updates.set_current_schema,
    "add-spec": layout_updates.add_spec,
    "set-default-spec": layout_updates.set_default_spec,
    "add-sort-order": layout_updates.add_sort_order,
    "set-default-sort-order": layout_updates.set_default_sort_order,
    "add-snapshot": snapshot_updates.add_snapshot,
    "set-snapshot-ref": snapshot_updates.set_snapshot_ref,
    "remove-snapshots": snapshot_updates.remove_snapshots,
    "remove-snapshot-ref": snapshot_updates.remove_snapshot_ref,
    "set-location": table_updates.set_location,
    "set-properties": table_updates.set_properties,
    "remove-properties": table_updates.remove_properties,
    "set-statistics": table_updates.set_statistics,
    "remove-statistics": table_updates.remove_statistics,
    "set-partition-statistics": table_updates.set_partition_statistics,
    "remove-partition-statistics": table_updates.remove_partition_statistics,
    "remove-partition-specs": layout_updates.remove_partition_specs,
    "remove-schemas": schema_updates.remove_schemas,
    "add-encryption-key": table_updates.add_encryption_key,
    "remove-encryption-key": table_updates.remove_encryption_key,
}
VIEW_ONLY = ("add-view-version", "set-current-view-version")


def apply_table_updates(
    base: JsonObject | None,
    updates: Any,
    *,
    now_ms: int,
    previous_location: str | None,
    default_location: str | None = None,
    default_uuid: str | None = None,
    max_columns: int | None = None,
) -> JsonObject:
    """Return the metadata that a list of updates makes of ``base``, which stays untouched.

    :param base: metadata made by this package, or None to create a table by commit
    :param updates: the request's ``updates``, applied in order
    :param now_ms: epoch milliseconds
    :param previous_location: the metadata file of ``base``, entered into the metadata log
    :param default_location: used on create when no update sets a location
    :param default_uuid: used on create when no update assigns a uuid; random if None
    :param max_columns: refuse schemas with more fields, nested ones included
    :return: ``base`` itself when nothing changed
    :raises BadRequestException: when an update has the wrong shape or is unknown
    :raises ValidationException, IllegalArgumentException: when the metadata would be invalid
    :raises CommitFailedException: when a snapshot is stale
    """
    items = as_array(updates, "updates")
    actions = [_action(item, f"updates[{i}]") for i, item in enumerate(items)]
    if base is None:
        document = _empty(_initial_version(items, actions), default_location, default_uuid)
        updated_ms = now_ms
    else:
        document, updated_ms = base, min(max(now_ms, base["last-updated-ms"] + 1), LONG_MAX)
    draft = TableDraft(document, updated_ms=updated_ms, creating=base is None, max_columns=max_columns)
    for i, (item, action) in enumerate(zip(items, actions, strict=True)):
        ACTIONS[action](draft, item, f"updates[{i}]")
    if base is not None and not draft.changed:
        return base
    return finish(draft, base, previous_location)


def _action(update: Any, path: str) -> str:
    action = required(as_object(update, path), "action", path, as_string).lower()
    if action in VIEW_ONLY:
        raise BadRequestException(f"{path}.action: {action} does not apply to tables")
    if action not in ACTIONS:
        raise BadRequestException(f"{path}.action: unknown action {update['action']!r}")
    return action


def _initial_version(updates: list[JsonObject], actions: list[str]) -> int:
    for i, action in enumerate(actions):
        if action == "upgrade-format-version":
            version = required(updates[i], "format-version", f"updates[{i}]", as_int)
            return version if version in SUPPORTED_FORMAT_VERSIONS else DEFAULT_FORMAT_VERSION
    return DEFAULT_FORMAT_VERSION


def _empty(format_version: int, location: str | None, uuid: str | None) -> JsonObject:
    document: JsonObject = {
        "format-version": format_version,
        "table-uuid": uuid or str(uuid4()),
        "location": location,
        "last-sequence-number": 0,
        "last-updated-ms": 0,
        "last-column-id": 0,
        "current-schema-id": 0,
        "schemas": [],
        "default-spec-id": 0,
        "partition-specs": [],
        "last-partition-id": 0,
        "default-sort-order-id": 0,
        "sort-orders": [],
        "properties": {},
        "current-snapshot-id": None,
        "refs": {},
        "snapshots": [],
        "statistics": [],
        "partition-statistics": [],
        "snapshot-log": [],
        "metadata-log": [],
    }
    if format_version >= 3:
        document["next-row-id"] = 0
    return document
