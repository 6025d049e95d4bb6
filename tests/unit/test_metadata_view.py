"""View metadata: new, read, changed."""

from typing import Any

import msgspec
import pytest

from app.errors import (
    BadRequestException,
    CommitFailedException,
    IllegalArgumentException,
    ServiceError,
    ValidationException,
)
from app.metadata.view import check_view_requirements, parse_view_metadata
from app.metadata.view_updates import VIEW_ACTIONS
from tests.support.metadata import (
    CREATED_MS,
    NOW_MS,
    OTHER_UUID,
    UUID,
    apply_view,
    column,
    query,
    struct,
    view,
    view_version,
)

WIDER = struct(column(1, "id"), column(2, "name", "string"))


def refusal(base: Any, *updates: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        apply_view(base, *updates)
    return caught.value


def add_schema(schema: Any) -> dict[str, Any]:
    return {"action": "add-schema", "schema": schema}


def add(version: Any) -> dict[str, Any]:
    return {"action": "add-view-version", "view-version": version}


def current(version_id: int) -> dict[str, Any]:
    return {"action": "set-current-view-version", "view-version-id": version_id}


def put(**properties: str) -> dict[str, Any]:
    return {"action": "set-properties", "updates": properties}


def select(number: int, **members: Any) -> dict[str, Any]:
    return view_version(representations=[query(f"select {number}")], **members)


def ids(document: dict[str, Any], member: str = "versions") -> list[int]:
    return [item["version-id"] for item in document[member]]


def view_with_versions(count: int, **properties: str) -> dict[str, Any]:
    document = view(properties=properties)
    for number in range(2, count + 1):
        document = apply_view(document, add(select(number)), current(-1), now_ms=CREATED_MS + number)
    return document


def test_a_new_view() -> None:
    version = view_version(4, **{"schema-id": 9, "x-unknown": 1})
    document = view(
        schema={**struct(column(8, "id")), "schema-id": 3}, version=version, properties={"a": "b"}
    )
    assert document == {
        "view-uuid": UUID,
        "format-version": 1,
        "location": "s3://bucket/v",
        "schemas": [{**struct(column(8, "id")), "schema-id": 0}],
        "current-version-id": 4,
        "versions": [{**version, "schema-id": 0}],
        "version-log": [{"version-id": 4, "timestamp-ms": CREATED_MS}],
        "properties": {"a": "b"},
    }
    assert parse_view_metadata(document) == document


def test_unknown_and_null_members() -> None:
    version = view_version(**{"default-catalog": None, "storage-table": None, "x": 1})
    version["representations"][0] |= {"y": 2, "type": "SQL"}
    stored = view(version=version)["versions"][0]
    assert "default-catalog" not in stored
    assert stored["storage-table"] is None
    assert stored["representations"][0] == {**query("select 1"), "y": 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"schema": 5}, "schema: expected an object, got an integer"),
        ({"version": None}, "view-version: expected an object, got null"),
        ({"version": view_version(representations=[])}, "at least one representation is required"),
        (
            {"version": view_version(representations=[{"type": "substrait"}])},
            "unknown representation type 'substrait', accepted: sql",
        ),
        (
            {"version": view_version(representations=[{"type": "sql", "sql": ""}])},
            "view-version.representations[0].dialect: missing",
        ),
        (
            {"version": view_version(representations=[query("a", "Trino"), query("b", "trino")])},
            "Invalid view version: Cannot add multiple queries for dialect trino",
        ),
        ({"version": view_version(**{"default-namespace": None})}, "default-namespace: expected an array"),
        ({"version": view_version(**{"default-namespace": [5]})}, "default-namespace[0]: expected a string"),
        ({"version": view_version(summary={"a": 1})}, "view-version.summary.a: expected a string"),
        ({"properties": {"version.history.num-entries": "0"}}, "version.history.num-entries"),
        ({"max_columns": 0}, "limits.max_columns"),
    ],
)
def test_new_views_that_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        view(**arguments)
    assert caught.value.code == 400
    assert message in caught.value.message


@pytest.mark.parametrize(
    "member", ["version-id", "timestamp-ms", "schema-id", "summary", "default-namespace", "representations"]
)
def test_members_that_a_version_must_have(member: str) -> None:
    version = {name: value for name, value in view_version().items() if name != member}
    assert refusal(view(), add(version)).message == f"updates[0].view-version.{member}: missing"


def test_replace() -> None:
    document = apply_view(view(), add_schema(WIDER), add(select(2, **{"schema-id": -1})), current(-1))
    assert document["schemas"][1] == {**WIDER, "schema-id": 1}
    assert document["versions"][1] == {**select(2), "version-id": 2, "schema-id": 1}
    assert document["current-version-id"] == 2
    assert document["version-log"][1] == {"version-id": 2, "timestamp-ms": CREATED_MS}
    assert parse_view_metadata(document) == document


def test_equal_schemas_and_versions_are_found_again() -> None:
    base = view_with_versions(2)
    assert apply_view(base, add_schema(struct(column(1, "id"))), add(select(2)), current(-1)) is base
    document = apply_view(base, add(select(1, **{"timestamp-ms": 5})), current(-1))
    assert document["current-version-id"] == 1
    assert ids(document) == [1, 2]
    again = apply_view(base, add_schema(struct(column(1, "id"))), add(select(2, **{"schema-id": -1})))
    assert again is base


@pytest.mark.parametrize(
    "other",
    [
        {"summary": {"engine-name": "trino"}},
        {"default-namespace": []},
        {"default-catalog": "c"},
        {"representations": [query("select 1"), query("select 1", "trino")]},
    ],
)
def test_versions_that_differ(other: dict[str, Any]) -> None:
    assert ids(apply_view(view(), add(view_version(**other)))) == [1, 2]


def test_version_ids() -> None:
    base = view_with_versions(3)
    assert ids(apply_view(base, add(select(9, **{"version-id": 2})))) == [1, 2, 3, 4]
    assert ids(apply_view(base, add(select(9, **{"version-id": 8})))) == [1, 2, 3, 8]
    largest = apply_view(base, add(select(9, **{"version-id": 2**31 - 1})))
    assert "exceed 32 bits" in refusal(largest, add(select(10))).message


def test_an_old_version_comes_back_at_the_time_of_the_commit() -> None:
    document = apply_view(view_with_versions(2), current(1))
    assert document["version-log"][-1] == {"version-id": 1, "timestamp-ms": NOW_MS}


def test_one_log_entry_per_commit() -> None:
    document = apply_view(view(), add(select(2)), current(-1), add(select(3)), current(-1))
    assert ids(document, "version-log") == [1, 3]


def test_history_is_limited() -> None:
    document = view_with_versions(5, **{"version.history.num-entries": "3"})
    assert ids(document) == [3, 4, 5]
    assert ids(document, "version-log") == [3, 4, 5]
    assert ids(view_with_versions(12)) == list(range(3, 13))


def test_the_current_version_outlives_newer_ones() -> None:
    base = apply_view(view_with_versions(5), current(1))
    document = apply_view(base, put(**{"version.history.num-entries": "2"}))
    assert ids(document) == [1, 5]
    assert ids(document, "version-log") == [5, 1]
    assert parse_view_metadata(document) == document


def test_versions_added_now_are_kept() -> None:
    base = view(properties={"version.history.num-entries": "1"})
    document = apply_view(base, add(select(2)), add(select(3)), current(-1))
    assert ids(document) == [2, 3]


def test_history_size_of_an_adopted_file() -> None:
    base = {**view(), "properties": {"version.history.num-entries": "0"}}
    assert "must be positive but was 0" in refusal(base, put(a="b")).message


def test_dialects_are_not_lost() -> None:
    base = view(version=view_version(representations=[query("a"), query("b", "Trino")]))
    without = add(view_version(representations=[query("c")]))
    error = refusal(base, without, current(-1))
    assert isinstance(error, IllegalArgumentException)
    assert "loss of view dialects (replace.drop-dialect.allowed=false): trino" in error.message
    allowed = put(**{"replace.drop-dialect.allowed": "true"})
    assert apply_view(base, without, current(-1), allowed)["current-version-id"] == 2
    assert apply_view(base, without)["current-version-id"] == 1
    kept = add(view_version(representations=[query("c", "SPARK"), query("d", "trino"), query("e", "duckdb")]))
    assert apply_view(base, kept, current(-1))["current-version-id"] == 2


@pytest.mark.parametrize(
    ("update", "message"),
    [
        (current(7), "Cannot set current version to unknown version: 7"),
        (current(-1), "Cannot set last version id: no current version id has been set"),
        (add(select(2, **{"schema-id": 7})), "Cannot add version with unknown schema: 7"),
        (add(select(2, **{"schema-id": -1})), "Cannot set last added schema: no schema has been added"),
        ({"action": "assign-uuid", "uuid": OTHER_UUID}, "Cannot reassign uuid"),
        ({"action": "assign-uuid", "uuid": "x"}, "updates[0].uuid: expected a UUID, got 'x'"),
        ({"action": "upgrade-format-version", "format-version": 0}, "Cannot downgrade v1 view to v0"),
        (
            {"action": "upgrade-format-version", "format-version": 2},
            "Cannot upgrade view to unsupported format version: v2 (supported: v1)",
        ),
        ({"action": "set-location", "location": None}, "updates[0].location: expected a string, got null"),
        (put(**{"replace.drop-dialect.allowed": "x"}), "Invalid value for property replace.drop-dialect"),
        (
            {"action": "remove-snapshots", "snapshot-ids": []},
            "updates[0].action: 'remove-snapshots' does not",
        ),
        ({"action": "explode"}, "updates[0].action: 'explode' does not apply to views"),
        ({}, "updates[0].action: missing"),
        (None, "updates[0]: expected an object, got null"),
    ],
)
def test_updates_that_are_refused(update: Any, message: str) -> None:
    error = refusal(view(), update)
    assert error.code == 400
    assert error.message.startswith(message)


def test_updates_that_change_nothing() -> None:
    base = view(properties={"a": "1"})
    assert (
        apply_view(
            base,
            {"action": "ASSIGN-UUID", "uuid": UUID.upper()},
            {"action": "upgrade-format-version", "format-version": 1},
            {"action": "set-location", "location": "s3://bucket/v/"},
            put(),
            {"action": "remove-properties", "removals": []},
            current(1),
        )
        is base
    )


def test_location_and_properties() -> None:
    base = view(properties={"a": "1", "b": "2"})
    before = msgspec.json.encode(base)
    document = apply_view(
        base,
        {"action": "set-location", "location": "s3://bucket/w/"},
        {"action": "set-properties", "updated": {"c": "3"}},
        {"action": "remove-properties", "removed": ["a", "gone"]},
    )
    assert document["location"] == "s3://bucket/w"
    assert document["properties"] == {"b": "2", "c": "3"}
    assert msgspec.json.encode(base) == before


def test_every_action_is_one_of_the_specification() -> None:
    assert len(VIEW_ACTIONS) == 8


def test_requirements() -> None:
    check_view_requirements(view(), [])
    check_view_requirements(view(), [{"type": "Assert-View-UUID", "uuid": UUID.upper()}])
    with pytest.raises(CommitFailedException) as caught:
        check_view_requirements(view(), [{"type": "assert-view-uuid", "uuid": OTHER_UUID}])
    assert caught.value.message == (
        f"Requirement failed: view UUID does not match: expected {UUID} != {OTHER_UUID}"
    )


@pytest.mark.parametrize(
    ("requirements", "message"),
    [
        (None, "requirements: expected an array, got null"),
        ([{"type": "assert-table-uuid", "uuid": UUID}], "requirements[0].type: 'assert-table-uuid' does not"),
        ([{"type": "assert-view-uuid"}], "requirements[0].uuid: missing"),
    ],
)
def test_requirements_that_are_none(requirements: Any, message: str) -> None:
    with pytest.raises(BadRequestException) as caught:
        check_view_requirements(view(), requirements)
    assert caught.value.message.startswith(message)


def test_unknown_members_are_kept() -> None:
    base = {**view(), "x": {"y": [None]}}
    base["versions"] = [{**base["versions"][0], "x": 1}]
    document = apply_view(parse_view_metadata(base), put(a="b"))
    assert document["x"] == {"y": [None]}
    assert document["versions"][0]["x"] == 1


def changed(**members: Any) -> dict[str, Any]:
    return {**view(), **members}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "metadata: expected an object, got an array"),
        (changed(**{"format-version": 2}), "metadata.format-version: Cannot read unsupported version 2"),
        (changed(**{"view-uuid": "x"}), "metadata.view-uuid: expected a UUID"),
        (changed(location=None), "metadata.location: expected a string, got null"),
        (changed(schemas=[]), "metadata.versions[0].schema-id: schema 0 does not exist"),
        (changed(schemas=view()["schemas"] * 2), "metadata.schemas: ids are not unique: [0, 0]"),
        (changed(versions=[]), "metadata.current-version-id: version 1 does not exist"),
        (changed(versions=[view_version(), view_version()]), "metadata.versions: ids are not unique: [1, 1]"),
        (changed(**{"current-version-id": 5}), "metadata.current-version-id: version 5 does not exist"),
        (changed(**{"version-log": [{"version-id": 1}]}), "metadata.version-log[0].timestamp-ms: missing"),
        (changed(versions=[view_version(representations=[])]), "at least one representation is required"),
    ],
)
def test_documents_that_are_refused(document: Any, message: str) -> None:
    with pytest.raises(ValidationException) as caught:
        parse_view_metadata(document)
    assert message in caught.value.message


def test_absent_properties_are_empty() -> None:
    document = {name: value for name, value in view().items() if name != "properties"}
    assert parse_view_metadata(document)["properties"] == {}
