"""Requirements of a commit."""

from typing import Any

import pytest

from app.errors import BadRequestException, CommitFailedException, IllegalArgumentException, ServiceError
from app.metadata.requirements import check_table_requirements, is_create
from tests.support.metadata import OTHER_UUID, UUID, apply, point, table, table_with_snapshots

BASE = apply(table_with_snapshots(2), point(1, "t", "tag"))
CREATE = {"type": "assert-create"}


def refusal(base: Any, *requirements: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        check_table_requirements(base, list(requirements))
    return caught.value


def ref(name: str, *snapshot_id: Any) -> dict[str, Any]:
    made = {"type": "assert-ref-snapshot-id", "ref": name}
    return {**made, "snapshot-id": snapshot_id[0]} if snapshot_id else made


HOLD: list[dict[str, Any]] = [
    {"type": "assert-table-uuid", "uuid": UUID},
    {"type": "ASSERT-TABLE-UUID", "uuid": UUID.upper(), "x-unknown": 1},
    ref("main", 2),
    ref("t", 1),
    ref("gone"),
    ref("gone", None),
    ref("gone", -1),
    {"type": "assert-last-assigned-field-id", "last-assigned-field-id": 5},
    {"type": "assert-current-schema-id", "current-schema-id": 0},
    {"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": 1000},
    {"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": None},
    {"type": "assert-default-spec-id", "default-spec-id": 0},
    {"type": "assert-default-sort-order-id", "default-sort-order-id": 0},
]


@pytest.mark.parametrize("requirement", HOLD)
def test_requirements_that_hold(requirement: dict[str, Any]) -> None:
    check_table_requirements(BASE, [requirement])


def test_all_at_once_and_none_at_all() -> None:
    check_table_requirements(BASE, HOLD)
    check_table_requirements(BASE, [])
    check_table_requirements(None, [])


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        (CREATE, "table already exists"),
        (
            {"type": "assert-table-uuid", "uuid": OTHER_UUID},
            f"UUID does not match: expected {UUID} != {OTHER_UUID}",
        ),
        (ref("main"), "branch main was created concurrently"),
        (ref("t", None), "tag t was created concurrently"),
        (ref("main", 1), "branch main has changed: expected id 1 != 2"),
        (ref("main", -1), "branch main has changed: expected id -1 != 2"),
        (ref("gone", 7), "branch or tag gone is missing, expected 7"),
        (
            {"type": "assert-last-assigned-field-id", "last-assigned-field-id": 4},
            "last assigned field id changed: expected id 4 != 5",
        ),
        (
            {"type": "assert-current-schema-id", "current-schema-id": 1},
            "current schema changed: expected id 1 != 0",
        ),
        (
            {"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": 999},
            "last assigned partition id changed: expected id 999 != 1000",
        ),
        (
            {"type": "assert-default-spec-id", "default-spec-id": 1},
            "default partition spec changed: expected id 1 != 0",
        ),
        (
            {"type": "assert-default-sort-order-id", "default-sort-order-id": 1},
            "default sort order changed: expected id 1 != 0",
        ),
    ],
)
def test_requirements_that_fail(requirement: dict[str, Any], message: str) -> None:
    error = refusal(BASE, requirement)
    assert isinstance(error, CommitFailedException)
    assert error.message == f"Requirement failed: {message}"


def test_the_first_failure_decides() -> None:
    schema = {"type": "assert-current-schema-id", "current-schema-id": 1}
    spec = {"type": "assert-default-spec-id", "default-spec-id": 1}
    assert "default partition spec" in refusal(BASE, HOLD[0], spec, schema).message


def test_a_table_without_uuid_matches_none() -> None:
    base = {name: value for name, value in table(1).items() if name != "table-uuid"}
    assert isinstance(refusal(base, HOLD[0]), CommitFailedException)


def test_create() -> None:
    check_table_requirements(None, [CREATE])
    assert is_create([CREATE])
    assert not is_create(HOLD)
    assert not is_create([])


@pytest.mark.parametrize("others", [[HOLD[0]], [CREATE]])
def test_create_stands_alone(others: list[Any]) -> None:
    for base in (None, BASE):
        error = refusal(base, *others, CREATE)
        assert isinstance(error, IllegalArgumentException)
        assert error.message.startswith("Invalid create requirements")


def test_a_table_that_is_gone() -> None:
    assert refusal(None, HOLD[0]).message == "Requirement failed: table does not exist"


@pytest.mark.parametrize(
    ("requirements", "message"),
    [
        (None, "requirements: expected an array, got null"),
        ({}, "requirements: expected an array, got an object"),
        ([5], "requirements[0]: expected an object, got an integer"),
        ([{}], "requirements[0].type: missing"),
        ([{"type": None}], "requirements[0].type: expected a string, got null"),
        ([HOLD[0], {"type": "assert-x"}], "requirements[1].type: unknown requirement 'assert-x'"),
        (
            [{"type": "assert-view-uuid", "uuid": UUID}],
            "requirements[0].type: assert-view-uuid does not apply to tables",
        ),
        ([{"type": "assert-table-uuid"}], "requirements[0].uuid: missing"),
        (
            [{"type": "assert-table-uuid", "uuid": 5}],
            "requirements[0].uuid: expected a string, got an integer",
        ),
        ([{"type": "assert-ref-snapshot-id"}], "requirements[0].ref: missing"),
        ([ref("main", "2")], "requirements[0].snapshot-id: expected an integer, got a string"),
        ([{"type": "assert-current-schema-id"}], "requirements[0].current-schema-id: missing"),
        (
            [{"type": "assert-default-spec-id", "default-spec-id": True}],
            "requirements[0].default-spec-id: expected an integer, got a boolean",
        ),
        (
            [{"type": "assert-last-assigned-partition-id"}],
            "requirements[0].last-assigned-partition-id: missing",
        ),
    ],
)
def test_shape_errors(requirements: Any, message: str) -> None:
    with pytest.raises(BadRequestException) as caught:
        check_table_requirements(BASE, requirements)
    assert caught.value.message == message


def test_an_unknown_requirement_is_refused_before_any_fails() -> None:
    failing = {"type": "assert-current-schema-id", "current-schema-id": 1}
    assert isinstance(refusal(BASE, failing, {"type": "x"}), BadRequestException)
