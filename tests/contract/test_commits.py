"""Commits to tables: files and their versions, rebasing, replaced and vanished tables."""

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
)
from tests.contract.calls import Tabular, assert_error, local, make_table, no_content
from tests.factories import commit_request, field, schema, set_properties
from tests.support.process import eventually
from tests.support.server import Client, TestServer


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


@pytest.mark.lenient("an absent list is an empty one")
@pytest.mark.parametrize(
    "body", [{}, {"requirements": None, "updates": None}, {"identifier": None}, {"x": 1}]
)
def test_absent_members_mean_nothing_to_do(table: Tabular, body: dict[str, Any]) -> None:
    answer = table.client.post(table.path, json=body)
    assert set(answer.json()) == {"metadata-location", "metadata"}


@pytest.mark.lenient("the path says which table is meant")
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
    for body in (commit_request(set_properties(a="1")), commit_request()):
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
