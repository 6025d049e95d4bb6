"""Commits to tables: every requirement, every update, files, versions, failures."""

import gzip
import json
import re
from typing import Any

import pytest

from tests.contract.bodies import (
    add_snapshot,
    append,
    assert_ref,
    assert_uuid,
    set_ref,
    snapshot,
)
from tests.contract.calls import Tabular, assert_error, local, make_table, no_content
from tests.factories import field, schema, set_properties
from tests.support.process import eventually
from tests.support.server import Client, TestServer

WIDER = schema(field(1, "id", required=True), field(2, "name", "string"), field(3, "extra", "double"))
SPEC = {"spec-id": 5, "fields": [{"source-id": 1, "transform": "bucket[8]", "name": "id_bucket"}]}
ORDER_FIELD = {"source-id": 1, "transform": "identity", "direction": "asc", "null-order": "nulls-first"}
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


@pytest.fixture
def busy(client: Client, namespace: str) -> Tabular:
    """A table with snapshots, a branch and a tag."""
    table = make_table(client, namespace)
    table.commit(*append(1, 1), set_ref(1, "b"), set_ref(1, "t", "tag"))
    return table


HOLDS = [
    assert_ref(1),
    assert_ref(1, "b"),
    assert_ref(1, "t"),
    assert_ref(None, "none"),
    assert_ref(-1, "none"),
    {"type": "assert-ref-snapshot-id", "ref": "none"},
    {"type": "ASSERT-Ref-Snapshot-Id", "ref": "main", "snapshot-id": 1},
    {"type": "assert-last-assigned-field-id", "last-assigned-field-id": 2},
    {"type": "assert-current-schema-id", "current-schema-id": 0},
    {"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": 999},
    {"type": "assert-default-spec-id", "default-spec-id": 0},
    {"type": "assert-default-sort-order-id", "default-sort-order-id": 0},
]


@pytest.mark.parametrize("requirement", HOLDS, ids=lambda item: item["type"])
def test_requirement_that_holds(busy: Tabular, requirement: dict[str, Any]) -> None:
    uuid = busy.metadata["table-uuid"]
    busy.commit(set_properties(a="1"), requirements=[assert_uuid(uuid.upper()), requirement])


NIL = "00000000-0000-0000-0000-000000000000"
FAILS = [
    (assert_uuid(NIL), f"UUID does not match: expected {{uuid}} != {NIL}"),
    (assert_ref(2), "branch main has changed: expected id 2 != 1"),
    (assert_ref(None), "branch main was created concurrently"),
    (assert_ref(None, "t"), "tag t was created concurrently"),
    (assert_ref(3, "t"), "tag t has changed: expected id 3 != 1"),
    (assert_ref(3, "none"), "branch or tag none is missing, expected 3"),
    (
        {"type": "assert-last-assigned-field-id", "last-assigned-field-id": 3},
        "last assigned field id changed: expected id 3 != 2",
    ),
    (
        {"type": "assert-current-schema-id", "current-schema-id": 1},
        "current schema changed: expected id 1 != 0",
    ),
    (
        {"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": 1000},
        "last assigned partition id changed: expected id 1000 != 999",
    ),
    (
        {"type": "assert-default-spec-id", "default-spec-id": 1},
        "default partition spec changed: expected id 1 != 0",
    ),
    (
        {"type": "assert-default-sort-order-id", "default-sort-order-id": 1},
        "default sort order changed: expected id 1 != 0",
    ),
    ({"type": "assert-create"}, "table already exists"),
]


@pytest.mark.parametrize(("requirement", "reason"), FAILS, ids=[item["type"] for item, _ in FAILS])
def test_requirement_that_fails(busy: Tabular, requirement: dict[str, Any], reason: str) -> None:
    before, files = busy.load(), busy.files()
    answer = busy.try_commit(set_properties(a="1"), requirements=[requirement])
    message = "Requirement failed: " + reason.format(uuid=before["metadata"]["table-uuid"])
    assert_error(answer, 409, "CommitFailedException", message)
    assert (busy.load(), busy.files()) == (before, files)


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"requirements": {}}, "requirements"),
    ({"requirements": [1]}, r"requirements\[0\]"),
    ({"requirements": [{}]}, r"requirements\[0\]\.type"),
    ({"requirements": [{"type": "assert-nothing"}]}, r"requirements\[0\]\.type.*assert-nothing"),
    ({"requirements": [{"type": None}]}, r"requirements\[0\]\.type"),
    ({"requirements": [{"type": "assert-table-uuid"}]}, r"requirements\[0\]\.uuid"),
    ({"requirements": [{"type": "assert-table-uuid", "uuid": None}]}, r"requirements\[0\]\.uuid"),
    ({"requirements": [{"type": "assert-view-uuid", "uuid": NIL}]}, r"requirements\[0\]\.type"),
    ({"requirements": [{"type": "assert-ref-snapshot-id", "snapshot-id": 1}]}, r"requirements\[0\]\.ref"),
    ({"requirements": [assert_ref("1")]}, r"requirements\[0\]\.snapshot-id"),
    (
        {"requirements": [{"type": "assert-current-schema-id", "current-schema-id": 0.0}]},
        r"requirements\[0\]\.current-schema-id",
    ),
    ({"updates": "x"}, "updates"),
    ({"updates": [None]}, r"updates\[0\]"),
    ({"updates": [{}]}, r"updates\[0\]\.action"),
    ({"updates": [set_properties(a="1"), {"action": "make-coffee"}]}, r"updates\[1\]\.action.*make-coffee"),
    ({"updates": [{"action": "add-view-version", "view-version": {}}]}, r"updates\[0\]\.action"),
    ({"updates": [{"action": "set-current-view-version", "view-version-id": 1}]}, r"updates\[0\]\.action"),
    ({"updates": [{"action": "assign-uuid"}]}, r"updates\[0\]\.uuid"),
    ({"updates": [{"action": "assign-uuid", "uuid": None}]}, r"updates\[0\]\.uuid"),
    ({"updates": [{"action": "upgrade-format-version"}]}, r"updates\[0\]\.format-version"),
    ({"updates": [{"action": "add-schema"}]}, r"updates\[0\]\.schema"),
    ({"updates": [{"action": "set-current-schema"}]}, r"updates\[0\]\.schema-id"),
    ({"updates": [{"action": "set-current-schema", "schema-id": "1"}]}, r"updates\[0\]\.schema-id"),
    ({"updates": [{"action": "add-spec"}]}, r"updates\[0\]\.spec"),
    ({"updates": [{"action": "set-default-spec"}]}, r"updates\[0\]\.spec-id"),
    ({"updates": [{"action": "add-sort-order"}]}, r"updates\[0\]\.sort-order"),
    ({"updates": [{"action": "set-default-sort-order"}]}, r"updates\[0\]\.sort-order-id"),
    ({"updates": [{"action": "add-snapshot"}]}, r"updates\[0\]\.snapshot"),
    ({"updates": [add_snapshot("1")]}, r"updates\[0\]\.snapshot\.snapshot-id"),  # type: ignore[arg-type]
    ({"updates": [add_snapshot(1, summary={"operation": 1})]}, r"updates\[0\]\.snapshot\.summary"),
    ({"updates": [add_snapshot(1, **{"timestamp-ms": 1.5})]}, r"updates\[0\]\.snapshot\.timestamp-ms"),
    ({"updates": [add_snapshot(2**63)]}, r"updates\[0\]\.snapshot\.snapshot-id"),
    ({"updates": [{"action": "set-snapshot-ref", "ref-name": "x"}]}, r"updates\[0\]"),
    ({"updates": [{"action": "remove-snapshot-ref"}]}, r"updates\[0\]\.ref-name"),
    ({"updates": [{"action": "remove-snapshots"}]}, r"updates\[0\]\.snapshot-ids"),
    ({"updates": [{"action": "set-location"}]}, r"updates\[0\]\.location"),
    ({"updates": [{"action": "set-location", "location": ""}]}, r"updates\[0\]\.location"),
    ({"updates": [{"action": "set-properties"}]}, r"updates\[0\]\.updates"),
    ({"updates": [{"action": "set-properties", "updates": {"a": 1}}]}, r"updates\[0\]\.updates\.a"),
    ({"updates": [{"action": "remove-properties"}]}, r"updates\[0\]\.removals"),
    ({"updates": [{"action": "remove-properties", "removals": "a"}]}, r"updates\[0\]\.removals"),
    ({"updates": [{"action": "set-statistics"}]}, r"updates\[0\]\.statistics"),
    ({"updates": [{"action": "remove-statistics"}]}, r"updates\[0\]\.snapshot-id"),
    ({"updates": [{"action": "set-partition-statistics"}]}, r"updates\[0\]\.partition-statistics"),
    ({"updates": [{"action": "remove-partition-statistics"}]}, r"updates\[0\]\.snapshot-id"),
    ({"updates": [{"action": "remove-partition-specs"}]}, r"updates\[0\]\.spec-ids"),
    ({"updates": [{"action": "remove-schemas"}]}, r"updates\[0\]\.schema-ids"),
    ({"updates": [{"action": "add-encryption-key", "encryption-key": "x"}]}, r"updates\[0\]\.encryption-key"),
    ({"updates": [{"action": "remove-encryption-key"}]}, r"updates\[0\]\.key-id"),
]


def test_malformed_bodies(table: Tabular) -> None:
    for body, names in MALFORMED:
        answer = table.client.post(table.path, json=body)
        assert_error(answer, 400, "BadRequestException", re.compile(names))
    assert len(table.files()) == 1


INVALID: list[tuple[list[dict[str, Any]], str]] = [
    ([{"action": "upgrade-format-version", "format-version": 1}], "downgrade"),
    ([{"action": "upgrade-format-version", "format-version": 4}], "v4"),
    ([{"action": "set-current-schema", "schema-id": 9}], "9"),
    ([{"action": "set-current-schema", "schema-id": -1}], "no schema has been added"),
    ([{"action": "set-default-spec", "spec-id": 9}], "9"),
    ([{"action": "set-default-spec", "spec-id": -1}], "spec"),
    ([{"action": "set-default-sort-order", "sort-order-id": 9}], "9"),
    ([{"action": "set-default-sort-order", "sort-order-id": -1}], "order"),
    ([{"action": "remove-schemas", "schema-ids": [0]}], "current schema"),
    ([{"action": "remove-partition-specs", "spec-ids": [0]}], "default"),
    ([{"action": "add-schema", "schema": schema(field(1, "x"), field(1, "y"))}], "1"),
    ([{"action": "add-schema", "schema": schema(field(1, "x", "variant"))}], "variant"),
    ([{"action": "add-spec", "spec": {"fields": [{**SPEC["fields"][0], "source-id": 9}]}}], "9"),
    ([{"action": "add-spec", "spec": {"fields": [SPEC["fields"][0]] * 2}}], "id_bucket"),
    ([{"action": "add-sort-order", "sort-order": {"order-id": 0, "fields": [ORDER_FIELD]}}], "0"),
    ([add_snapshot(1), add_snapshot(1, 2)], "1"),
    ([set_ref(9)], "unknown snapshot: 9"),
    ([add_snapshot(1), set_ref(1, "main", "tag")], "main"),
    ([add_snapshot(1), set_ref(1, "t", "tag", **{"min-snapshots-to-keep": 1})], "t"),
    ([add_snapshot(1), set_ref(1, "b", **{"max-ref-age-ms": 0})], "max-ref-age-ms"),
    ([set_properties(uuid="x")], "uuid"),
    ([{"action": "set-properties", "updates": {"format-version": "3"}}], "format-version"),
    ([{"action": "set-properties", "updates": {"write.metadata.compression-codec": "lz4"}}], "lz4"),
    ([{"action": "set-location", "location": "file:///etc"}], "file:///etc"),
    ([{"action": "set-properties", "updates": {"write.metadata.path": "file:///etc"}}], "file:///etc"),
    ([{"action": "set-properties", "updates": {"write.data.path": "s3://other/x"}}], "s3://other/x"),
]


def test_invalid_updates(table: Tabular) -> None:
    before = table.load()
    for updates, names in INVALID:
        answer = table.try_commit(set_properties(a="1"), *updates)
        assert answer.status_code == 400, (updates, answer.text)
        error = answer.json()["error"]
        assert error["type"] in {"ValidationException", "IllegalArgumentException", "BadRequestException"}
        assert names.lower() in error["message"].lower(), (updates, error)
    assert table.load() == before
    assert len(table.files()) == 1


def test_stale_sequence_number(busy: Tabular) -> None:
    files = busy.files()
    answer = busy.try_commit(add_snapshot(2, 1, **{"parent-snapshot-id": 1}))
    assert_error(answer, 409, "CommitFailedException", re.compile("sequence number"))
    assert busy.files() == files


def test_stale_row_id(client: Client, namespace: str) -> None:
    table = make_table(client, namespace, properties={"format-version": "3"})
    rows = {"first-row-id": 0, "added-rows": 10}
    assert table.commit(add_snapshot(1, 1, **rows))["next-row-id"] == 10
    answer = table.try_commit(add_snapshot(2, 2, **rows))
    assert_error(answer, 409, "CommitFailedException", re.compile("first-row-id"))
    assert_error(table.try_commit(add_snapshot(2, 2)), 400, "ValidationException", re.compile("first-row-id"))


def test_first_failing_requirement_wins_and_updates_are_not_looked_at(table: Tabular) -> None:
    requirements = [assert_ref(1), assert_uuid(NIL)]
    answer = table.try_commit(set_ref(99), requirements=requirements)
    message = "Requirement failed: branch or tag main is missing, expected 1"
    assert_error(answer, 409, "CommitFailedException", message)


def test_versions_count_up_and_the_log_follows(table: Tabular) -> None:
    locations, times = [table.location], [table.metadata["last-updated-ms"]]
    for number in range(1, 4):
        metadata = table.commit(set_properties(n=str(number)))
        locations.append(table.location)
        times.append(metadata["last-updated-ms"])
    assert [location.rpartition("/")[2][:6] for location in locations] == [
        "00000-",
        "00001-",
        "00002-",
        "00003-",
    ]
    assert times == sorted(set(times))
    log = [
        {"metadata-file": location, "timestamp-ms": time}
        for location, time in zip(locations[:-1], times[:-1], strict=True)
    ]
    assert metadata["metadata-log"] == log
    assert sorted(location.rpartition("/")[2] for location in locations) == table.files()


def test_log_is_trimmed_by_the_new_properties(table: Tabular) -> None:
    for number in range(4):
        table.commit(set_properties(n=str(number)))
    name = "write.metadata.previous-versions-max"
    for size, expected in (("2", 2), ("0", 1)):
        metadata = table.commit({"action": "set-properties", "updates": {name: size}})
        assert len(metadata["metadata-log"]) == expected


@pytest.mark.parametrize(
    ("updates", "requirements"),
    [
        ([], []),
        ([], [assert_ref(None)]),
        ([{"action": "set-properties", "updates": {}}], []),
        ([{"action": "remove-statistics", "snapshot-id": 5}], []),
        ([{"action": "set-current-schema", "schema-id": 0}], []),
        ([{"action": "remove-snapshots", "snapshot-ids": []}], []),
        ([{"action": "set-properties", "updates": {"format-version": "2"}}], []),
    ],
)
def test_commit_of_nothing_writes_no_file(
    table: Tabular, updates: list[dict[str, Any]], requirements: list[dict[str, Any]]
) -> None:
    before = table.load()
    answer = table.try_commit(*updates, requirements=requirements)
    assert answer.status_code == 200, answer.text
    assert answer.json()["metadata-location"] == before["metadata-location"]
    assert table.load() == before
    assert len(table.files()) == 1


@pytest.mark.parametrize(
    "body", [{}, {"requirements": None, "updates": None}, {"identifier": None}, {"x": 1}]
)
def test_absent_members_mean_nothing_to_do(table: Tabular, body: dict[str, Any]) -> None:
    answer = table.client.post(table.path, json=body)
    assert set(answer.json()) == {"metadata-location", "metadata"}


def test_identifier_in_the_body_does_not_matter(table: Tabular) -> None:
    for identifier in ({"namespace": ["catalog", table.namespace], "name": table.name}, {"namespace": []}):
        table.commit(set_properties(a="1"), identifier=identifier)


def test_gzip(table: Tabular) -> None:
    name = "write.metadata.compression-codec"
    metadata = table.commit({"action": "set-properties", "updates": {name: "GZIP"}})
    assert table.location.endswith(".gz.metadata.json")
    assert json.loads(gzip.decompress(local(table.location).read_bytes())) == metadata
    table.commit({"action": "remove-properties", "removals": [name]})
    assert re.search(r"/00002-[0-9a-f-]+\.metadata\.json$", table.location)


def test_metadata_path(table: Tabular, server: TestServer) -> None:
    place = f"{server.warehouse.location}/{table.namespace}-metadata"
    table.commit({"action": "set-properties", "updates": {"write.metadata.path": place + "/"}})
    assert table.location.startswith(f"{place}/00001-")
    assert local(table.location).exists()


def test_superseded_files_are_deleted_when_asked_for(table: Tabular) -> None:
    names = {
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "1",
    }
    table.commit({"action": "set-properties", "updates": names})
    for number in range(3):
        table.commit(set_properties(n=str(number)))
    log = [entry["metadata-file"] for entry in table.metadata["metadata-log"]]
    assert len(log) == 1
    kept = sorted(location.rpartition("/")[2] for location in (log[0], table.location))
    eventually(lambda: table.files() == kept, 20, "only the current file and the one before are left")


def test_big_numbers_and_unknown_members_are_kept_to_the_digit(table: Tabular) -> None:
    odd = {"engine": {"x": 2**53 + 1, "z": -(2**80), "y": [1.5, None]}, "timestamp-ms": 1_700_000_000_001}
    made = add_snapshot(2**63 - 1, 2**62, **odd, summary={"operation": "append", "flink.job-id": "ü\u0001"})
    metadata = table.commit(made, set_ref(2**63 - 1))
    assert metadata["snapshots"] == [made["snapshot"]]
    assert metadata["current-snapshot-id"] == 2**63 - 1
    assert table.metadata == metadata


def test_rebase_on_a_newer_state(busy: Tabular) -> None:
    """A client that saw an older state commits to another branch: what it asserts still holds."""
    requirements = [assert_uuid(busy.metadata["table-uuid"]), assert_ref(1, "b")]
    busy.commit(*append(2, 2, 1))
    metadata = busy.commit(
        add_snapshot(3, 3, **{"parent-snapshot-id": 1}), set_ref(3, "b"), requirements=requirements
    )
    assert {name: ref["snapshot-id"] for name, ref in metadata["refs"].items()} == {"main": 2, "b": 3, "t": 1}


def test_replaced_table(busy: Tabular) -> None:
    """What Java sends for RTAS: uuid, history and properties stay."""
    metadata = busy.commit(
        {"action": "remove-snapshot-ref", "ref-name": "main"},
        {"action": "add-schema", "schema": schema(field(3, "other"))},
        {"action": "set-current-schema", "schema-id": -1},
        {"action": "set-default-spec", "spec-id": 0},
        {"action": "set-default-sort-order", "sort-order-id": 0},
        add_snapshot(9, 2),
        set_ref(9),
        requirements=[assert_uuid(busy.metadata["table-uuid"])],
    )
    assert metadata["current-snapshot-id"] == 9
    assert [item["snapshot-id"] for item in metadata["snapshots"]] == [1, 9]


def test_dropped_and_renamed_tables(table: Tabular, client: Client) -> None:
    no_content(client.delete(table.path))
    message = f"Table does not exist: {table.namespace}.{table.name}"
    for body in ({"updates": [set_properties(a="1")]}, {}):
        assert_error(client.post(table.path, json=body), 404, "NoSuchTableException", message)


def test_recreated_table_is_another_one(table: Tabular, client: Client) -> None:
    uuid = table.metadata["table-uuid"]
    no_content(client.delete(table.path))
    make_table(client, table.namespace, table.name)
    answer = table.try_commit(set_properties(a="1"), requirements=[assert_uuid(uuid)])
    assert_error(answer, 409, "CommitFailedException", re.compile("^Requirement failed: UUID does not match"))


def test_commit_that_cannot_write_its_file(table: Tabular) -> None:
    """Nothing is swapped; 5xx, so that clients keep their data files."""
    folder, before = local(table.location).parent, table.load()
    hidden = folder.with_name("hidden")
    folder.rename(hidden)
    folder.write_text("in the way")
    answer = table.try_commit(set_properties(a="1"))
    assert answer.status_code in {500, 503}, answer.text
    folder.unlink()
    hidden.rename(folder)
    assert table.load() == before
    table.commit(set_properties(a="2"))
