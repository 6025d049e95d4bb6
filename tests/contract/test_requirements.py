"""Commits to tables: every requirement, holding and failing."""

from typing import Any

import pytest

from tests.contract.bodies import (
    assert_ref,
    assert_uuid,
    set_ref,
)
from tests.contract.calls import Tabular, assert_error
from tests.factories import set_properties

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


@pytest.mark.lenient("Java compares types without regard to case")
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


def test_first_failing_requirement_wins_and_updates_are_not_looked_at(table: Tabular) -> None:
    requirements = [assert_ref(1), assert_uuid(NIL)]
    answer = table.try_commit(set_ref(99), requirements=requirements)
    message = "Requirement failed: branch or tag main is missing, expected 1"
    assert_error(answer, 409, "CommitFailedException", message)
