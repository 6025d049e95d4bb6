"""Commits to tables: every update action once, and what the metadata says then."""

import json
import re
from typing import Any

import pytest

from tests.contract.bodies import (
    ORDER_FIELD,
    SPEC,
    add_snapshot,
    append,
    set_ref,
    snapshot,
)
from tests.contract.calls import Tabular, assert_error, local
from tests.factories import field, schema, set_properties
from tests.support.server import TestServer

WIDER = schema(field(1, "id", required=True), field(2, "name", "string"), field(3, "extra", "double"))
ORDER = {"order-id": 5, "fields": [ORDER_FIELD]}
STATISTICS = {
    "snapshot-id": 1,
    "statistics-path": "file:///x.puffin",
    "file-size-in-bytes": 10,
    "file-footer-size-in-bytes": 5,
    "blob-metadata": [],
}
PARTITION_STATISTICS = {"snapshot-id": 1, "statistics-path": "file:///x.parquet", "file-size-in-bytes": 10}
KEY = {"key-id": "k", "encrypted-key-metadata": "c2VjcmV0"}


def at(metadata: Any, path: str) -> Any:
    """Return the member at a path such as ``refs.main.snapshot-id``; dots separate, numbers index."""
    for part in path.split("/"):
        metadata = metadata[int(part)] if isinstance(metadata, list) else metadata.get(part)
    return metadata


# Updates, in order, on a fresh table; then what the metadata says.
UPDATES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "upgrade-format-version": (
        [{"action": "upgrade-format-version", "format-version": 3}],
        {"format-version": 3, "next-row-id": 0},
    ),
    "add-schema": (
        [{"action": "add-schema", "schema": WIDER}],
        {"last-column-id": 3, "current-schema-id": 0, "schemas/1/schema-id": 1},
    ),
    "set-current-schema": (
        [{"action": "add-schema", "schema": WIDER}, {"action": "set-current-schema", "schema-id": -1}],
        {"current-schema-id": 1},
    ),
    "add-spec": (
        [{"action": "add-spec", "spec": SPEC}],
        {"default-spec-id": 0, "partition-specs/1/spec-id": 1, "last-partition-id": 1000},
    ),
    "set-default-spec": (
        [{"action": "add-spec", "spec": SPEC}, {"action": "set-default-spec", "spec-id": -1}],
        {"default-spec-id": 1},
    ),
    "add-sort-order": (
        [{"action": "add-sort-order", "sort-order": ORDER}],
        {"default-sort-order-id": 0, "sort-orders/1/order-id": 1},
    ),
    "set-default-sort-order": (
        [
            {"action": "add-sort-order", "sort-order": ORDER},
            {"action": "set-default-sort-order", "sort-order-id": -1},
        ],
        {"default-sort-order-id": 1},
    ),
    "add-snapshot": (
        [add_snapshot(7)],
        {"snapshots/0": snapshot(7), "current-snapshot-id": -1, "last-sequence-number": 1},
    ),
    "set-snapshot-ref": (
        [*append(7, 1), set_ref(7, "old", "tag", **{"max-ref-age-ms": 5})],
        {
            "current-snapshot-id": 7,
            "refs/main": {"type": "branch", "snapshot-id": 7},
            "refs/old": {"type": "tag", "snapshot-id": 7, "max-ref-age-ms": 5},
            "snapshot-log/0/snapshot-id": 7,
        },
    ),
    "remove-snapshot-ref": (
        [*append(7, 1), {"action": "remove-snapshot-ref", "ref-name": "main"}],
        {"refs": {}, "current-snapshot-id": -1},
    ),
    "remove-snapshots": (
        [*append(7, 1), *append(8, 2, 7), {"action": "remove-snapshots", "snapshot-ids": [7, 99]}],
        {"snapshots/0/snapshot-id": 8, "current-snapshot-id": 8},
    ),
    "set-properties": ([set_properties(a_b="1")], {"properties/a.b": "1"}),
    "remove-properties": (
        [set_properties(a="1", b="2"), {"action": "remove-properties", "removals": ["a", "none"]}],
        {"properties/a": None, "properties/b": "2"},
    ),
    "set-statistics": (
        [*append(1, 1), {"action": "set-statistics", "statistics": STATISTICS}],
        {"statistics": [STATISTICS]},
    ),
    "remove-statistics": (
        [
            {"action": "set-statistics", "statistics": STATISTICS},
            {"action": "remove-statistics", "snapshot-id": 1},
            set_properties(a="1"),
        ],
        {"statistics": []},
    ),
    "set-partition-statistics": (
        [{"action": "set-partition-statistics", "partition-statistics": PARTITION_STATISTICS}],
        {"partition-statistics": [PARTITION_STATISTICS]},
    ),
    "remove-partition-statistics": (
        [
            {"action": "set-partition-statistics", "partition-statistics": PARTITION_STATISTICS},
            {"action": "remove-partition-statistics", "snapshot-id": 1},
            set_properties(a="1"),
        ],
        {"partition-statistics": []},
    ),
    "remove-partition-specs": (
        [
            {"action": "add-spec", "spec": SPEC},
            {"action": "remove-partition-specs", "spec-ids": [1, 9]},
        ],
        {"partition-specs": [{"spec-id": 0, "fields": []}]},
    ),
    "remove-schemas": (
        [{"action": "add-schema", "schema": WIDER}, {"action": "remove-schemas", "schema-ids": [1, 9]}],
        {"schemas": [schema()]},
    ),
    "add-encryption-key": (
        [
            {"action": "upgrade-format-version", "format-version": 3},
            {"action": "add-encryption-key", "encryption-key": KEY},
        ],
        {"encryption-keys": [KEY]},
    ),
    "remove-encryption-key": (
        [
            {"action": "upgrade-format-version", "format-version": 3},
            {"action": "add-encryption-key", "encryption-key": KEY},
            {"action": "remove-encryption-key", "key-id": "k"},
        ],
        {"encryption-keys": None},
    ),
    "upper case": ([{"action": "SET-Properties", "updates": {"a": "1"}}], {"properties/a": "1"}),
    "old spelling": ([{"action": "set-properties", "updated": {"a": "1"}}], {"properties/a": "1"}),
}


@pytest.mark.lenient("Java compares actions without regard to case and knows older names of members")
@pytest.mark.parametrize("name", UPDATES)
def test_update(table: Tabular, name: str) -> None:
    updates, expected = UPDATES[name]
    metadata = table.commit(*updates)
    assert {path: at(metadata, path) for path in expected} == expected
    loaded = table.load()
    assert loaded["metadata"] == metadata
    assert json.loads(local(loaded["metadata-location"]).read_text()) == metadata


def test_set_location(table: Tabular, server: TestServer) -> None:
    place = f"{server.warehouse.location}/{table.namespace}/moved"
    metadata = table.commit({"action": "set-location", "location": place + "/"})
    assert metadata["location"] == place
    assert table.location.startswith(f"{place}/metadata/00001-")


def test_assign_uuid(table: Tabular) -> None:
    uuid = table.metadata["table-uuid"]
    table.commit({"action": "assign-uuid", "uuid": uuid})
    answer = table.try_commit({"action": "assign-uuid", "uuid": "11111111-2222-3333-4444-555555555555"})
    assert_error(answer, 400, "IllegalArgumentException", re.compile("Cannot reassign uuid"))
