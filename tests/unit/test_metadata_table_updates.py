"""Updates of identity, version, location, properties, statistics and encryption keys."""

from typing import Any

import pytest

from app.errors import BadRequestException, IllegalArgumentException, ServiceError, ValidationException
from app.metadata.properties import RESERVED
from tests.support.metadata import OTHER_UUID, UUID, apply, table, table_with_snapshots


def refusal(base: Any, *updates: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        apply(base, *updates)
    return caught.value


def assign(uuid: Any) -> dict[str, Any]:
    return {"action": "assign-uuid", "uuid": uuid}


def upgrade(version: int) -> dict[str, Any]:
    return {"action": "upgrade-format-version", "format-version": version}


def move(location: str) -> dict[str, Any]:
    return {"action": "set-location", "location": location}


def put(**properties: str) -> dict[str, Any]:
    return {"action": "set-properties", "updates": properties}


def drop(*names: str) -> dict[str, Any]:
    return {"action": "remove-properties", "removals": list(names)}


def test_a_table_keeps_its_uuid() -> None:
    base = table()
    assert apply(base, assign(UUID)) is base
    assert apply(base, assign(UUID.upper())) is base
    error = refusal(base, assign(OTHER_UUID))
    assert isinstance(error, IllegalArgumentException)
    assert error.message.startswith("Cannot reassign uuid")


def test_an_old_table_without_uuid_gets_one() -> None:
    base = {name: value for name, value in table(1).items() if name != "table-uuid"}
    assert apply(base, assign(OTHER_UUID))["table-uuid"] == OTHER_UUID


@pytest.mark.parametrize("uuid", [None, 5, "", "x", UUID + "0", UUID.replace("-", "")])
def test_uuids_are_uuids(uuid: Any) -> None:
    error = refusal(table(), assign(uuid))
    assert isinstance(error, BadRequestException)
    assert error.message.startswith("updates[0].uuid: expected a")


def test_upgrade_to_version_2() -> None:
    document = apply(table_with_snapshots(2, 1), upgrade(2))
    assert document["format-version"] == 2
    assert document["last-sequence-number"] == 0
    assert "schema" not in document
    assert "partition-spec" not in document


@pytest.mark.parametrize("version", [1, 2])
def test_upgrade_to_version_3(version: int) -> None:
    document = apply(table(version), upgrade(3))
    assert document["next-row-id"] == 0
    assert document["current-snapshot-id"] is None


@pytest.mark.parametrize("version", [1, 2, 3])
def test_the_same_version_is_no_change(version: int) -> None:
    base = table(version)
    assert apply(base, upgrade(version)) is base


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (1, "Cannot downgrade v2 table to v1"),
        (0, "Cannot downgrade v2 table to v0"),
        (4, "Cannot upgrade table to unsupported format version: v4 (supported: v3)"),
        (99, "Cannot upgrade table to unsupported format version: v99 (supported: v3)"),
    ],
)
def test_versions_that_are_refused(version: int, message: str) -> None:
    assert refusal(table(), upgrade(version)).message == message


def test_version_2_needs_a_uuid() -> None:
    base = {name: value for name, value in table(1).items() if name != "table-uuid"}
    assert refusal(base, upgrade(2)).message == "UUID is required in format v2"
    assert apply(base, upgrade(2), assign(UUID))["table-uuid"] == UUID


def test_set_location() -> None:
    base = table()
    assert apply(base, move("s3://bucket/t//")) is base
    assert apply(base, move("s3://bucket/u/"))["location"] == "s3://bucket/u"
    assert refusal(base, move("")).message == "updates[0].location: must not be empty"
    assert refusal(base, move("//")).message == "updates[0].location: must not be empty"


def test_set_and_remove_properties() -> None:
    base = apply(table(), put(a="1", b="2"))
    document = apply(base, put(b="3", c=""), drop("a", "gone"))
    assert document["properties"].items() >= {"b": "3", "c": ""}.items()
    assert "a" not in document["properties"]
    assert base["properties"]["a"] == "1"


def test_empty_property_updates_are_no_change() -> None:
    base = table()
    assert apply(base, put(), drop()) is base
    assert apply(base, put(**{"format-version": "2"})) is base


def test_legacy_spellings() -> None:
    base = table(properties={"a": "1"})
    old = {"action": "set-properties", "updated": {"b": "2"}}
    gone = {"action": "remove-properties", "removed": ["a"]}
    document = apply(base, old, gone)
    assert document["properties"]["b"] == "2"
    assert "a" not in document["properties"]


def test_the_specifications_spelling_wins() -> None:
    both = {"action": "set-properties", "updated": {"a": "old"}, "updates": {"a": "new"}}
    assert apply(table(), both)["properties"]["a"] == "new"
    gone = {"action": "remove-properties", "removed": ["a"], "removals": ["b"]}
    assert "a" in apply(table(properties={"a": "1"}), gone)["properties"]


@pytest.mark.parametrize("name", sorted(RESERVED - {"format-version"}))
def test_reserved_properties(name: str) -> None:
    error = refusal(table(), put(**{name: "1"}))
    assert isinstance(error, ValidationException)
    assert error.message == f"Cannot set reserved property: {name}"


def test_format_version_is_no_property() -> None:
    assert refusal(table(), put(**{"format-version": "3"})).message == (
        "Cannot set reserved property: format-version"
    )
    document = apply(table(), upgrade(3), put(**{"format-version": "3", "a": "1"}))
    assert document["properties"]["a"] == "1"
    assert "format-version" not in document["properties"]


def test_interpreted_properties_are_checked() -> None:
    assert (
        "write.metadata.previous-versions-max"
        in refusal(table(), put(**{"write.metadata.previous-versions-max": "-1"})).message
    )


def statistics(snapshot_id: int, **members: Any) -> dict[str, Any]:
    return {
        "snapshot-id": snapshot_id,
        "statistics-path": "s3://bucket/t/s.puffin",
        "file-size-in-bytes": 2**62,
        "file-footer-size-in-bytes": 4,
        "blob-metadata": [{"type": "t", "snapshot-id": 1, "sequence-number": 1, "fields": [1, 2]}],
        **members,
    }


def put_statistics(snapshot_id: int, **members: Any) -> dict[str, Any]:
    return {"action": "set-statistics", "statistics": statistics(snapshot_id), **members}


def test_set_statistics_replaces_those_of_the_snapshot() -> None:
    base = apply(table(), put_statistics(1), put_statistics(2))
    newer = statistics(1, **{"statistics-path": "s3://new", "key-metadata": "a2V5", "x-unknown": 1})
    document = apply(base, {"action": "set-statistics", "snapshot-id": 1, "statistics": newer})
    assert document["statistics"] == [statistics(2), newer]
    assert base["statistics"] == [statistics(1), statistics(2)]


def test_null_members_of_statistics_are_not_stored() -> None:
    blob = {**statistics(1)["blob-metadata"][0], "properties": None, "x": None}
    given = statistics(1, **{"key-metadata": None, "blob-metadata": [blob]})
    stored = apply(table(), {"action": "set-statistics", "statistics": given})["statistics"][0]
    assert "key-metadata" not in stored
    assert stored["blob-metadata"] == [{**statistics(1)["blob-metadata"][0], "x": None}]


def test_statistics_of_two_snapshots_contradict() -> None:
    message = refusal(table(), put_statistics(1, **{"snapshot-id": 2})).message
    assert message == "updates[0].snapshot-id: 2 contradicts statistics.snapshot-id 1"


def test_remove_statistics() -> None:
    base = apply(table(), put_statistics(1))
    assert apply(base, {"action": "remove-statistics", "snapshot-id": 1})["statistics"] == []
    assert apply(base, {"action": "remove-statistics", "snapshot-id": 2}) is base


FILE = {"snapshot-id": 1, "statistics-path": "s3://p", "file-size-in-bytes": 5}


def test_partition_statistics() -> None:
    base = apply(table(), {"action": "set-partition-statistics", "partition-statistics": FILE})
    newer = {**FILE, "file-size-in-bytes": 6}
    document = apply(base, {"action": "set-partition-statistics", "partition-statistics": newer})
    assert document["partition-statistics"] == [newer]
    gone = apply(base, {"action": "remove-partition-statistics", "snapshot-id": 1})
    assert gone["partition-statistics"] == []
    assert apply(base, {"action": "remove-partition-statistics", "snapshot-id": 2}) is base


KEY = {"key-id": "k", "encrypted-key-metadata": "c2VjcmV0"}


def add_key(**members: Any) -> dict[str, Any]:
    return {"action": "add-encryption-key", "encryption-key": {**KEY, **members}}


def test_encryption_keys() -> None:
    assert "encryption-keys" not in table()
    base = apply(table(), add_key(**{"encrypted-by-id": "k0", "properties": {"a": "b"}, "x-unknown": 1}))
    assert base["encryption-keys"][0]["x-unknown"] == 1
    assert apply(base, add_key(**{"encrypted-key-metadata": "b3RoZXI="})) is base
    assert apply(base, {"action": "remove-encryption-key", "key-id": "other"}) is base
    assert "encryption-keys" not in apply(base, {"action": "remove-encryption-key", "key-id": "k"})


@pytest.mark.parametrize("text", ["*", "c2VjcmV", "ü"])
def test_key_metadata_is_base64(text: str) -> None:
    if text == "c2VjcmV":
        assert apply(table(), add_key(**{"encrypted-key-metadata": text}))
    else:
        message = refusal(table(), add_key(**{"encrypted-key-metadata": text})).message
        assert message == "updates[0].encryption-key.encrypted-key-metadata: expected base64 text"


def test_null_members_of_keys_are_not_stored() -> None:
    document = apply(table(), add_key(**{"encrypted-by-id": None, "properties": None}))
    assert document["encryption-keys"] == [KEY]
