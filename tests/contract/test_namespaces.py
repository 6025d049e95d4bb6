"""Namespaces: every operation, status and wording."""

import re
from typing import Any

import pytest

from tests.contract.calls import (
    assert_error,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
)
from tests.factories import unique_name
from tests.support.server import Client, TestServer

MISSING = "NoSuchNamespaceException"


def create(client: Client, *levels: str, **properties: str) -> Any:
    return client.post("/v1/namespaces", json={"namespace": list(levels), "properties": properties})


def listed(client: Client, *parent: str) -> list[list[str]]:
    answer = client.get("/v1/namespaces", params={"parent": "\x1f".join(parent)} if parent else {})
    return list(ok(answer)["namespaces"])


def test_create_answers_what_is_stored(client: Client, server: TestServer) -> None:
    name = unique_name("ns")
    created = ok(create(client, name, owner="me", comment="ü"))
    location = f"{server.warehouse.location}/{name}"
    assert created == {
        "namespace": [name],
        "properties": {"owner": "me", "comment": "ü", "location": location},
    }
    assert ok(client.get(namespace_path(name))) == created


@pytest.mark.parametrize("body", [{}, {"properties": None}, {"properties": {}}, {"unknown": 1}])
def test_create_with_optional_members_left_out(client: Client, body: dict[str, Any]) -> None:
    name = unique_name("ns")
    created = ok(client.post("/v1/namespaces", json={"namespace": [name], **body}))
    assert list(created["properties"]) == ["location"]


def test_create_twice(client: Client, namespace: str) -> None:
    message = f"Namespace already exists: {namespace}"
    assert_error(create(client, namespace), 409, "AlreadyExistsException", message)


def test_create_below_a_missing_parent(client: Client) -> None:
    name = unique_name("ns")
    assert_error(create(client, name, "b", "c"), 404, MISSING, f"Namespace does not exist: {name}.b")
    assert_error(client.get(namespace_path(name)), 404, MISSING)


def test_nested_namespaces(client: Client, namespace: str) -> None:
    levels = [namespace]
    for depth in range(2, 6):
        levels.append(f"level{depth}")
        created = ok(create(client, *levels))
        assert created["namespace"] == levels
        assert created["properties"]["location"].endswith("/" + "/".join(levels))
        assert listed(client, *levels[:-1]) == [levels]
    assert ok(client.get(namespace_path(*levels)))["namespace"] == levels
    assert_error(
        create(client, *levels),
        409,
        "AlreadyExistsException",
        f"Namespace already exists: {'.'.join(levels)}",
    )


def test_list_has_the_top_level_only(client: Client, namespace: str) -> None:
    child = make_namespace(client, namespace)
    top = listed(client)
    assert [namespace] in top
    assert all(len(levels) == 1 for levels in top)
    assert listed(client, namespace) == [[namespace, child]]
    assert listed(client, namespace, child) == []
    assert client.get("/v1/namespaces?parent=").json()["namespaces"] == top


def test_list_below_a_missing_parent(client: Client, namespace: str) -> None:
    answer = client.get("/v1/namespaces", params={"parent": f"{namespace}\x1fnone"})
    assert_error(answer, 404, MISSING, f"Namespace does not exist: {namespace}.none")


def test_exists(client: Client, namespace: str) -> None:
    no_content(client.head(namespace_path(namespace)))
    answer = client.head(namespace_path(namespace, "none"))
    assert (answer.status_code, answer.content) == (404, b"")


def test_load_of_a_missing_one(client: Client) -> None:
    assert_error(client.get("/v1/namespaces/no%1Fwhere"), 404, MISSING, "Namespace does not exist: no.where")


def test_drop(client: Client, namespace: str) -> None:
    no_content(client.delete(namespace_path(namespace)))
    message = f"Namespace does not exist: {namespace}"
    assert_error(client.delete(namespace_path(namespace)), 404, MISSING, message)
    assert_error(client.get(namespace_path(namespace)), 404, MISSING, message)
    assert [namespace] not in listed(client)
    ok(create(client, namespace))


@pytest.mark.parametrize("content", [make_namespace, make_table, make_view])
def test_drop_of_one_that_is_not_empty(client: Client, namespace: str, content: Any) -> None:
    content(client, namespace)
    answer = client.delete(namespace_path(namespace))
    assert_error(answer, 409, "NamespaceNotEmptyException", f"Namespace {namespace} is not empty")
    no_content(client.head(namespace_path(namespace)))


def test_a_table_and_a_namespace_may_share_a_name(client: Client, namespace: str) -> None:
    child = make_namespace(client, namespace)
    table = make_table(client, namespace, child)
    assert table.load()["metadata"]["table-uuid"]
    assert listed(client, namespace) == [[namespace, child]]


def update(client: Client, namespace: str, body: dict[str, Any]) -> Any:
    return client.post(f"{namespace_path(namespace)}/properties", json=body)


@pytest.mark.lenient("a key may be removed twice")
def test_update_properties(client: Client) -> None:
    name = make_namespace(client, a="1", b="2")
    answer = ok(update(client, name, {"removals": ["b", "x", "x"], "updates": {"a": "3", "c": "4"}}))
    assert answer == {"updated": ["a", "c"], "removed": ["b"], "missing": ["x"]}
    properties = ok(client.get(namespace_path(name)))["properties"]
    assert properties == {"a": "3", "c": "4", "location": properties["location"]}


@pytest.mark.parametrize("body", [{}, {"removals": None, "updates": None}, {"removals": [], "updates": {}}])
def test_update_of_nothing(client: Client, namespace: str, body: dict[str, Any]) -> None:
    assert ok(update(client, namespace, body)) == {"updated": [], "removed": [], "missing": []}


def test_update_with_a_key_on_both_sides(client: Client) -> None:
    name = make_namespace(client, a="1")
    answer = update(client, name, {"removals": ["b", "a"], "updates": {"a": "2", "b": "2", "c": "3"}})
    assert_error(answer, 422, "UnprocessableEntityException", re.compile(r"\ba, b\b"))
    assert ok(client.get(namespace_path(name)))["properties"]["a"] == "1"


def test_update_of_a_missing_namespace(client: Client) -> None:
    name = unique_name("ns")
    answer = update(client, name, {"updates": {"a": "1"}})
    assert_error(answer, 404, MISSING, f"Namespace does not exist: {name}")


def test_location_property(client: Client, server: TestServer) -> None:
    own = f"{server.warehouse.location}/{unique_name('elsewhere')}"
    name = unique_name("ns")
    assert ok(create(client, name, location=own + "//"))["properties"]["location"] == own
    table = make_table(client, name)
    assert table.metadata["location"].startswith(own + "/")
    child = ok(create(client, name, "child"))
    assert child["properties"]["location"] == f"{own}/child"


def test_location_may_be_changed_and_brought_back(client: Client, server: TestServer, namespace: str) -> None:
    other = f"{server.warehouse.location}/{unique_name('moved')}"
    old = make_table(client, namespace)
    assert ok(update(client, namespace, {"updates": {"location": other}}))["updated"] == ["location"]
    assert make_table(client, namespace).metadata["location"].startswith(other + "/")
    assert not old.metadata["location"].startswith(other)
    assert ok(update(client, namespace, {"removals": ["location"]}))["removed"] == ["location"]
    back = ok(client.get(namespace_path(namespace)))["properties"]["location"]
    assert back == f"{server.warehouse.location}/{namespace}"


@pytest.mark.parametrize(
    "location", ["/etc", "s3://other/x", "file:///tmp", "{}-sibling", "{}/../x", "{}/a//b"]
)
def test_location_outside_the_warehouse(
    client: Client, server: TestServer, location: str, namespace: str
) -> None:
    outside = location.format(server.warehouse.location)
    for answer in (
        create(client, unique_name("ns"), location=outside),
        update(client, namespace, {"updates": {"location": outside}}),
    ):
        assert answer.status_code == 400, answer.text
        assert outside in answer.json()["error"]["message"]


@pytest.mark.parametrize("value", ["", "/", "x/y"])
def test_location_that_is_none(client: Client, value: str) -> None:
    assert create(client, unique_name("ns"), location=value).status_code == 400


BODIES = [
    ({}, "namespace"),
    ({"namespace": None}, "namespace"),
    ({"namespace": "a"}, "namespace"),
    ({"namespace": {"a": 1}}, "namespace"),
    ({"namespace": []}, "namespace"),
    ({"namespace": [""]}, r"namespace\[0\]"),
    ({"namespace": ["a", ""]}, r"namespace\[1\]"),
    ({"namespace": ["a", 1]}, r"namespace\[1\]"),
    ({"namespace": ["a", None]}, r"namespace\[1\]"),
    ({"namespace": ["a"], "properties": []}, "properties"),
    ({"namespace": ["a"], "properties": "x"}, "properties"),
    ({"namespace": ["a"], "properties": {"k": 1}}, "properties.*'k'"),
    ({"namespace": ["a"], "properties": {"k": None}}, "properties.*'k'"),
    ({"namespace": ["a"], "properties": {"k": True}}, "properties.*'k'"),
    ({"namespace": ["a"], "properties": {"": "v"}}, "properties"),
]


@pytest.mark.parametrize(("body", "names"), BODIES)
def test_create_with_a_malformed_body(client: Client, body: dict[str, Any], names: str) -> None:
    assert_error(client.post("/v1/namespaces", json=body), 400, "BadRequestException", re.compile(names))


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"removals": "a"}, "removals"),
        ({"removals": [1]}, "removals"),
        ({"removals": {"a": "b"}}, "removals"),
        ({"updates": ["a"]}, "updates"),
        ({"updates": {"a": 1}}, "updates.*'a'"),
    ],
)
def test_update_with_a_malformed_body(
    client: Client, namespace: str, body: dict[str, Any], names: str
) -> None:
    assert_error(update(client, namespace, body), 400, "BadRequestException", re.compile(names))


def test_values_are_kept_to_the_letter(client: Client) -> None:
    values = {"a": " x ", "b": "𐍈\t\n\x01", "c": '{"json": "\\u0041"}', "d": "", "e": "e\u0301"}
    name = make_namespace(client, **values)
    properties = ok(client.get(namespace_path(name)))["properties"]
    assert {key: properties[key] for key in values} == values
