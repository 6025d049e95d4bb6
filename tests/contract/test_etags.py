"""Entity tags of tables and the two ways to load snapshots."""

from typing import Any

import pytest

from tests.contract.bodies import append
from tests.contract.calls import Tabular, assert_error, namespace_path, ok, raw_request
from tests.factories import commit_request, create_table_request, set_properties, unique_name
from tests.support.server import Client, TestServer


def test_all_answers_about_one_state_have_the_same_tag(client: Client, namespace: str) -> None:
    name = unique_name("t")
    created = client.post(f"{namespace_path(namespace)}/tables", json=create_table_request(name))
    path = f"{namespace_path(namespace)}/tables/{name}"
    loaded = client.get(path)
    assert created.headers["ETag"] == loaded.headers["ETag"]
    committed = client.post(path, json=commit_request(set_properties(a="b")))
    assert committed.headers["ETag"] == client.get(path).headers["ETag"] != loaded.headers["ETag"]


def test_the_header_is_spelled_as_java_looks_it_up(server: TestServer, table: Tabular) -> None:
    assert "ETag" in raw_request(server, "GET", table.path).headers


def test_a_staged_table_has_no_tag(client: Client, namespace: str) -> None:
    body = create_table_request(unique_name("t"), **{"stage-create": True})
    assert "ETag" not in client.post(f"{namespace_path(namespace)}/tables", json=body).headers


@pytest.mark.parametrize("spelling", ["{tag}", "W/{tag}", '"x", {tag}', "*", "{bare}"])
def test_a_known_state_is_not_sent_again(client: Client, table: Tabular, spelling: str) -> None:
    tag = client.get(table.path).headers["ETag"]
    known = spelling.format(tag=tag, bare=tag.strip('"'))
    answer = client.get(table.path, headers={"If-None-Match": known})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)


def test_another_state_is_sent(client: Client, table: Tabular) -> None:
    tag = client.get(table.path).headers["ETag"]
    table.commit(set_properties(a="b"))
    assert client.get(table.path, headers={"If-None-Match": tag}).status_code == 200


def test_a_dropped_table_is_missing_not_unmodified(client: Client, table: Tabular) -> None:
    tag = client.get(table.path).headers["ETag"]
    client.delete(table.path)
    answer = client.get(table.path, headers={"If-None-Match": tag})
    assert_error(answer, 404, "NoSuchTableException")


def snapshots(document: dict[str, Any]) -> list[int]:
    return [snapshot["snapshot-id"] for snapshot in document["metadata"]["snapshots"]]


def test_refs_leaves_out_what_nothing_points_to(client: Client, table: Tabular) -> None:
    table.commit(*append(1, 1))
    table.commit(*append(2, 2, parent=1))
    everything = ok(client.get(table.path, params={"snapshots": "all"}))
    reduced = ok(client.get(table.path, params={"snapshots": "refs"}))
    assert snapshots(everything) == [1, 2]
    assert snapshots(reduced) == [2]
    for document in (everything, reduced):
        del document["metadata"]["snapshots"]
    assert reduced == everything


def test_refs_and_all_are_different_representations(client: Client, table: Tabular) -> None:
    tag = client.get(table.path).headers["ETag"]
    answer = client.get(table.path, params={"snapshots": "refs"}, headers={"If-None-Match": tag})
    assert answer.status_code == 200


def test_another_mode_is_refused(client: Client, table: Tabular) -> None:
    assert_error(client.get(table.path, params={"snapshots": "some"}), 400, "BadRequestException")
