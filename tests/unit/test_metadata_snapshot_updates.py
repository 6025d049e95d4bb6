"""add-snapshot, set-snapshot-ref, remove-snapshot-ref, remove-snapshots and the snapshot log."""

from typing import Any

import pytest

from app.errors import BadRequestException, CommitFailedException, ServiceError, ValidationException
from tests.support.metadata import (
    CREATED_MS,
    NOW_MS,
    add,
    apply,
    point,
    snapshot,
    table,
    table_with_snapshots,
)


def unpoint(name: str) -> dict[str, Any]:
    return {"action": "remove-snapshot-ref", "ref-name": name}


def remove(*snapshot_ids: int) -> dict[str, Any]:
    return {"action": "remove-snapshots", "snapshot-ids": list(snapshot_ids)}


def refusal(base: Any, *updates: Any, **arguments: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        apply(base, *updates, **arguments)
    return caught.value


def log(document: dict[str, Any]) -> list[int]:
    return [entry["snapshot-id"] for entry in document["snapshot-log"]]


def test_adding_a_snapshot_moves_no_reference() -> None:
    made = snapshot(5, 1, **{"schema-id": 0, "key-id": "k", "x-unknown": [1]})
    document = apply(table(), add(made))
    assert document["snapshots"] == [made]
    assert document["last-sequence-number"] == 1
    assert document["current-snapshot-id"] == -1
    assert document["refs"] == {}
    assert document["snapshot-log"] == []


def test_a_snapshot_id_is_used_once() -> None:
    base = table_with_snapshots(1)
    error = refusal(base, add(snapshot(1, 2)))
    assert isinstance(error, ValidationException)
    assert error.message == "Snapshot already exists for id: 1"
    assert "already exists" in refusal(base, add(snapshot(2, 2)), add(snapshot(2, 3))).message


@pytest.mark.parametrize("sequence", [0, 2, 3, None])
@pytest.mark.parametrize("version", [2, 3])
def test_a_stale_sequence_number_can_be_retried(version: int, sequence: int | None) -> None:
    rows = {"first-row-id": 30, "added-rows": 1}
    error = refusal(
        table_with_snapshots(3, version), add(snapshot(9, sequence, **{"parent-snapshot-id": 3, **rows}))
    )
    assert isinstance(error, CommitFailedException)
    assert error.message == (
        f"Cannot add snapshot with sequence number {sequence or 0} older than last sequence number 3"
    )


def test_a_snapshot_without_parent_may_have_an_old_sequence_number() -> None:
    document = apply(table_with_snapshots(3), add(snapshot(9, 2)))
    assert document["last-sequence-number"] == 3
    assert document["snapshots"][-1]["sequence-number"] == 2


def test_sequence_number_0_is_not_written() -> None:
    assert "sequence-number" not in apply(table(), add(snapshot(9, 0)))["snapshots"][0]


def test_version_1_has_no_sequence_numbers() -> None:
    document = apply(table(1), add(snapshot(1, 0)), add(snapshot(2, **{"parent-snapshot-id": 1})))
    assert "last-sequence-number" not in document
    assert refusal(table(1), add(snapshot(1, 1))).message == "Sequence number must be 0 in v1: 1"


def test_row_ids_of_version_3() -> None:
    document = table_with_snapshots(2, 3)
    assert document["next-row-id"] == 20
    gap = apply(document, add(snapshot(9, 9, **{"first-row-id": 50, "added-rows": 5})))
    assert gap["next-row-id"] == 55
    stale = refusal(document, add(snapshot(9, 9, **{"first-row-id": 19, "added-rows": 5})))
    assert isinstance(stale, CommitFailedException)
    assert stale.message == ("Cannot add a snapshot, first-row-id is behind table next-row-id: 19 < 20")
    missing = refusal(document, add(snapshot(9, 9)))
    assert isinstance(missing, ValidationException)
    assert missing.message == "Cannot add a snapshot: first-row-id is null"
    far = {"first-row-id": 2**63 - 1, "added-rows": 1}
    assert "beyond 64 bits" in refusal(document, add(snapshot(9, 9, **far))).message


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"first-row-id": -1, "added-rows": 0}, "Invalid first-row-id (cannot be negative): -1"),
        ({"first-row-id": 0, "added-rows": -1}, "Invalid added-rows (cannot be negative): -1"),
        ({"first-row-id": 0}, "Invalid added-rows (required when first-row-id is set): null"),
    ],
)
def test_row_ids_that_contradict(version: int, rows: dict[str, int], message: str) -> None:
    assert refusal(table(version), add(snapshot(1, 0, **rows))).message == message


def test_row_ids_before_version_3_are_kept() -> None:
    document = apply(table(2), add(snapshot(1, 1, **{"first-row-id": 5, "added-rows": 2})))
    assert document["snapshots"][0]["first-row-id"] == 5
    assert "next-row-id" not in document


def test_null_members_are_not_stored() -> None:
    nulls = ("parent-snapshot-id", "schema-id", "first-row-id", "added-rows", "key-id", "manifests")
    document = apply(table(), add({**snapshot(1, 1), **dict.fromkeys(nulls), "x-unknown": None}))
    assert document["snapshots"] == [{**snapshot(1, 1), "x-unknown": None}]


def without(made: dict[str, Any], member: str) -> dict[str, Any]:
    return {name: value for name, value in made.items() if name != member}


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (without(snapshot(1, 1), "snapshot-id"), ".snapshot-id: missing"),
        (without(snapshot(1, 1), "timestamp-ms"), ".timestamp-ms: missing"),
        (without(snapshot(1, 1), "manifest-list"), ".manifest-list: missing"),
        ({**without(snapshot(1, 1), "manifest-list"), "manifests": ["s3://m"]}, ".manifest-list: missing"),
        (without(snapshot(1, 1), "summary"), ".summary: missing"),
        (snapshot(1, 1, summary={}), ".summary.operation: missing"),
        (snapshot(1, 1, summary={"operation": 5}), ".summary.operation: expected a string, got an integer"),
        (
            snapshot(1, 1, summary={"operation": "APPEND"}),
            ".summary.operation: expected one of append, replace, overwrite, delete, got 'APPEND'",
        ),
        (snapshot(1, 1, summary={"operation": "append", "n": 5}), ".summary.n: expected a string"),
        ({**snapshot(1, 1), "snapshot-id": "1"}, ".snapshot-id: expected an integer, got a string"),
        ({**snapshot(1, 1), "snapshot-id": True}, ".snapshot-id: expected an integer, got a boolean"),
        ({**snapshot(1, 1), "snapshot-id": 1.0}, ".snapshot-id: expected an integer, got a decimal number"),
        (
            {**snapshot(1, 1), "snapshot-id": 2**63},
            ".snapshot-id: expected an integer of 64 bits, got 9223372036854775808",
        ),
        ({**snapshot(1, 1), "sequence-number": "1"}, ".sequence-number: expected an integer"),
        ({**snapshot(1, 1), "schema-id": 2**31}, ".schema-id: expected an integer of 32 bits"),
        ({**snapshot(1, 1), "manifest-list": 5}, ".manifest-list: expected a string, got an integer"),
        ({**snapshot(1, 1), "key-id": 5}, ".key-id: expected a string, got an integer"),
        (None, ": expected an object, got null"),
    ],
)
def test_shape_errors_name_the_path(made: Any, message: str) -> None:
    error = refusal(table(), add(made))
    assert isinstance(error, BadRequestException)
    assert error.message.startswith(f"updates[0].snapshot{message}")


def test_version_1_may_have_manifests_instead_of_a_list() -> None:
    made = {**without(without(snapshot(1), "manifest-list"), "summary"), "manifests": ["s3://m"]}
    assert apply(table(1), add(made))["snapshots"] == [made]
    assert "manifests[0]: expected a string" in refusal(table(1), add({**made, "manifests": [5]})).message


def test_main_is_the_current_snapshot() -> None:
    document = apply(table(), add(snapshot(5, 1)), point(5))
    assert document["current-snapshot-id"] == 5
    assert document["refs"] == {"main": {"snapshot-id": 5, "type": "branch"}}
    assert document["snapshot-log"] == [{"snapshot-id": 5, "timestamp-ms": CREATED_MS + 5}]


def test_roll_back_is_logged_at_the_time_of_the_commit() -> None:
    document = apply(table_with_snapshots(2), point(1))
    assert document["snapshot-log"][-1] == {"snapshot-id": 1, "timestamp-ms": NOW_MS}
    assert log(document) == [1, 2, 1]


def test_branches_and_tags() -> None:
    settings = {"min-snapshots-to-keep": 2, "max-snapshot-age-ms": 3, "max-ref-age-ms": 4}
    document = apply(
        table_with_snapshots(2),
        point(1, "b", "BRANCH", **settings),
        point(2, "t", "Tag", **{"max-ref-age-ms": 9}),
    )
    assert document["refs"]["b"] == {"snapshot-id": 1, "type": "branch", **settings}
    assert document["refs"]["t"] == {"snapshot-id": 2, "type": "tag", "max-ref-age-ms": 9}
    assert log(document) == [1, 2]


def test_an_identical_reference_is_no_change() -> None:
    base = apply(table_with_snapshots(1), point(1, "b", **{"max-ref-age-ms": 5}))
    assert apply(base, point(1)) is base
    assert apply(base, point(1, "b", "Branch", **{"max-ref-age-ms": 5, "max-snapshot-age-ms": None})) is base


def test_retention_that_is_not_sent_is_cleared() -> None:
    base = apply(table_with_snapshots(1), point(1, "b", **{"max-ref-age-ms": 5}))
    assert apply(base, point(1, "b"))["refs"]["b"] == {"snapshot-id": 1, "type": "branch"}


def test_a_branch_may_become_a_tag() -> None:
    base = apply(table_with_snapshots(1), point(1, "b"))
    assert apply(base, point(1, "b", "tag"))["refs"]["b"]["type"] == "tag"


@pytest.mark.parametrize(
    ("update", "message"),
    [
        (point(404), "Cannot set main to unknown snapshot: 404"),
        (point(404, "b"), "Cannot set b to unknown snapshot: 404"),
        (point(1, "main", "tag"), "Cannot set main to a tag, it must be a branch"),
        (point(1, "t", "twig"), "updates[0].type: expected branch or tag, got 'twig'"),
        (point(1, "t", "tag", **{"min-snapshots-to-keep": 1}), "Tags do not support setting min-snapshots"),
        (point(1, "t", "tag", **{"max-snapshot-age-ms": 1}), "Tags do not support setting max-snapshot-age"),
        (point(1, "b", **{"min-snapshots-to-keep": 0}), "min-snapshots-to-keep must be greater than 0"),
        (point(1, "b", **{"max-snapshot-age-ms": -1}), "max-snapshot-age-ms must be greater than 0"),
        (point(1, "t", "tag", **{"max-ref-age-ms": 0}), "max-ref-age-ms must be greater than 0"),
    ],
)
def test_references_that_are_refused(update: Any, message: str) -> None:
    error = refusal(table_with_snapshots(1), update)
    assert error.code == 400
    assert error.message.startswith(message)


def test_removing_references() -> None:
    base = apply(table_with_snapshots(2), point(1, "b"))
    assert list(apply(base, unpoint("b"))["refs"]) == ["main"]
    assert apply(base, unpoint("gone")) is base
    bare = apply(base, unpoint("main"))
    assert bare["current-snapshot-id"] == -1
    assert log(bare) == [1, 2]
    assert apply(table_with_snapshots(1, 3), unpoint("main"))["current-snapshot-id"] is None


def test_main_can_return() -> None:
    bare = apply(table_with_snapshots(2), unpoint("main"))
    assert apply(bare, point(1))["current-snapshot-id"] == 1


def test_removing_snapshots_takes_what_hangs_on_them() -> None:
    file = {"snapshot-id": 1, "statistics-path": "s3://s", "file-size-in-bytes": 1}
    statistics = {**file, "file-footer-size-in-bytes": 1, "blob-metadata": []}
    base = apply(
        table_with_snapshots(3),
        point(1, "b"),
        {"action": "set-statistics", "statistics": statistics},
        {"action": "set-partition-statistics", "partition-statistics": file},
    )
    document = apply(base, remove(1, 404, 1))
    assert [item["snapshot-id"] for item in document["snapshots"]] == [2, 3]
    assert document["statistics"] == document["partition-statistics"] == []
    assert list(document["refs"]) == ["main"]
    assert log(document) == [2, 3]


def test_history_before_a_gap_is_lost() -> None:
    assert log(apply(table_with_snapshots(4), remove(2))) == [3, 4]


def test_removing_the_current_snapshot() -> None:
    document = apply(table_with_snapshots(2), remove(2))
    assert document["current-snapshot-id"] == -1
    assert document["refs"] == {}
    assert document["snapshot-log"] == []


def test_removing_nothing_is_no_change() -> None:
    base = table_with_snapshots(1)
    assert apply(base, remove()) is base
    assert apply(base, remove(7)) is base


def test_a_removed_snapshot_cannot_be_referenced() -> None:
    assert "unknown snapshot: 1" in refusal(table_with_snapshots(2), remove(1), point(1)).message


def test_snapshots_current_only_within_a_commit_are_not_logged() -> None:
    document = apply(
        table_with_snapshots(1),
        *(add(snapshot(2, 2)), point(2)),
        *(add(snapshot(3, 3)), point(3)),
        *(add(snapshot(4, 4)), point(4)),
    )
    assert log(document) == [1, 4]


def test_log_entries_of_snapshots_gone_before_are_dropped_with_the_intermediate_ones() -> None:
    base = table_with_snapshots(1)
    base["snapshot-log"] = [{"snapshot-id": 77, "timestamp-ms": CREATED_MS}, *base["snapshot-log"]]
    assert log(apply(base, add(snapshot(2, 2)), point(2))) == [77, 1, 2]
    assert log(apply(base, add(snapshot(2, 2)), point(2), add(snapshot(3, 3)), point(3))) == [1, 3]
    assert log(apply(base, remove(404))) == [77, 1]


def test_log_without_main_at_the_end() -> None:
    document = apply(table_with_snapshots(1), add(snapshot(2, 2)), point(2), unpoint("main"))
    assert log(document) == [1]


def test_a_log_that_does_not_end_at_the_current_snapshot_is_refused() -> None:
    base = {**table_with_snapshots(2), "snapshot-log": []}
    assert refusal(base, remove(1)).message == (
        "Cannot set invalid snapshot log: latest entry is not the current snapshot"
    )


@pytest.mark.parametrize("ahead", [59_999, 60_001])
def test_snapshots_from_the_future(ahead: int) -> None:
    made = {**snapshot(1, 1), "timestamp-ms": NOW_MS + ahead}
    if ahead < 60_000:
        assert log(apply(table(), add(made), point(1))) == [1]
    else:
        message = refusal(table(), add(made), point(1)).message
        assert message.startswith(f"Invalid update timestamp {NOW_MS}: before last snapshot log entry")


@pytest.mark.parametrize("behind", [59_000, 61_000])
def test_the_log_may_run_backwards_by_a_minute(behind: int) -> None:
    base = table_with_snapshots(1)
    made = {**snapshot(2, 2), "timestamp-ms": CREATED_MS - behind}
    if behind < 60_000:
        assert log(apply(base, add(made), point(2))) == [1, 2]
    else:
        assert "Expected sorted snapshot log entries" in refusal(base, add(made), point(2)).message


def test_history_of_other_snapshots_is_not_touched() -> None:
    base = table_with_snapshots(3)
    document = apply(base, add(snapshot(4, 4)), point(4))
    assert all(one is other for one, other in zip(base["snapshots"], document["snapshots"], strict=False))
    assert len(base["snapshots"]) == 3
