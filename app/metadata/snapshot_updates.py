"""Update actions on snapshots and their references, and the snapshot log.

Source: the Iceberg REST specification, ``TableUpdate``, and the Java reference's ``TableMetadata.Builder``.
"""

from app.errors import CommitFailedException, ValidationException
from app.metadata.draft import TableDraft
from app.metadata.shapes import LONG_MAX, JsonObject, as_longs, as_object, as_string, required
from app.metadata.snapshots import (
    MAIN,
    check_added_snapshot,
    check_operation,
    read_snapshot,
    ref_of_update,
    same_ref,
)


def add_snapshot(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Add a snapshot; no reference moves.

    :raises CommitFailedException: when its sequence number or first row id is stale; the client retries
    """
    snapshot = read_snapshot(required(update, "snapshot", path, as_object), f"{path}.snapshot")
    if draft.format_version > 1:
        check_added_snapshot(snapshot, f"{path}.snapshot")
    check_operation(snapshot, f"{path}.snapshot")
    for member, what in (
        ("schemas", "a schema"),
        ("partition-specs", "a partition spec"),
        ("sort-orders", "a sort order"),
    ):
        if not draft.read(member):
            raise ValidationException(f"Attempting to add a snapshot before {what} is added")
    snapshot_id = snapshot["snapshot-id"]
    if snapshot_id in draft.snapshot_ids():
        raise ValidationException(f"Snapshot already exists for id: {snapshot_id}")
    _advance_sequence(draft, snapshot)
    _advance_row_id(draft, snapshot)
    if snapshot.get("sequence-number") == 0:
        snapshot = {name: value for name, value in snapshot.items() if name != "sequence-number"}
    draft.edit_array("snapshots").append(snapshot)
    draft.snapshot_ids().add(snapshot_id)
    draft.added_snapshots[snapshot_id] = snapshot


def _advance_sequence(draft: TableDraft, snapshot: JsonObject) -> None:
    sequence = snapshot.get("sequence-number", 0)
    if draft.format_version == 1:
        if sequence != 0:
            raise ValidationException(f"Sequence number must be 0 in v1: {sequence}")
        return
    last = draft.document["last-sequence-number"]
    if sequence <= last and "parent-snapshot-id" in snapshot:
        raise CommitFailedException(
            f"Cannot add snapshot with sequence number {sequence} older than last sequence number {last}"
        )
    draft.put("last-sequence-number", max(last, sequence))


def _advance_row_id(draft: TableDraft, snapshot: JsonObject) -> None:
    if draft.format_version < 3:
        return
    first = snapshot.get("first-row-id")
    if first is None:
        raise ValidationException("Cannot add a snapshot: first-row-id is null")
    next_row_id = draft.document["next-row-id"]
    if first < next_row_id:
        raise CommitFailedException(
            f"Cannot add a snapshot, first-row-id is behind table next-row-id: {first} < {next_row_id}"
        )
    following = first + snapshot["added-rows"]
    if following > LONG_MAX:
        raise ValidationException(f"Cannot add a snapshot: next-row-id would be {following}, beyond 64 bits")
    draft.put("next-row-id", following)


def set_snapshot_ref(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Point a branch or tag at a snapshot; retention settings that the update lacks are cleared."""
    name = required(update, "ref-name", path, as_string)
    ref = ref_of_update(update, path)
    existing = draft.document.get("refs", {}).get(name)
    if existing is not None and same_ref(existing, ref):
        return
    snapshot_id = ref["snapshot-id"]
    if snapshot_id not in draft.snapshot_ids():
        raise ValidationException(f"Cannot set {name} to unknown snapshot: {snapshot_id}")
    if name == MAIN:
        if ref["type"] != "branch":
            raise ValidationException("Cannot set main to a tag, it must be a branch")
        _move_main(draft, snapshot_id)
    draft.edit_object("refs")[name] = ref


def _move_main(draft: TableDraft, snapshot_id: int) -> None:
    added = draft.added_snapshots.get(snapshot_id)
    moment = added["timestamp-ms"] if added else draft.updated_ms
    draft.put("current-snapshot-id", snapshot_id)
    draft.edit_array("snapshot-log").append({"timestamp-ms": moment, "snapshot-id": snapshot_id})
    if added:
        draft.main_moves.append(snapshot_id)


def remove_snapshot_ref(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Remove a reference if there is one; without main there is no current snapshot."""
    _remove_ref(draft, required(update, "ref-name", path, as_string))


def _remove_ref(draft: TableDraft, name: str) -> None:
    if name not in draft.document.get("refs", {}):
        return
    del draft.edit_object("refs")[name]
    if name == MAIN:
        draft.put("current-snapshot-id", None)


def remove_snapshots(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Remove snapshots, their statistics and dangling references; unknown ids are ignored."""
    removed = set(required(update, "snapshot-ids", path, as_longs))
    removed &= draft.snapshot_ids()
    if not removed:
        return
    draft.removed_snapshots = True
    draft.snapshot_ids().difference_update(removed)
    for member in ("snapshots", "statistics", "partition-statistics"):
        items = draft.read(member)
        kept = [item for item in items if item["snapshot-id"] not in removed]
        if len(kept) != len(items):
            draft.put(member, kept)
    dangling = [name for name, ref in draft.document.get("refs", {}).items() if ref["snapshot-id"] in removed]
    for name in dangling:
        _remove_ref(draft, name)


def rewrite_snapshot_log(draft: TableDraft) -> None:
    """Drop log entries of snapshots that were current only within this commit, and history before a gap.

    :raises ValidationException: when the last entry would not be the current snapshot
    """
    current = draft.document.get("current-snapshot-id")
    intermediate = {snapshot_id for snapshot_id in draft.main_moves if snapshot_id != current}
    if not intermediate and not draft.removed_snapshots:
        return
    log: list[JsonObject] = []
    for entry in draft.read("snapshot-log"):
        if entry["snapshot-id"] not in draft.snapshot_ids():
            if draft.removed_snapshots:
                log.clear()
        elif entry["snapshot-id"] not in intermediate:
            log.append(entry)
    if current in draft.snapshot_ids() and (not log or log[-1]["snapshot-id"] != current):
        raise ValidationException("Cannot set invalid snapshot log: latest entry is not the current snapshot")
    draft.put("snapshot-log", log)
