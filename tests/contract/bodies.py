"""Parts of commit requests, as plain JSON."""

from typing import Any

MAIN = "main"
SPEC = {"spec-id": 5, "fields": [{"source-id": 1, "transform": "bucket[8]", "name": "id_bucket"}]}
ORDER_FIELD = {"source-id": 1, "transform": "identity", "direction": "asc", "null-order": "nulls-first"}


def snapshot(snapshot_id: int, sequence_number: int = 1, **more: Any) -> dict[str, Any]:
    """Return an append's snapshot; ``**{"parent-snapshot-id": 1}`` and the like add to it."""
    return {
        "snapshot-id": snapshot_id,
        "sequence-number": sequence_number,
        "timestamp-ms": 1_700_000_000_000 + sequence_number,
        "manifest-list": f"file:///nowhere/snap-{snapshot_id}.avro",
        "summary": {"operation": "append"},
        "schema-id": 0,
        **more,
    }


def add_snapshot(snapshot_id: int, sequence_number: int = 1, **more: Any) -> dict[str, Any]:
    return {"action": "add-snapshot", "snapshot": snapshot(snapshot_id, sequence_number, **more)}


def set_ref(snapshot_id: int, name: str = MAIN, kind: str = "branch", **more: Any) -> dict[str, Any]:
    return {
        "action": "set-snapshot-ref",
        "ref-name": name,
        "type": kind,
        "snapshot-id": snapshot_id,
        **more,
    }


def append(snapshot_id: int, sequence_number: int, parent: int | None = None) -> list[dict[str, Any]]:
    """Return the updates of an append to main."""
    more = {} if parent is None else {"parent-snapshot-id": parent}
    return [add_snapshot(snapshot_id, sequence_number, **more), set_ref(snapshot_id)]


def assert_ref(snapshot_id: int | None, name: str = MAIN) -> dict[str, Any]:
    return {"type": "assert-ref-snapshot-id", "ref": name, "snapshot-id": snapshot_id}


def assert_uuid(uuid: str) -> dict[str, Any]:
    return {"type": "assert-table-uuid", "uuid": uuid}


ASSERT_CREATE = {"type": "assert-create"}


def staged_updates(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the updates by which Java and Python clients create the table that ``metadata`` stages."""
    return [
        {"action": "assign-uuid", "uuid": metadata["table-uuid"]},
        {"action": "upgrade-format-version", "format-version": metadata["format-version"]},
        {"action": "add-schema", "schema": metadata["schemas"][0]},
        {"action": "set-current-schema", "schema-id": -1},
        {"action": "add-spec", "spec": metadata["partition-specs"][0]},
        {"action": "set-default-spec", "spec-id": -1},
        {"action": "add-sort-order", "sort-order": metadata["sort-orders"][0]},
        {"action": "set-default-sort-order", "sort-order-id": -1},
        {"action": "set-location", "location": metadata["location"]},
        {"action": "set-properties", "updates": metadata["properties"]},
    ]
