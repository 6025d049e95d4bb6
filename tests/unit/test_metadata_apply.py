"""What holds for every list of updates: dispatch, shapes, the metadata log, create by commit, cost."""

import time
from typing import Any

import msgspec
import pytest

from app.errors import BadRequestException, ServiceError, ValidationException
from app.metadata.table import parse_table_metadata
from app.metadata.updates import ACTIONS, VIEW_ONLY, apply_table_updates
from tests.support.metadata import (
    CREATED_MS,
    FILE,
    NOW_MS,
    OTHER_UUID,
    SCHEMA,
    UUID,
    add,
    apply,
    part,
    point,
    snapshot,
    sort,
    table,
    table_with_snapshots,
)

EXAMPLES: dict[str, dict[str, Any]] = {
    "assign-uuid": {"uuid": UUID},
    "upgrade-format-version": {"format-version": 3},
    "add-schema": {"schema": SCHEMA},
    "set-current-schema": {"schema-id": 0},
    "add-spec": {"spec": {"fields": [part(1, "p")]}},
    "set-default-spec": {"spec-id": 0},
    "add-sort-order": {"sort-order": {"fields": [sort(1)]}},
    "set-default-sort-order": {"sort-order-id": 0},
    "add-snapshot": {"snapshot": snapshot(9, 9)},
    "set-snapshot-ref": {"ref-name": "b", "snapshot-id": 1, "type": "branch"},
    "remove-snapshots": {"snapshot-ids": [1]},
    "remove-snapshot-ref": {"ref-name": "main"},
    "set-location": {"location": "s3://bucket/elsewhere"},
    "set-properties": {"updates": {"a": "b"}},
    "remove-properties": {"removals": ["a"]},
    "set-statistics": {
        "statistics": {
            "snapshot-id": 1,
            "statistics-path": "s3://s",
            "file-size-in-bytes": 1,
            "file-footer-size-in-bytes": 1,
            "blob-metadata": [{"type": "t", "snapshot-id": 1, "sequence-number": 1, "fields": [1]}],
        }
    },
    "remove-statistics": {"snapshot-id": 1},
    "set-partition-statistics": {
        "partition-statistics": {"snapshot-id": 1, "statistics-path": "s3://s", "file-size-in-bytes": 1}
    },
    "remove-partition-statistics": {"snapshot-id": 1},
    "remove-partition-specs": {"spec-ids": [7]},
    "remove-schemas": {"schema-ids": [7]},
    "add-encryption-key": {"encryption-key": {"key-id": "k", "encrypted-key-metadata": "c2U="}},
    "remove-encryption-key": {"key-id": "k"},
}
BASE = table_with_snapshots(2)


def refusal(base: Any, *updates: Any, **arguments: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        apply(base, *updates, **arguments)
    return caught.value


def required_paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return where the members of an example lie; maps of free names aside."""
    if type(value) is dict and "operation" not in value and path != ("updates",):
        return [p for name in value for p in [(*path, name), *required_paths(value[name], (*path, name))]]
    if type(value) is list and value and type(value[0]) is dict:
        return required_paths(value[0], (*path, 0))
    return []


PLACES = [(action, path) for action, example in EXAMPLES.items() for path in required_paths(example)]


def changed(action: str, path: tuple[str | int, ...], *value: Any) -> dict[str, Any]:
    """Return an action's example without the member at ``path``, or with another value there."""
    update: dict[str, Any] = msgspec.json.decode(msgspec.json.encode({"action": action, **EXAMPLES[action]}))
    owner: Any = update
    for key in path[:-1]:
        owner = owner[key]
    if value:
        owner[path[-1]] = value[0]
    else:
        del owner[path[-1]]
    return update


def test_there_is_an_example_of_every_action() -> None:
    assert set(EXAMPLES) == set(ACTIONS)


@pytest.mark.parametrize("action", sorted(EXAMPLES))
@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_action_leaves_valid_metadata(action: str, version: int) -> None:
    base = table_with_snapshots(2, version)
    before = msgspec.json.encode(base)
    update = {"action": action.upper(), **EXAMPLES[action], "x-unknown": 1}
    if action == "add-snapshot":
        rows = {"first-row-id": 20, "added-rows": 1} if version == 3 else {}
        update = add(snapshot(9, 9 if version > 1 else 0, **rows))
    if action == "add-spec" and version == 1:
        update["spec"] = {"fields": [part(1, "p", **{"field-id": 1000})]}
    document = apply(base, update)
    assert parse_table_metadata(document) == document
    assert msgspec.json.encode(base) == before


OPTIONAL = {"required", "doc", "sequence-number"}


@pytest.mark.parametrize(("action", "path"), [place for place in PLACES if place[1][-1] not in OPTIONAL])
def test_missing_members_are_named(action: str, path: tuple[str | int, ...]) -> None:
    error = refusal(BASE, changed(action, path))
    assert isinstance(error, BadRequestException)
    assert error.message.endswith("missing")
    assert error.message.startswith(f"updates[0].{path[0]}")
    assert str(path[-1]) in error.message


@pytest.mark.parametrize(("action", "path"), PLACES)
@pytest.mark.parametrize("junk", [1.5, [1.5], {"a": 1}, True, None])
def test_wrong_types_are_named(action: str, path: tuple[str | int, ...], junk: Any) -> None:
    if (junk is None and path[-1] in OPTIONAL) or (junk is True and path[-1] == "required"):
        return
    error = refusal(BASE, changed(action, path, junk))
    assert error.code == 400
    assert error.message.startswith(f"updates[0].{path[0]}"), error.message


@pytest.mark.parametrize(
    ("updates", "message"),
    [
        ({}, "updates: expected an array, got an object"),
        (None, "updates: expected an array, got null"),
        ([None], "updates[0]: expected an object, got null"),
        ([{}], "updates[0].action: missing"),
        ([{"action": 5}], "updates[0].action: expected a string, got an integer"),
        (
            [{"action": "set-properties", "updates": {}}, {"action": "x"}],
            "updates[1].action: unknown action 'x'",
        ),
        ([{"action": VIEW_ONLY[0]}], "updates[0].action: add-view-version does not apply to tables"),
        ([{"action": VIEW_ONLY[1]}], "updates[0].action: set-current-view-version does not apply to tables"),
    ],
)
def test_lists_that_are_none(updates: Any, message: str) -> None:
    with pytest.raises(BadRequestException) as caught:
        apply_table_updates(BASE, updates, now_ms=NOW_MS, previous_location=FILE)
    assert caught.value.message == message


def test_an_unknown_action_is_refused_before_anything_else() -> None:
    assert "unknown action" in refusal(BASE, {"action": "set-location"}, {"action": "x"}).message


def test_no_change_returns_the_base_itself() -> None:
    assert apply(BASE) is BASE
    assert apply(BASE, {"action": "set-current-schema", "schema-id": 0}, point(2)) is BASE


def test_unknown_members_are_kept_everywhere() -> None:
    base = {**table_with_snapshots(1), "x": {"y": [1, None]}}
    base["snapshots"] = [{**base["snapshots"][0], "x": 1}]
    base["refs"] = {"main": {**base["refs"]["main"], "x": 1}}
    base["snapshot-log"] = [{**base["snapshot-log"][0], "x": 1}]
    base["metadata-log"] = [{**base["metadata-log"][0], "x": 1}]
    document = apply(
        base, add(snapshot(2, 2)), point(2, "b"), {"action": "set-properties", "updates": {"a": ""}}
    )
    assert document["x"] == {"y": [1, None]}
    assert document["snapshots"][0]["x"] == document["refs"]["main"]["x"] == 1
    assert document["snapshot-log"][0]["x"] == document["metadata-log"][0]["x"] == 1


def test_the_metadata_log() -> None:
    changes = [{"action": "set-properties", "updates": {"n": str(i)}} for i in range(5)]
    document = apply(table(), changes[0], previous_location="s3://f/0")
    assert document["metadata-log"] == [{"timestamp-ms": CREATED_MS, "metadata-file": "s3://f/0"}]
    document = apply(document, changes[1], previous_location="s3://f/1", now_ms=NOW_MS + 5)
    assert document["metadata-log"][1] == {"timestamp-ms": NOW_MS, "metadata-file": "s3://f/1"}
    assert apply(document, changes[2], previous_location=None)["metadata-log"] == document["metadata-log"]


@pytest.mark.parametrize(("limit", "kept"), [("0", 1), ("1", 1), ("3", 3), ("100", 6), ("many", 6)])
def test_the_metadata_log_is_limited_by_the_new_properties(limit: str, kept: int) -> None:
    document = table()
    for i in range(5):
        change = {"action": "set-properties", "updates": {"n": str(i)}}
        document = apply(document, change, previous_location=f"s3://f/{i}")
    document["properties"]["write.metadata.previous-versions-max"] = limit
    document = apply(
        document, {"action": "remove-properties", "removals": ["n"]}, previous_location="s3://f/5"
    )
    assert [entry["metadata-file"] for entry in document["metadata-log"]] == [
        f"s3://f/{i}" for i in range(6 - kept, 6)
    ]


def test_the_log_keeps_100_entries() -> None:
    document = table()
    for i in range(103):
        change = {"action": "set-properties", "updates": {"n": str(i)}}
        document = apply(document, change, previous_location=f"s3://f/{i}")
    files = [entry["metadata-file"] for entry in document["metadata-log"]]
    assert files == [f"s3://f/{i}" for i in range(3, 103)]


def test_time_never_stands_still() -> None:
    change = {"action": "set-properties", "updates": {"a": "1"}}
    assert apply(table(), change)["last-updated-ms"] == NOW_MS
    assert apply(table(), change, now_ms=CREATED_MS - 10**9)["last-updated-ms"] == CREATED_MS + 1


CREATE: list[dict[str, Any]] = [
    {"action": "assign-uuid", "uuid": OTHER_UUID},
    {"action": "upgrade-format-version", "format-version": 2},
    {"action": "add-schema", "schema": {**SCHEMA, "schema-id": 5}},
    {"action": "set-current-schema", "schema-id": -1},
    {"action": "add-spec", "spec": {"spec-id": 3, "fields": [part(1, "p")]}},
    {"action": "set-default-spec", "spec-id": -1},
    {"action": "add-sort-order", "sort-order": {"order-id": 1, "fields": [sort(1)]}},
    {"action": "set-default-sort-order", "sort-order-id": -1},
    {"action": "set-location", "location": "s3://bucket/new/"},
    {"action": "set-properties", "updates": {}},
]


def test_create_by_commit() -> None:
    document = apply(None, *CREATE, add(snapshot(1, 1)), point(1))
    assert document["table-uuid"] == OTHER_UUID
    assert document["location"] == "s3://bucket/new"
    assert document["schemas"] == [{**SCHEMA, "schema-id": 0}]
    assert document["last-column-id"] == 5
    assert document["partition-specs"][0]["fields"][0]["field-id"] == 1000
    assert document["last-partition-id"] == 1000
    assert document["default-sort-order-id"] == 1
    assert document["properties"] == {}
    assert document["metadata-log"] == []
    assert document["last-updated-ms"] == NOW_MS
    assert document["current-snapshot-id"] == 1
    assert parse_table_metadata(document) == document


@pytest.mark.parametrize("version", [1, 2, 3])
def test_create_starts_at_the_first_version_asked_for(version: int) -> None:
    updates = [{**CREATE[1], "format-version": version}, *CREATE[2:]]
    document = apply(None, *updates)
    assert document["format-version"] == version
    assert parse_table_metadata(document) == document


def test_create_with_defaults() -> None:
    document = apply(None, CREATE[2], default_location="s3://bucket/default/", default_uuid=UUID)
    assert document["location"] == "s3://bucket/default"
    assert document["table-uuid"] == UUID
    assert document["partition-specs"] == [{"spec-id": 0, "fields": []}]
    assert document["last-partition-id"] == 999
    assert document["sort-orders"] == [{"order-id": 0, "fields": []}]
    assert parse_table_metadata(document) == document


def test_create_invents_a_uuid() -> None:
    one, other = (apply(None, CREATE[2], default_location="s3://b/t")["table-uuid"] for _ in range(2))
    assert one != other


@pytest.mark.parametrize(
    ("updates", "message"),
    [
        ([], "Cannot create table: no schema has been added"),
        ([CREATE[2]], "Cannot create table: no location has been set"),
        ([CREATE[4]], "Cannot find current schema: 0"),
        ([CREATE[2], {**CREATE[5], "spec-id": 7}, CREATE[8]], "unknown spec: 7"),
        ([*CREATE[:7], CREATE[8]], "Cannot find default sort order: 0"),
        ([CREATE[2], add(snapshot(1, 1))], "Attempting to add a snapshot before a partition spec is added"),
        ([add(snapshot(1, 1))], "Attempting to add a snapshot before a schema is added"),
        (
            [CREATE[2], CREATE[4], add(snapshot(1, 1))],
            "Attempting to add a snapshot before a sort order is added",
        ),
        ([{**CREATE[1], "format-version": 9}], "Cannot upgrade table to unsupported format version: v9"),
    ],
)
def test_creates_that_are_refused(updates: list[Any], message: str) -> None:
    error = refusal(None, *updates)
    assert error.code == 400
    assert message in error.message


def test_replace_transaction() -> None:
    base = table_with_snapshots(2)
    document = apply(
        base,
        {"action": "remove-snapshot-ref", "ref-name": "main"},
        {"action": "add-schema", "schema": {**SCHEMA, "fields": SCHEMA["fields"][:1]}},
        {"action": "set-current-schema", "schema-id": -1},
        {"action": "add-spec", "spec": {"fields": []}},
        {"action": "set-default-spec", "spec-id": -1},
        add(snapshot(7, 3)),
        point(7),
    )
    assert document["table-uuid"] == UUID
    assert [item["snapshot-id"] for item in document["snapshots"]] == [1, 2, 7]
    assert [entry["snapshot-id"] for entry in document["snapshot-log"]] == [1, 2, 7]
    assert parse_table_metadata(document) == document


def test_ids_beyond_32_bits_are_refused() -> None:
    base = table()
    base["schemas"] = [{**base["schemas"][0], "schema-id": 2**31 - 1}]
    base["current-schema-id"] = 2**31 - 1
    with pytest.raises(ValidationException, match="exceed 32 bits"):
        apply(base, {"action": "add-schema", "schema": {**SCHEMA, "fields": []}})


def test_the_cost_of_an_append_to_8000_snapshots() -> None:
    count = 8_000
    base = table_with_snapshots(1)
    base["snapshots"] = [
        snapshot(i, i, **{"parent-snapshot-id": i - 1, "schema-id": 0}) for i in range(1, count + 1)
    ]
    base["snapshot-log"] = [{"snapshot-id": i, "timestamp-ms": CREATED_MS + i} for i in range(1, count + 1)]
    base |= {"last-sequence-number": count, "current-snapshot-id": count}
    base["refs"] = {"main": {"snapshot-id": count, "type": "branch"}}
    updates = (add(snapshot(count + 1, count + 1, **{"parent-snapshot-id": count})), point(count + 1))

    def cost() -> float:
        start = time.thread_time()
        apply(base, *updates, now_ms=CREATED_MS + 10**6)
        return time.thread_time() - start

    assert min(cost() for _ in range(20)) < 0.003
