"""Complete and check a table draft once all updates are applied.

Only what the updates touched is checked, as the base was valid: the cost does not grow with the history.
Source: the Java reference's ``TableMetadata`` (build and constructor checks).
"""

from itertools import pairwise

from app.errors import ValidationException
from app.metadata import partitioning, sorting
from app.metadata.draft import TableDraft
from app.metadata.properties import (
    PREVIOUS_VERSIONS_MAX,
    PREVIOUS_VERSIONS_MAX_DEFAULT,
    integer_property,
)
from app.metadata.shapes import JsonObject, strip_slashes
from app.metadata.snapshot_updates import rewrite_snapshot_log

CLOCK_SKEW_MS = 60_000


def finish(draft: TableDraft, base: JsonObject | None, previous_location: str | None) -> JsonObject:
    """Return the finished document.

    :raises ValidationException: when the metadata would be invalid
    """
    if draft.creating:
        _complete_new_table(draft)
    if draft.layout_changed:
        check_layout(draft)
    rewrite_snapshot_log(draft)
    _check_snapshot_log(draft, base)
    draft.put("last-updated-ms", draft.updated_ms)
    if base is not None and previous_location is not None:
        _log_previous_file(draft, base, previous_location)
    write_version_members(draft.document)
    return draft.document


def _complete_new_table(draft: TableDraft) -> None:
    """Add what a client may leave out: no partitioning, no sorting, the default location."""
    document = draft.document
    if not document["schemas"]:
        raise ValidationException("Cannot create table: no schema has been added")
    if not document["location"]:
        raise ValidationException("Cannot create table: no location has been set")
    document["location"] = strip_slashes(document["location"])
    if not document["partition-specs"]:
        draft.edit_array("partition-specs").append({"spec-id": 0, "fields": []})
    document["last-partition-id"] = max(
        document["last-partition-id"], *map(partitioning.last_field_id, document["partition-specs"])
    )
    if not document["sort-orders"]:
        draft.edit_array("sort-orders").append(sorting.unsorted())


def check_layout(draft: TableDraft) -> None:
    """Check that the default spec and sort order exist and fit the current schema."""
    document = draft.document
    index = draft.current_index()
    spec = draft.find("partition-specs", "spec-id", document["default-spec-id"])
    if spec is None:
        raise ValidationException(f"Cannot find default partition spec: {document['default-spec-id']}")
    for each in draft.read("partition-specs"):
        partitioning.check_loadable(each, index)
    partitioning.check_sources(spec["fields"], index, "partition")
    order = draft.find("sort-orders", "order-id", document["default-sort-order-id"])
    if order is None:
        raise ValidationException(f"Cannot find default sort order: {document['default-sort-order-id']}")
    partitioning.check_sources(order["fields"], index, "sort")


def _check_snapshot_log(draft: TableDraft, base: JsonObject | None) -> None:
    log = draft.read("snapshot-log")
    if not log:
        return
    known = 0
    if base is not None and not draft.removed_snapshots:
        known = min(len(base.get("snapshot-log") or ()), len(log))
    check_log_order(log[max(known - 1, 0) :], "snapshot log")
    if draft.updated_ms - log[-1]["timestamp-ms"] < -CLOCK_SKEW_MS:
        raise ValidationException(
            f"Invalid update timestamp {draft.updated_ms}: "
            f"before last snapshot log entry at {log[-1]['timestamp-ms']}"
        )


def check_log_order(log: list[JsonObject], what: str) -> None:
    """:raises ValidationException: when a log's times go backwards by more than a minute"""
    for earlier, later in pairwise(log):
        if later["timestamp-ms"] - earlier["timestamp-ms"] < -CLOCK_SKEW_MS:
            raise ValidationException(
                f"Expected sorted {what} entries, got {later['timestamp-ms']} after {earlier['timestamp-ms']}"
            )


def _log_previous_file(draft: TableDraft, base: JsonObject, previous_location: str) -> None:
    properties = draft.document.get("properties", {})
    size = max(1, integer_property(properties, PREVIOUS_VERSIONS_MAX, PREVIOUS_VERSIONS_MAX_DEFAULT))
    entry = {"timestamp-ms": base["last-updated-ms"], "metadata-file": previous_location}
    draft.put("metadata-log", [*draft.read("metadata-log"), entry][-size:])


def write_version_members(document: JsonObject) -> None:
    """Add the members that the document's format version has, drop those it does not."""
    version = document["format-version"]
    current = document.get("current-snapshot-id")
    if current is None or current < 0:
        document["current-snapshot-id"] = None if version >= 3 else -1
    if not document.get("encryption-keys"):
        document.pop("encryption-keys", None)
    if version > 1:
        if not document.get("table-uuid"):
            raise ValidationException(f"UUID is required in format v{version}")
        document.pop("schema", None)
        document.pop("partition-spec", None)
        return
    document.pop("last-sequence-number", None)
    document["schema"] = _item(document, "schemas", "schema-id", "current-schema-id")
    document["partition-spec"] = _item(document, "partition-specs", "spec-id", "default-spec-id")["fields"]


def _item(document: JsonObject, member: str, id_member: str, current: str) -> JsonObject:
    item: JsonObject = next(i for i in document[member] if i[id_member] == document[current])
    return item
