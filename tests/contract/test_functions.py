"""Functions: listed and loaded by the Iceberg API, created and dropped by the management API."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import MakeServer
from tests.contract.calls import (
    assert_error,
    at_once,
    make_namespace,
    make_table,
    namespace_path,
    no_content,
    ok,
    raw_request,
    segment,
)
from tests.contract.holding import management_path
from tests.contract.test_names import ODD
from tests.factories import function_metadata, unique_name
from tests.support.process import eventually
from tests.support.replay import default_warehouse, recorded, replay, stored
from tests.support.server import Client, TestServer

BAD = "BadRequestException"


def functions_path(namespace: str) -> str:
    return f"{namespace_path(namespace)}/functions"


def managed_path(namespace: str) -> str:
    return management_path(namespace, below="/functions")


def make_function(client: Client, namespace: str, name: str | None = None, **more: Any) -> str:
    name = name or unique_name("f")
    ok(client.post(managed_path(namespace), json={"name": name, "metadata": function_metadata(**more)}))
    return name


def names(client: Client, namespace: str) -> list[str]:
    return [levels[-1] for levels in ok(client.get(functions_path(namespace)))["identifiers"]]


def test_life_of_a_function(client: Client, namespace: str) -> None:
    assert ok(client.get(functions_path(namespace))) == {"identifiers": [], "next-page-token": None}
    metadata = function_metadata()
    created = ok(client.post(managed_path(namespace), json={"name": "add_one", "metadata": metadata}))
    assert created == {"metadata": metadata}
    path = f"{functions_path(namespace)}/add_one"
    assert ok(client.get(path)) == created
    listed = ok(client.get(functions_path(namespace)))
    assert listed == {"identifiers": [[namespace, "add_one"]], "next-page-token": None}
    no_content(client.delete(f"{managed_path(namespace)}/add_one"))
    message = f"Function does not exist: {namespace}.add_one"
    assert_error(client.get(path), 404, "NoSuchFunctionException", message)
    assert_error(client.delete(f"{managed_path(namespace)}/add_one"), 404, "NoSuchFunctionException", message)
    assert names(client, namespace) == []


def test_metadata_comes_back_as_it_was_sent(server: TestServer, namespace: str) -> None:
    """Order, white space, escapes, members that nobody knows, and numbers that no float holds."""
    text = json.dumps(function_metadata(zz=[10**40, 1.10, {"b": None, "a": "\u00fc/"}]), indent=3)
    text = text.replace("1.1,", "1.10e+0,")
    assert "1.10e+0" in text
    body = f'{{"name": "f", "metadata": {text}, "later": 1}}'
    created = raw_request(server, "POST", managed_path(namespace), body.encode())
    loaded = raw_request(server, "GET", f"{functions_path(namespace)}/f")
    for answer in (created, loaded):
        assert answer.status_code == 200, answer.text
        assert answer.text == f'{{"metadata":{text}}}'


def test_pages(client: Client, namespace: str) -> None:
    made = sorted(make_function(client, namespace) for _ in range(5))
    found, token = [], ""
    while token is not None:
        page = ok(client.get(functions_path(namespace), params={"pageSize": 2, "pageToken": token}))
        found += [levels[-1] for levels in page["identifiers"]]
        token = page["next-page-token"]
    assert found == made
    first = ok(client.get(functions_path(namespace), params={"pageSize": 1}))["next-page-token"]
    other = client.get(f"{namespace_path(namespace)}/tables", params={"pageToken": first})
    assert_error(other, 400, BAD, "Invalid pageToken: it belongs to another listing")


def test_missing_namespace(client: Client) -> None:
    name = unique_name("no")
    message = f"Namespace does not exist: {name}"
    answers = [
        client.get(functions_path(name)),
        client.get(f"{functions_path(name)}/f"),
        client.post(managed_path(name), json={"name": "f", "metadata": function_metadata()}),
        client.delete(f"{managed_path(name)}/f"),
    ]
    for answer in answers:
        assert_error(answer, 404, "NoSuchNamespaceException", message)


def test_taken_name_and_taken_uuid(client: Client, namespace: str) -> None:
    metadata = function_metadata()
    name = make_function(client, namespace, **metadata)
    body = {"name": name, "metadata": function_metadata()}
    answer = client.post(managed_path(namespace), json=body)
    assert_error(answer, 409, "AlreadyExistsException", f"Function already exists: {namespace}.{name}")
    answer = client.post(managed_path(namespace), json={"name": "other", "metadata": metadata})
    message = f"Function {metadata['function-uuid']} already exists under another name: cannot create {namespace}.other"
    assert_error(answer, 409, "AlreadyExistsException", message)
    assert names(client, namespace) == [name]


def test_a_space_of_names_of_their_own(client: Client, namespace: str) -> None:
    make_table(client, namespace, "same")
    make_function(client, namespace, "same")
    child = ok(client.post("/v1/namespaces", json={"namespace": [namespace, "same"]}))
    assert child["namespace"] == [namespace, "same"]
    assert names(client, namespace) == ["same"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"metadata": {}}, "Invalid request body: name: Missing data for required field"),
        ({"name": "f"}, "Invalid request body: metadata: Missing data for required field"),
        ({"name": "", "metadata": {}}, "Invalid name: must not be empty"),
        ({"name": 1, "metadata": {}}, "Invalid name: expected a string, got int"),
        ({"name": "x" * 256, "metadata": {}}, re.compile("^Invalid name: 256 characters exceed")),
        ({"name": "a\nb", "metadata": {}}, re.compile("control characters are not allowed")),
        ({"name": "f", "metadata": []}, "metadata: expected an object, got an array"),
        ({"name": "f", "metadata": {}}, "metadata.function-uuid: missing"),
    ],
)
def test_malformed_request(client: Client, namespace: str, body: dict[str, Any], message: Any) -> None:
    assert_error(client.post(managed_path(namespace), json=body), 400, BAD, message)


def test_broken_rules(client: Client, namespace: str) -> None:
    body = {"name": "f", "metadata": function_metadata(**{"format-version": 2})}
    answer = client.post(managed_path(namespace), json=body)
    assert_error(answer, 400, "ValidationException", "metadata.format-version: expected 1, got 2")
    body["metadata"] = function_metadata(properties={"k" * 256: "v"})
    answer = client.post(managed_path(namespace), json=body)
    assert_error(answer, 400, BAD, re.compile("^Invalid metadata.properties: the key"))


@pytest.mark.parametrize("name", [name for name in ODD if name not in {".", ".."}])
def test_odd_names(client: Client, namespace: str, name: str) -> None:
    make_function(client, namespace, name)
    assert names(client, namespace) == [name]
    path = f"{functions_path(namespace)}/{segment(name)}"
    assert ok(client.get(path))["metadata"]["format-version"] == 1
    no_content(client.delete(f"{managed_path(namespace)}/{segment(name)}"))
    assert_error(client.get(path), 404, "NoSuchFunctionException")


def test_plus_means_space_unless_only_the_plus_exists(
    client: Client, server: TestServer, namespace: str
) -> None:
    make_function(client, namespace, "a+b")
    assert raw_request(server, "GET", f"{functions_path(namespace)}/a+b").status_code == 200


def test_idempotency_key(client: Client, namespace: str) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    body = {"name": "f", "metadata": function_metadata()}
    first, second = (client.post(managed_path(namespace), json=body, headers=headers) for _ in range(2))
    assert ok(first) == ok(second)
    other = {"name": "g", "metadata": function_metadata()}
    answer = client.post(managed_path(namespace), json=other, headers=headers)
    assert_error(answer, 422, "UnprocessableEntityException")
    headers = {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        no_content(client.delete(f"{managed_path(namespace)}/f", headers=headers))
    assert names(client, namespace) == []


def test_changes_are_logged(client: Client, server: TestServer, namespace: str) -> None:
    name = make_function(client, namespace)
    no_content(client.delete(f"{managed_path(namespace)}/{name}"))
    assert server.database is not None
    query = "SELECT action, object_kind, namespace, principal FROM changes WHERE name = %s ORDER BY id"
    here = ("function", [namespace], "anonymous")
    assert server.database.query(query, name) == [
        ("function.created", *here),
        ("function.dropped", *here),
    ]


def test_namespace_with_functions_is_not_dropped(client: Client, namespace: str) -> None:
    name = make_function(client, namespace)
    answer = client.delete(namespace_path(namespace))
    assert_error(answer, 409, "NamespaceNotEmptyException", f"Namespace {namespace} is not empty")
    no_content(client.delete(f"{managed_path(namespace)}/{name}"))
    no_content(client.delete(namespace_path(namespace)))


def test_functions_go_with_a_recursive_drop(client: Client, server: TestServer, namespace: str) -> None:
    child = make_namespace(client, namespace)
    function = make_function(client, namespace)
    body = {"name": "inner", "metadata": function_metadata()}
    ok(client.post(management_path(namespace, child, below="/functions"), json=body))
    ok(client.delete(management_path(namespace), params={"recursive": "true"}), 202)
    eventually(
        lambda: client.head(namespace_path(namespace)).status_code == 404, 20, "the namespace is dropped"
    )
    assert server.database is not None
    query = "SELECT action FROM changes WHERE name = %s ORDER BY id"
    assert server.database.query(query, function) == [("function.created",), ("function.dropped",)]


def test_functions_follow_a_renamed_namespace(client: Client, namespace: str) -> None:
    name = make_function(client, namespace)
    new = unique_name("new")
    no_content(client.post(management_path(namespace, below="/rename"), json={"destination": [new]}))
    assert names(client, new) == [name]


def test_the_change_log_tells_of_functions(make_server: MakeServer) -> None:
    """Applying all changes gives exactly the functions that there are."""
    with make_server(workers=1) as own:
        client, database = own.client(), own.database
        assert database is not None
        moved, dropped, kept = (make_namespace(client) for _ in range(3))
        for namespace in (moved, dropped, kept, kept):
            make_function(client, namespace)
        no_content(client.delete(f"{managed_path(kept)}/{make_function(client, kept)}"))
        no_content(client.post(management_path(moved, below="/rename"), json={"destination": [kept, "new"]}))
        ok(client.delete(management_path(dropped), params={"recursive": "true"}), 202)
        gone = "SELECT count(*) FROM namespaces"
        eventually(lambda: database.query(gone) == [(2,)], 20, "the recursive drop is done")
        warehouse = default_warehouse(database)
        state = stored(database, warehouse)
        assert len(state.functions) == 3
        assert replay(recorded(database, warehouse)) == state


def test_create_against_create_and_drop(client: Client, server: TestServer, namespace: str) -> None:
    def create() -> int:
        with Client(server.url) as own:
            body = {"name": "f", "metadata": function_metadata()}
            return own.post(managed_path(namespace), json=body).status_code

    def drop() -> int:
        with Client(server.url) as own:
            return own.delete(namespace_path(namespace)).status_code

    assert sorted(at_once([create] * 6)) == [200] + [409] * 5
    no_content(client.delete(f"{managed_path(namespace)}/f"))
    created, dropped = at_once([create, drop])
    assert (created, dropped) in {(200, 409), (404, 204)}
    gone = client.head(namespace_path(namespace)).status_code == 404
    assert gone == (dropped == 204)
