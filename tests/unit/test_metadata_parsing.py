"""Table metadata written by others."""

from typing import Any

import msgspec
import pytest

from app.errors import ValidationException
from app.metadata.table import parse_table_metadata
from tests.support.metadata import (
    CREATED_MS,
    SCHEMA,
    UUID,
    apply,
    column,
    part,
    point,
    snapshot,
    sort,
    struct,
    table,
    table_with_snapshots,
)

OLD_V1: dict[str, Any] = {
    "format-version": 1,
    "location": "s3://bucket/t/",
    "last-updated-ms": CREATED_MS,
    "last-column-id": 5,
    "schema": SCHEMA,
    "partition-spec": [part(3, "ts_day", "day")],
    "current-snapshot-id": 1,
    "snapshots": [{"snapshot-id": 1, "timestamp-ms": CREATED_MS, "manifests": ["s3://m"], "summary": {}}],
}


def refusal(document: Any) -> str:
    with pytest.raises(ValidationException) as caught:
        parse_table_metadata(document)
    return caught.value.message


def without(document: dict[str, Any], *members: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in members}


def test_members_that_old_writers_left_out() -> None:
    document = parse_table_metadata(OLD_V1)
    assert document == {
        **OLD_V1,
        "location": "s3://bucket/t",
        "schema": {**SCHEMA, "schema-id": 0},
        "schemas": [{**SCHEMA, "schema-id": 0}],
        "current-schema-id": 0,
        "partition-spec": [part(3, "ts_day", "day", **{"field-id": 1000})],
        "partition-specs": [{"spec-id": 0, "fields": [part(3, "ts_day", "day", **{"field-id": 1000})]}],
        "default-spec-id": 0,
        "last-partition-id": 1000,
        "sort-orders": [{"order-id": 0, "fields": []}],
        "default-sort-order-id": 0,
        "properties": {},
        "refs": {"main": {"snapshot-id": 1, "type": "branch"}},
        "statistics": [],
        "partition-statistics": [],
        "snapshot-log": [],
        "metadata-log": [],
    }
    assert parse_table_metadata(document) == document


def test_an_unpartitioned_old_table() -> None:
    document = parse_table_metadata({**OLD_V1, "partition-spec": []})
    assert document["last-partition-id"] == 999


def test_an_old_table_can_be_changed() -> None:
    document = apply(parse_table_metadata(OLD_V1), {"action": "set-properties", "updates": {"a": "b"}})
    assert parse_table_metadata(document) == document


@pytest.mark.parametrize("version", [1, 2, 3])
def test_our_own_documents_are_read_unchanged(version: int) -> None:
    document = apply(table_with_snapshots(3, version), point(1, "t", "tag"))
    before = msgspec.json.encode(document)
    assert parse_table_metadata(document) == document
    assert msgspec.json.encode(document) == before


def test_unknown_members_are_kept() -> None:
    base = table_with_snapshots(1)
    document = {
        **base,
        "x": [{"y": None}],
        "schemas": [{**base["schemas"][0], "x": 1}],
        "partition-specs": [{**base["partition-specs"][0], "x": 1}],
        "sort-orders": [{"order-id": 0, "fields": [], "x": 1}],
        "snapshots": [{**base["snapshots"][0], "x": 1}],
        "refs": {"main": {**base["refs"]["main"], "x": 1}},
        "snapshot-log": [{**base["snapshot-log"][0], "x": 1}],
    }
    assert parse_table_metadata(document) == document


@pytest.mark.parametrize("none", ["absent", "null", -1])
@pytest.mark.parametrize(("version", "written"), [(1, -1), (2, -1), (3, None)])
def test_no_current_snapshot(version: int, none: Any, written: int | None) -> None:
    document = without(table(version), "current-snapshot-id")
    if none != "absent":
        document["current-snapshot-id"] = None if none == "null" else none
    assert parse_table_metadata(document)["current-snapshot-id"] == written


def test_main_is_made_of_the_current_snapshot() -> None:
    document = without(table_with_snapshots(2), "refs")
    assert parse_table_metadata(document)["refs"] == {"main": {"snapshot-id": 2, "type": "branch"}}
    assert parse_table_metadata(without(table(), "refs"))["refs"] == {}


@pytest.mark.parametrize(
    "member",
    ["properties", "snapshots", "refs", "statistics", "partition-statistics", "snapshot-log", "metadata-log"],
)
def test_members_that_may_be_missing(member: str) -> None:
    assert parse_table_metadata(without(table(), member)) == table() | {member: type(table()[member])()}


@pytest.mark.parametrize(
    ("version", "member"),
    [
        *(
            (version, member)
            for version in (2, 3)
            for member in (
                *("format-version", "table-uuid", "location", "last-sequence-number", "last-updated-ms"),
                *("last-column-id", "schemas", "current-schema-id", "partition-specs", "default-spec-id"),
                *("last-partition-id", "sort-orders", "default-sort-order-id"),
            )
        ),
        (3, "next-row-id"),
        (1, "location"),
        (1, "last-updated-ms"),
        (1, "last-column-id"),
        (1, "current-schema-id"),
        (1, "default-spec-id"),
        (1, "default-sort-order-id"),
    ],
)
def test_members_that_must_be_there(version: int, member: str) -> None:
    assert refusal(without(table(version), member)) == f"Invalid table metadata: metadata.{member}: missing"


@pytest.mark.parametrize("member", ["schemas", "partition-specs", "last-partition-id", "sort-orders"])
def test_version_1_may_lack_lists(member: str) -> None:
    document = parse_table_metadata(without(table(1), member))
    assert document[member] == table(1)[member]


@pytest.mark.parametrize(
    ("next_row_id", "message"),
    [
        (19, "metadata.snapshots[1]: its row ids end at 20, beyond next-row-id 19"),
        (-1, "must not be negative"),
    ],
)
def test_row_ids_that_were_given_out_are_not_free(next_row_id: int, message: str) -> None:
    document = table_with_snapshots(2, version=3)
    assert document["next-row-id"] == 20
    assert parse_table_metadata(document) == document
    assert message in refusal({**document, "next-row-id": next_row_id})


def changed(**members: Any) -> dict[str, Any]:
    return {**table_with_snapshots(2), **members}


TAG_MAIN = {"main": {"snapshot-id": 2, "type": "tag"}}
FILE = {"snapshot-id": 1, "statistics-path": "s3://s", "file-size-in-bytes": "1"}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "metadata: expected an object, got an array"),
        (None, "metadata: expected an object, got null"),
        (changed(**{"format-version": 4}), "metadata.format-version: Cannot read unsupported version 4"),
        (changed(**{"format-version": 0}), "Cannot read unsupported version 0"),
        (changed(**{"format-version": "2"}), "metadata.format-version: expected an integer, got a string"),
        (changed(**{"table-uuid": "x"}), "metadata.table-uuid: expected a UUID, got 'x'"),
        (changed(location=""), "metadata.location: must not be empty"),
        (changed(**{"last-updated-ms": 2**63}), "metadata.last-updated-ms: expected an integer of 64 bits"),
        (changed(properties={"a": None}), "metadata.properties.a: expected a string, got null"),
        (changed(schemas=[]), "Cannot find current schema: 0"),
        (changed(schemas=[{**SCHEMA, "schema-id": 0}] * 2), "metadata.schemas: schema-id 0 is there twice"),
        (changed(**{"current-schema-id": 4}), "Cannot find current schema: 4"),
        (
            changed(schemas=[{**struct(column(1, "a", "text")), "schema-id": 0}]),
            "metadata.schemas[0].fields[0].type: Cannot parse type: unknown type 'text'",
        ),
        (changed(**{"default-spec-id": 4}), "Cannot find default partition spec: 4"),
        (changed(**{"partition-specs": []}), "Cannot find default partition spec: 0"),
        (
            changed(**{"partition-specs": [{"spec-id": 0, "fields": []}] * 2}),
            "metadata.partition-specs: spec-id 0 is there twice",
        ),
        (
            changed(**{"partition-specs": [{"spec-id": 0, "fields": [part(44, "p")]}]}),
            "Cannot find source column for partition field p: 44",
        ),
        (changed(**{"partition-specs": [{"fields": []}]}), "metadata.partition-specs[0].spec-id: missing"),
        (
            changed(
                **{
                    "partition-specs": [
                        {"spec-id": 0, "fields": [part(1, "p", **{"field-id": 1}), part(2, "q")]}
                    ]
                }
            ),
            "Cannot parse spec with missing field IDs: 1 missing of 2 fields.",
        ),
        (changed(**{"default-sort-order-id": 4}), "Cannot find default sort order: 4"),
        (changed(**{"sort-orders": []}), "Cannot find default sort order: 0"),
        (
            changed(**{"sort-orders": [{"order-id": 0, "fields": []}] * 2}),
            "metadata.sort-orders: order-id 0 is there twice",
        ),
        (
            changed(**{"sort-orders": [{"order-id": 0, "fields": [sort(1)]}]}),
            "Sort order ID 0 is reserved for unsorted order",
        ),
        (changed(snapshots={}), "metadata.snapshots: expected an array, got an object"),
        (changed(snapshots=[snapshot(2, 2)] * 2), "metadata.snapshots: snapshot-id 2 is there twice"),
        (
            changed(snapshots=[snapshot(1, 1), snapshot(2, 3)]),
            "metadata.snapshots[1].sequence-number: 3 exceeds the last sequence number 2",
        ),
        (changed(snapshots=[snapshot(1, 1)]), "metadata.refs.main: snapshot 2 does not exist"),
        (changed(refs=TAG_MAIN), "metadata.refs.main: must be a branch"),
        (
            changed(refs={"b": {"snapshot-id": 9, "type": "branch"}}),
            "metadata.refs.b: snapshot 9 does not exist",
        ),
        (changed(refs={"b": {"type": "branch"}}), "metadata.refs.b.snapshot-id: missing"),
        (changed(refs=[]), "metadata.refs: expected an object, got an array"),
        (changed(**{"current-snapshot-id": 1}), "metadata.current-snapshot-id: 1, but main is at 2"),
        (changed(**{"current-snapshot-id": -1}), "metadata.current-snapshot-id: -1, but main is at 2"),
        (changed(refs={}), "metadata.current-snapshot-id: set to 2, but there is no main"),
        (
            changed(**{"snapshot-log": [{"snapshot-id": 1, "timestamp-ms": 10**13}]}),
            "metadata.last-updated-ms: before the last entry of snapshot-log",
        ),
        (
            changed(**{"metadata-log": [{"metadata-file": "f", "timestamp-ms": 10**13}]}),
            "metadata.last-updated-ms: before the last entry of metadata-log",
        ),
        (
            changed(
                **{
                    "snapshot-log": [
                        {"snapshot-id": 1, "timestamp-ms": 10**6},
                        {"snapshot-id": 2, "timestamp-ms": 1},
                    ]
                }
            ),
            "Expected sorted snapshot-log entries",
        ),
        (
            changed(**{"metadata-log": [{"metadata-file": "f", "timestamp-ms": t} for t in (10**6, 1)]}),
            "Expected sorted metadata-log entries",
        ),
        (changed(**{"snapshot-log": [{"snapshot-id": 1}]}), "metadata.snapshot-log[0].timestamp-ms: missing"),
        (
            changed(**{"metadata-log": [{"timestamp-ms": 1}]}),
            "metadata.metadata-log[0].metadata-file: missing",
        ),
        (
            changed(**{"partition-statistics": [FILE]}),
            "metadata.partition-statistics[0].file-size-in-bytes: expected an integer, got a string",
        ),
        (changed(statistics=[{}]), "metadata.statistics[0].snapshot-id: missing"),
        (
            changed(**{"encryption-keys": [{"key-id": "k", "encrypted-key-metadata": ""}] * 2}),
            "metadata.encryption-keys: key-id k is there twice",
        ),
    ],
)
def test_documents_that_are_refused(document: Any, message: str) -> None:
    assert message in refusal(document)


def test_sequence_numbers_are_0_in_version_1() -> None:
    document = {**table_with_snapshots(1, 1), "snapshots": [snapshot(1, 1)]}
    assert "exceeds the last sequence number 0" in refusal(document)


def test_a_summary_may_lack_its_operation() -> None:
    document = changed(snapshots=[snapshot(1, 1, summary={"n": "1"}), snapshot(2, 2)])
    assert parse_table_metadata(document) == document


def test_version_1_without_uuid() -> None:
    assert "table-uuid" not in parse_table_metadata(without(table(1), "table-uuid"))


def test_null_members_of_snapshots_are_dropped() -> None:
    document = changed(snapshots=[{**snapshot(1, 1), "parent-snapshot-id": None}, snapshot(2, 2)])
    assert parse_table_metadata(document)["snapshots"][0] == snapshot(1, 1)
    assert parse_table_metadata(document)["table-uuid"] == UUID
