"""What is new in format version 3 goes through creation, commit, load and registration without a loss."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.bodies import add_snapshot, assert_ref, set_ref
from tests.contract.calls import (
    Tabular,
    assert_error,
    local,
    make_namespace,
    make_table,
    namespace_path,
    no_content,
    ok,
)
from tests.contract.racing import CREATED, LOST, outcome
from tests.contract.two_nodes.meetings import WAYS, Way, commit, meet, send
from tests.factories import create_table_request, field, schema, set_properties
from tests.support.nodes import Nodes
from tests.support.server import Client

V3 = {"format-version": "3"}
NEW_TYPES: list[Any] = [
    "timestamp_ns",
    "timestamptz_ns",
    "variant",
    "unknown",
    "geometry",
    "geometry(srid:4326)",
    "geometry(OGC:CRS84)",
    "geography",
    "geography(srid:4326, karney)",
    {"type": "list", "element-id": 50, "element": "variant", "element-required": False},
    {"type": "struct", "fields": [field(51, "at", "timestamptz_ns"), field(52, "where", "geometry")]},
]
DEFAULTS = {
    "boolean": False,
    "int": -7,
    "long": 2**62 + 1,
    "float": 1.5,
    "double": -1e300,
    "date": "2007-12-03",
    "time": "22:31:08.123456",
    "timestamp": "2007-12-03T10:15:30.123456",
    "timestamptz": "2007-12-03T10:15:30.123456+00:00",
    "timestamp_ns": "2007-12-03T10:15:30.123456789",
    "timestamptz_ns": "2007-12-03T10:15:30.123456789+00:00",
    "string": "ünï \u202e ' \\ \" \n",
    "uuid": "eb26bdb1-a1d8-4aa6-990e-da940875492c",
    "binary": "00ff",
    "fixed[2]": "0aff",
    "decimal(9, 2)": "14.20",
}
KEY = {
    "key-id": "k1",
    "encrypted-key-metadata": "AQIDBA==",
    "encrypted-by-id": "kek",
    "properties": {"a": "b"},
}


def columns(kinds: list[Any]) -> list[dict[str, Any]]:
    return [field(number, f"c{number}", kind) for number, kind in enumerate(kinds, 1)]


def types(metadata: dict[str, Any]) -> list[Any]:
    return [each["type"] for each in metadata["schemas"][-1]["fields"]]


def stored(table: Tabular) -> dict[str, Any]:
    """The metadata as the file has it."""
    return dict(json.loads(local(table.location).read_text()))


def test_new_types(client: Client, namespace: str) -> None:
    table = make_table(client, namespace, schema=schema(*columns(NEW_TYPES[:9])), properties=V3)
    assert types(table.metadata) == NEW_TYPES[:9]
    new = schema(*columns(NEW_TYPES), schema_id=1)
    table.commit({"action": "add-schema", "schema": new}, {"action": "set-current-schema", "schema-id": -1})
    assert types(table.metadata) == NEW_TYPES
    assert table.metadata["schemas"][1]["fields"] == new["fields"]
    assert stored(table) == table.metadata


@pytest.mark.parametrize("kind", NEW_TYPES, ids=str)
def test_new_types_are_refused_in_version_2(client: Client, namespace: str, kind: Any) -> None:
    body = create_table_request("t", schema=schema(*columns([kind])))
    message = assert_error(
        client.post(f"{namespace_path(namespace)}/tables", json=body), 400, "ValidationException"
    )
    assert "is not supported until v3" in message


def test_default_values(client: Client, namespace: str) -> None:
    fields = [
        field(number, f"c{number}", kind, **{"initial-default": value, "write-default": value})
        for number, (kind, value) in enumerate(DEFAULTS.items(), 1)
    ]
    table = make_table(client, namespace, schema=schema(*fields), properties=V3)
    assert table.metadata["schemas"][0]["fields"] == fields
    assert stored(table) == table.metadata


def test_encryption_keys(client: Client, namespace: str) -> None:
    """Keys and a snapshot's reference to one stay through other commits, until they are removed."""
    table = make_table(client, namespace, properties=V3)
    rows = {"first-row-id": 0, "added-rows": 1}
    table.commit(
        {"action": "add-encryption-key", "encryption-key": KEY},
        add_snapshot(1, **rows, **{"key-id": "k1"}),
        set_ref(1),
    )
    table.commit(set_properties(a="1"))
    metadata = table.metadata
    assert metadata["encryption-keys"] == [KEY]
    assert metadata["snapshots"][0]["key-id"] == "k1"
    assert stored(table) == metadata
    table.commit({"action": "remove-encryption-key", "key-id": "k1"})
    assert "encryption-keys" not in table.metadata


def test_snapshots_of_every_branch_take_row_ids(client: Client, namespace: str) -> None:
    table = make_table(client, namespace, properties=V3)
    assert table.metadata["next-row-id"] == 0
    table.commit(add_snapshot(1, 1, **{"first-row-id": 0, "added-rows": 10}), set_ref(1))
    on_branch = {"first-row-id": 10, "added-rows": 5, "parent-snapshot-id": 1}
    table.commit(add_snapshot(2, 2, **on_branch), set_ref(2, "b"))
    assert table.metadata["next-row-id"] == 15
    stale = add_snapshot(3, 3, **{"first-row-id": 10, "added-rows": 1, "parent-snapshot-id": 1})
    assert_error(table.try_commit(stale), 409, "CommitFailedException")
    missing = add_snapshot(3, 3, **{"parent-snapshot-id": 1})
    assert_error(table.try_commit(missing), 400, "ValidationException")
    table.commit({"action": "remove-snapshots", "snapshot-ids": [2]})
    assert table.metadata["next-row-id"] == 15, "ids that were given out once stay so"


def test_registration_keeps_everything(client: Client, namespace: str) -> None:
    fields = columns(NEW_TYPES)
    table = make_table(client, namespace, schema=schema(*fields[:9]), properties=V3)
    rows = {"first-row-id": 0, "added-rows": 7, "key-id": "k1"}
    key = {"action": "add-encryption-key", "encryption-key": KEY}
    table.commit(key, add_snapshot(1, **rows), set_ref(1))
    location, metadata = table.location, table.metadata
    no_content(client.delete(table.path))
    document = {**metadata, "of-the-future": {"x": [1, 2**70]}}
    local(location).write_text(json.dumps(document))
    body = {"name": table.name, "metadata-location": location}
    loaded = ok(client.post(f"{namespace_path(namespace)}/register", json=body))["metadata"]
    assert loaded == document
    assert table.commit(set_properties(a="1"))["of-the-future"] == document["of-the-future"]


def test_registration_without_a_next_row_id_is_refused(client: Client, namespace: str) -> None:
    table = make_table(client, namespace, properties=V3)
    location, metadata = table.location, table.metadata
    no_content(client.delete(table.path))
    del metadata["next-row-id"]
    local(location).write_text(json.dumps(metadata))
    body = {"name": table.name, "metadata-location": location}
    answer = client.post(f"{namespace_path(namespace)}/register", json=body)
    assert "next-row-id" in assert_error(answer, 400, "ValidationException")


def test_registration_that_would_give_row_ids_out_again_is_refused(client: Client, namespace: str) -> None:
    table = make_table(client, namespace, properties=V3)
    table.commit(add_snapshot(1, **{"first-row-id": 0, "added-rows": 7}), set_ref(1))
    location, metadata = table.location, table.metadata
    no_content(client.delete(table.path))
    local(location).write_text(json.dumps({**metadata, "next-row-id": 6}))
    body = {"name": table.name, "metadata-location": location}
    answer = client.post(f"{namespace_path(namespace)}/register", json=body)
    assert "beyond next-row-id 6" in assert_error(answer, 400, "ValidationException")


@pytest.fixture
def shared(nodes: Nodes) -> Iterator[Tabular]:
    """A table of version 3 on two nodes."""
    with Client(nodes.servers[0].url) as client:
        yield make_table(client, make_namespace(client), properties=V3)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_row_ids_of_concurrent_commits_are_unique(nodes: Nodes, shared: Tabular, way: Way) -> None:
    """To branches of their own, so that nothing but the row ids collides; the loser takes the next ones."""
    shared.commit(add_snapshot(1, 1, **{"first-row-id": 0, "added-rows": 3}), set_ref(1))

    def write(number: int, first_row_id: int) -> Any:
        more = {"parent-snapshot-id": 1, "first-row-id": first_row_id, "added-rows": 4}
        # sequence numbers far apart: what is stale is the row id
        updates = add_snapshot(number, number + first_row_id, **more), set_ref(number, f"b{number}")
        return commit(shared.path, *updates, requirements=[assert_ref(None, f"b{number}")])

    pair = write(10 + 90 * way.first, 3), write(100 - 90 * way.first, 3)
    answers = meet(nodes, way, *pair)
    assert outcome(answers[way.first]) == CREATED
    assert outcome(answers[1 - way.first]) == LOST
    assert "first-row-id is behind" in answers[1 - way.first].json()["error"]["message"]
    assert outcome(send(nodes.servers[1], write(200, 7))) == CREATED
    snapshots = {each["snapshot-id"]: each["first-row-id"] for each in shared.metadata["snapshots"]}
    assert sorted(snapshots.values()) == [0, 3, 7]
    assert shared.metadata["next-row-id"] == 11
