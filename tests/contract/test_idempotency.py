"""Idempotency-Key: one effect, the same answer, however often a request arrives."""

from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.contract.calls import (
    Tabular,
    assert_error,
    at_once,
    local,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    ok,
    rename_request,
    table_path,
)
from tests.factories import commit_request, create_table_request, set_properties, unique_name
from tests.support.process import eventually
from tests.support.server import Client, TestServer

HEADER = "Idempotency-Key"


def key() -> dict[str, str]:
    return {HEADER: str(uuid4())}


def twice(client: Client, method: str, path: str, **options: Any) -> requests.Response:
    """Send a request twice under one key; both answers have to be equal."""
    headers = key()
    first = client.request(method, path, headers=headers, **options)
    second = client.request(method, path, headers=headers, **options)
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers.get("ETag") == first.headers.get("ETag")
    return first


def changes(server: TestServer, name: str) -> int:
    ((count,),) = server.database.query("SELECT count(*) FROM changes WHERE name = %s", name)
    return int(count)


def test_the_lifetime_is_announced(client: Client) -> None:
    assert ok(client.get("/v1/config"))["idempotency-key-lifetime"] == "PT1800S"


def test_create_namespace(client: Client) -> None:
    ok(twice(client, "POST", "/v1/namespaces", json={"namespace": [unique_name()], "properties": {"a": "b"}}))


def test_update_properties(client: Client, namespace: str) -> None:
    body = {"removals": ["missing"], "updates": {"a": "b"}}
    answer = twice(client, "POST", f"{namespace_path(namespace)}/properties", json=body)
    assert ok(answer) == {"updated": ["a"], "removed": [], "missing": ["missing"]}


def test_drop_namespace(client: Client) -> None:
    name = make_namespace(client)
    assert twice(client, "DELETE", namespace_path(name)).status_code == 204


def test_create_table(client: Client, server: TestServer, namespace: str) -> None:
    name = unique_name("t")
    ok(twice(client, "POST", f"{namespace_path(namespace)}/tables", json=create_table_request(name)))
    assert changes(server, name) == 1


def test_stage_create_gives_the_same_uuid_and_location(client: Client, namespace: str) -> None:
    body = create_table_request(unique_name("t"), **{"stage-create": True})
    ok(twice(client, "POST", f"{namespace_path(namespace)}/tables", json=body))


def test_commit_is_applied_once(client: Client, server: TestServer, table: Tabular) -> None:
    ok(twice(client, "POST", table.path, json=commit_request(set_properties(a="b"))))
    assert changes(server, table.name) == 2
    assert len(table.metadata["metadata-log"]) == 1


def test_commit_is_replayed_as_it_was_then(client: Client, table: Tabular) -> None:
    headers, body = key(), commit_request(set_properties(a="1"))
    first = ok(client.post(table.path, json=body, headers=headers))
    table.commit(set_properties(a="2"))
    assert ok(client.post(table.path, json=body, headers=headers)) == first
    assert table.metadata["properties"]["a"] == "2"


def test_commit_is_replayed_though_its_file_was_deleted_by_later_ones(client: Client, table: Tabular) -> None:
    """An error would make the client delete the data files of a commit that is there."""
    keep_one = {
        "write.metadata.previous-versions-max": "1",
        "write.metadata.delete-after-commit.enabled": "true",
    }
    table.commit({"action": "set-properties", "updates": keep_one})
    headers, body = key(), commit_request(set_properties(a="1"))
    first = ok(client.post(table.path, json=body, headers=headers))
    for number in "234":
        table.commit(set_properties(b=number))
    eventually(lambda: not local(first["metadata-location"]).exists(), 20, "the file is deleted")
    again = ok(client.post(table.path, json=body, headers=headers))
    assert again["metadata"]["properties"]["a"] == "1"
    assert again["metadata-location"] == table.location


def test_what_was_purged_cannot_be_told_again(client: Client, namespace: str) -> None:
    headers, body = key(), create_table_request(unique_name("t"))
    path = f"{namespace_path(namespace)}/tables"
    first = ok(client.post(path, json=body, headers=headers))
    client.delete(f"{path}/{body['name']}", params={"purgeRequested": "true"})
    eventually(lambda: not local(first["metadata-location"]).exists(), 20, "the file is deleted")
    assert_error(client.post(path, json=body, headers=headers), 404, "NoSuchTableException")


def test_drop_table_answers_204_again(client: Client, table: Tabular) -> None:
    assert twice(client, "DELETE", table.path).status_code == 204
    assert_error(client.delete(table.path), 404, "NoSuchTableException")


def test_unregister_returns_the_table_again(client: Client, table: Tabular) -> None:
    location = table.location
    assert ok(twice(client, "POST", f"{table.path}/unregister"))["metadata-location"] == location


def test_rename_and_views(client: Client, namespace: str) -> None:
    table, view = make_table(client, namespace), make_view(client, namespace)
    for kind, renamed in (("tables", table), ("views", view)):
        body = rename_request((namespace, renamed.name), (namespace, unique_name()))
        assert twice(client, "POST", f"/v1/{kind}/rename", json=body).status_code == 204


def test_an_error_is_final(client: Client, namespace: str) -> None:
    name, headers = unique_name("t"), key()
    path = table_path(namespace, name)
    assert_error(client.delete(path, headers=headers), 404, "NoSuchTableException")
    make_table(client, namespace, name)
    assert_error(client.delete(path, headers=headers), 404, "NoSuchTableException")
    assert client.delete(path, headers=key()).status_code == 204


def test_a_plus_sign_that_is_no_space_leaves_the_key_usable(client: Client, namespace: str) -> None:
    name = f"{unique_name('t')}+x"
    make_table(client, namespace, name)
    path = f"{namespace_path(namespace)}/tables/{name}"
    assert twice(client, "DELETE", path).status_code == 204


def test_another_body_is_refused(client: Client, table: Tabular) -> None:
    headers = key()
    ok(client.post(table.path, json=commit_request(set_properties(a="1")), headers=headers))
    other = client.post(table.path, json=commit_request(set_properties(a="2")), headers=headers)
    assert_error(other, 422, "UnprocessableEntityException")


def test_the_same_body_in_another_spelling_is_the_same(client: Client) -> None:
    headers, name = {**key(), "Content-Type": "application/json"}, unique_name()
    first = client.post(
        "/v1/namespaces", headers=headers, data=f'{{"namespace":["{name}"],"properties":{{}}}}'
    )
    again = client.post(
        "/v1/namespaces", headers=headers, data=f'{{ "properties": {{}}, "namespace": ["{name}"]}}'
    )
    assert ok(first) == ok(again)


def test_concurrent_duplicates_take_effect_once(client: Client, server: TestServer, table: Tabular) -> None:
    headers, body = key(), commit_request(set_properties(a="b"))
    answers = at_once([lambda: server.client().post(table.path, json=body, headers=headers)] * 8)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert changes(server, table.name) == 2
    assert len([file for file in table.files() if file.endswith(".json")]) == 2


def test_concurrent_creations_take_effect_once(server: TestServer, namespace: str) -> None:
    headers, name = key(), unique_name("t")
    path, body = f"{namespace_path(namespace)}/tables", create_table_request(name)
    answers = at_once([lambda: server.client().post(path, json=body, headers=headers)] * 8)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert changes(server, name) == 1


@pytest.mark.parametrize("value", ["x", "1234", "a" * 36, "{12345678-1234-1234-1234-123456789012}"])
def test_a_key_that_is_no_uuid_is_refused(client: Client, value: str) -> None:
    answer = client.post("/v1/namespaces", json={"namespace": [unique_name()]}, headers={HEADER: value})
    assert_error(answer, 400, "BadRequestException")


@pytest.mark.lenient("no key")
def test_a_blank_key_is_none(client: Client) -> None:
    ok(client.post("/v1/namespaces", json={"namespace": [unique_name()]}, headers={HEADER: ""}))
