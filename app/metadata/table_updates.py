"""Update actions on the table itself: identity, version, location, properties, statistics and keys.

Source: the Iceberg REST specification, ``TableUpdate``, and the Java reference's ``TableMetadata.Builder``.
"""

from typing import Any

from app.errors import BadRequestException, IllegalArgumentException, ValidationException
from app.metadata.draft import TableDraft
from app.metadata.properties import (
    FORMAT_VERSION,
    RESERVED,
    SUPPORTED_FORMAT_VERSIONS,
    TABLE_CHECKS,
    check_properties,
)
from app.metadata.shapes import (
    JsonObject,
    Reader,
    as_int,
    as_location,
    as_long,
    as_string,
    as_string_map,
    as_strings,
    as_uuid,
    optional,
    required,
)
from app.metadata.statistics import read_encryption_key, read_partition_statistics, read_statistics


def assign_uuid(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Give a table its uuid; an existing table keeps the one it has."""
    uuid = required(update, "uuid", path, as_uuid)
    current = draft.document.get("table-uuid")
    if current is not None and current.lower() == uuid.lower():
        return
    if current is not None and not draft.creating:
        raise IllegalArgumentException(f"Cannot reassign uuid: {current} to {uuid}")
    draft.put("table-uuid", uuid)


def upgrade_format_version(draft: TableDraft, update: JsonObject, path: str) -> None:
    version = required(update, "format-version", path, as_int)
    current = draft.format_version
    highest = SUPPORTED_FORMAT_VERSIONS[-1]
    if version > highest:
        raise IllegalArgumentException(
            f"Cannot upgrade table to unsupported format version: v{version} (supported: v{highest})"
        )
    if version < current:
        raise IllegalArgumentException(f"Cannot downgrade v{current} table to v{version}")
    if version == current:
        return
    draft.put("format-version", version)
    draft.document.setdefault("last-sequence-number", 0)
    if version >= 3:
        draft.document.setdefault("next-row-id", 0)


def set_location(draft: TableDraft, update: JsonObject, path: str) -> None:
    location = required(update, "location", path, as_location)
    if location != draft.document.get("location"):
        draft.put("location", location)


def set_properties(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Merge properties; reserved names are refused but the format version that the table has."""
    updates = dict(either_member(update, "updates", "updated", path, as_string_map))
    if updates.get(FORMAT_VERSION) == str(draft.format_version):
        del updates[FORMAT_VERSION]
    check_properties(updates, TABLE_CHECKS)
    reserved = sorted(RESERVED & updates.keys())
    if reserved:
        raise ValidationException(f"Cannot set reserved property: {', '.join(reserved)}")
    if updates:
        draft.edit_object("properties").update(updates)


def remove_properties(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Remove properties; unknown names are ignored."""
    removals = either_member(update, "removals", "removed", path, as_strings)
    if removals:
        properties = draft.edit_object("properties")
        for name in removals:
            properties.pop(name, None)


def either_member(update: JsonObject, name: str, legacy: str, path: str, reader: Reader[Any]) -> Any:
    """Read a member that old clients spell ``legacy``; the specification's name wins."""
    spelling = legacy if update.get(name) is None and update.get(legacy) is not None else name
    return required(update, spelling, path, reader)


def set_statistics(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Replace the statistics of a snapshot."""
    file = required(update, "statistics", path, read_statistics)
    stated = optional(update, "snapshot-id", path, as_long)
    if stated not in (None, file["snapshot-id"]):
        raise BadRequestException(
            f"{path}.snapshot-id: {stated} contradicts statistics.snapshot-id {file['snapshot-id']}"
        )
    _replace_file(draft, "statistics", file)


def set_partition_statistics(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Replace the partition statistics of a snapshot."""
    _replace_file(
        draft,
        "partition-statistics",
        required(update, "partition-statistics", path, read_partition_statistics),
    )


def _replace_file(draft: TableDraft, member: str, file: JsonObject) -> None:
    others = [item for item in draft.read(member) if item["snapshot-id"] != file["snapshot-id"]]
    draft.put(member, [*others, file])


def remove_statistics(draft: TableDraft, update: JsonObject, path: str) -> None:
    _remove_file(draft, "statistics", required(update, "snapshot-id", path, as_long))


def remove_partition_statistics(draft: TableDraft, update: JsonObject, path: str) -> None:
    _remove_file(draft, "partition-statistics", required(update, "snapshot-id", path, as_long))


def _remove_file(draft: TableDraft, member: str, snapshot_id: int) -> None:
    files = draft.read(member)
    kept = [item for item in files if item["snapshot-id"] != snapshot_id]
    if len(kept) != len(files):
        draft.put(member, kept)


def add_encryption_key(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Add a key unless there is one of that id."""
    key = required(update, "encryption-key", path, read_encryption_key)
    if all(item["key-id"] != key["key-id"] for item in draft.read("encryption-keys")):
        draft.edit_array("encryption-keys").append(key)


def remove_encryption_key(draft: TableDraft, update: JsonObject, path: str) -> None:
    key_id = required(update, "key-id", path, as_string)
    keys = draft.read("encryption-keys")
    kept = [item for item in keys if item["key-id"] != key_id]
    if len(kept) != len(keys):
        draft.put("encryption-keys", kept)
