"""Views: every operation; a name belongs to a view or to a table, never to both."""

import gzip
import json
import re
from typing import Any

import pytest

from tests.contract.calls import (
    Tabular,
    assert_error,
    create_view_request,
    local,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    view_path,
    view_version,
)
from tests.factories import commit_request, field, schema, set_properties, unique_name
from tests.support.server import Client, TestServer

MISSING = "NoSuchViewException"
NIL = "00000000-0000-0000-0000-000000000000"
WIDER = schema(field(1, "id"), field(2, "name", "string"), field(3, "extra", "double"))


def sql(text: str, dialect: str = "spark") -> dict[str, str]:
    return {"type": "sql", "sql": text, "dialect": dialect}


def create(client: Client, namespace: str, **body: Any) -> Any:
    return client.post(f"{namespace_path(namespace)}/views", json=body)


def add_version(text: str, **more: Any) -> dict[str, Any]:
    return {"action": "add-view-version", "view-version": view_version(text, **{"version-id": 2, **more})}


def set_current(version_id: int = -1) -> dict[str, Any]:
    return {"action": "set-current-view-version", "view-version-id": version_id}


def test_create_answers_what_a_load_answers(client: Client, namespace: str, server: TestServer) -> None:
    name = unique_name("v")
    created = ok(create(client, namespace, **create_view_request(name, properties={"a": "1"})))
    assert ok(client.get(view_path(namespace, name))) == created
    assert set(created) == {"metadata-location", "metadata", "config"}
    metadata = created["metadata"]
    location = f"{server.warehouse.location}/{namespace}/{name}-{metadata['view-uuid']}"
    assert metadata == {
        "view-uuid": metadata["view-uuid"],
        "format-version": 1,
        "location": location,
        "schemas": [schema()],
        "current-version-id": 1,
        "versions": [view_version()],
        "version-log": [{"version-id": 1, "timestamp-ms": 1_700_000_000_000}],
        "properties": {"a": "1"},
    }
    file = created["metadata-location"]
    assert re.fullmatch(re.escape(location) + r"/metadata/00000-[0-9a-f-]{36}\.gz\.metadata\.json", file)
    assert json.loads(gzip.decompress(local(file).read_bytes())) == metadata


def test_codec_of_the_file(client: Client, namespace: str) -> None:
    view = make_view(client, namespace, properties={"write.metadata.compression-codec": "none"})
    assert json.loads(local(view.location).read_text()) == view.metadata


@pytest.mark.lenient("absent properties are none")
def test_create_without_optional_members(client: Client, namespace: str) -> None:
    body = {"name": unique_name("v"), "schema": schema(), "view-version": view_version(), "location": None}
    assert ok(create(client, namespace, **body))["metadata"]["properties"] == {}


def test_what_engines_put_into_a_version_is_kept(client: Client, namespace: str) -> None:
    version = view_version(
        "SELECT \"ü\", '\t𐍈' FROM a.b -- \n",
        **{
            "summary": {"engine-name": "spark", "engine-version": "4.1"},
            "default-catalog": "c",
            "default-namespace": ["a", "b.c"],
            "storage-table": {"namespace": ["a"], "name": "st"},
        },
    )
    version["representations"].append({**sql("select 1", "trino"), "x-hint": "y"})
    properties = {"spark.query-column-names": "a,b", "queryColumnNames": '["a"]'}
    view = make_view(client, namespace, properties=properties, **{"view-version": version})
    assert view.metadata["versions"] == [version]
    assert view.metadata["properties"] == properties


def test_own_location(client: Client, namespace: str, server: TestServer) -> None:
    place = f"{server.warehouse.location}/{unique_name('views')}"
    assert make_view(client, namespace, location=place + "//").metadata["location"] == place


def test_create_on_a_taken_name(client: Client, view: Tabular) -> None:
    answer = create(client, view.namespace, **create_view_request(view.name))
    message = f"View already exists: {view.namespace}.{view.name}"
    assert_error(answer, 409, "AlreadyExistsException", message)


def test_create_on_the_name_of_a_table(client: Client, table: Tabular) -> None:
    answer = create(client, table.namespace, **create_view_request(table.name))
    message = f"Table with same name already exists: {table.namespace}.{table.name}"
    assert_error(answer, 409, "AlreadyExistsException", message)


def test_create_in_a_missing_namespace(client: Client) -> None:
    name = unique_name("none")
    answer = create(client, name, **create_view_request("v"))
    assert_error(answer, 404, "NoSuchNamespaceException", f"Namespace does not exist: {name}")


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, "name"),
    ({"name": ""}, "name"),
    ({"name": 5}, "name"),
    ({"schema": None}, "schema"),
    ({"schema": {"type": "struct", "fields": "x"}}, r"schema\.fields"),
    ({"view-version": None}, "view-version"),
    ({"view-version": []}, "view-version"),
    ({"view-version": view_version(**{"version-id": None})}, r"view-version\.version-id"),
    ({"view-version": view_version(**{"version-id": "1"})}, r"view-version\.version-id"),
    ({"view-version": view_version(**{"timestamp-ms": 1.5})}, r"view-version\.timestamp-ms"),
    ({"view-version": view_version(summary=None)}, r"view-version\.summary"),
    ({"view-version": view_version(**{"default-namespace": None})}, r"view-version\.default-namespace"),
    ({"view-version": view_version(**{"default-namespace": "a"})}, r"view-version\.default-namespace"),
    ({"view-version": view_version(representations=None)}, r"view-version\.representations"),
    ({"view-version": view_version(representations=[{}])}, r"view-version\.representations\[0\]\.type"),
    (
        {"view-version": view_version(representations=[{"type": "sql", "sql": "x"}])},
        r"view-version\.representations\[0\]\.dialect",
    ),
    ({"properties": {"a": 1}}, "properties"),
    ({"location": 1}, "location"),
]


@pytest.mark.parametrize(("change", "names"), MALFORMED)
def test_create_with_a_malformed_body(
    client: Client, namespace: str, change: dict[str, Any], names: str
) -> None:
    answer = create(client, namespace, **{**create_view_request("v"), **change})
    assert_error(answer, 400, "BadRequestException", re.compile(names))


@pytest.mark.parametrize("member", ["name", "schema", "view-version"])
def test_create_without_a_needed_member(client: Client, namespace: str, member: str) -> None:
    body = create_view_request("v")
    del body[member]
    assert_error(create(client, namespace, **body), 400, "BadRequestException", re.compile(member))


TWICE = "Invalid view version: Cannot add multiple queries for dialect trino"
INVALID: list[tuple[dict[str, Any], str]] = [
    ({"view-version": view_version(representations=[])}, "at least one representation"),
    ({"view-version": view_version(representations=[sql("a", "trino"), sql("b", "Trino")])}, TWICE),
    ({"view-version": view_version(representations=[{**sql("x"), "type": "python"}])}, "accepted: sql"),
    ({"properties": {"version.history.num-entries": "0"}}, "version.history.num-entries"),
    ({"properties": {"version.history.num-entries": "x"}}, "version.history.num-entries"),
    ({"properties": {"write.metadata.compression-codec": "lz4"}}, "lz4"),
    ({"schema": schema(field(1, "a"), field(2, "a"))}, "a"),
    ({"location": "file:///etc/x"}, "file:///etc/x"),
    ({"properties": {"write.metadata.path": "file:///etc/x"}}, "file:///etc/x"),
]


@pytest.mark.parametrize(("change", "names"), INVALID)
def test_create_of_an_invalid_view(
    client: Client, namespace: str, change: dict[str, Any], names: str
) -> None:
    answer = create(client, namespace, **{**create_view_request("v"), **change})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["type"] in {"IllegalArgumentException", "ValidationException"}
    assert names in answer.json()["error"]["message"]
    assert_error(client.get(view_path(namespace, "v")), 404, MISSING)


def test_missing_view(client: Client, namespace: str) -> None:
    for space in (namespace, "no_such_namespace"):
        path, message = view_path(space, "none"), f"View does not exist: {space}.none"
        for answer in (client.get(path), client.delete(path), client.post(path, json=commit_request())):
            assert_error(answer, 404, MISSING, message)
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (404, b"")


def test_a_view_is_no_table(view: Tabular, client: Client) -> None:
    path = view.path.replace("/views/", "/tables/")
    message = f"Table does not exist: {view.namespace}.{view.name}"
    for answer in (client.get(path), client.delete(path), client.post(path, json=commit_request())):
        assert_error(answer, 404, "NoSuchTableException", message)
    assert client.head(path).status_code == 404
    no_content(client.head(view.path))


def test_list(client: Client, namespace: str) -> None:
    path = f"{namespace_path(namespace)}/views"
    assert ok(client.get(path)) == {"identifiers": [], "next-page-token": None}
    for name in ("b", "a"):
        make_view(client, namespace, name)
    make_table(client, namespace, "table")
    assert ok(client.get(path))["identifiers"] == [
        {"namespace": [namespace], "name": name} for name in ("a", "b")
    ]


def test_drop(view: Tabular, client: Client) -> None:
    no_content(client.delete(view.path))
    assert_error(client.delete(view.path), 404, MISSING)
    make_table(client, view.namespace, view.name)


# Updates of a fresh view, then what the metadata says.
UPDATES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "add-schema": (
        [{"action": "add-schema", "schema": WIDER}],
        {"schemas": [schema(), {**WIDER, "schema-id": 1}]},
    ),
    "set-properties": ([set_properties(a="1")], {"properties": {"a": "1"}}),
    "remove-properties": (
        [set_properties(a="1", b="2"), {"action": "remove-properties", "removals": ["a", "x"]}],
        {"properties": {"b": "2"}},
    ),
    "add-view-version": ([add_version("SELECT 2")], {"current-version-id": 1}),
    "set-current-view-version": ([add_version("SELECT 2"), set_current()], {"current-version-id": 2}),
    "version with the schema of the same commit": (
        [
            {"action": "add-schema", "schema": WIDER},
            add_version("SELECT 2", **{"schema-id": -1}),
            set_current(),
        ],
        {"current-version-id": 2},
    ),
    "version id is taken": (
        [add_version("SELECT 2", **{"version-id": 1}), set_current()],
        {"current-version-id": 2},
    ),
    "the same version again": (
        [add_version("SELECT 1"), set_current(), set_properties(a="1")],
        {"current-version-id": 1},
    ),
}


@pytest.mark.parametrize("name", UPDATES)
def test_update(view: Tabular, name: str) -> None:
    updates, expected = UPDATES[name]
    metadata = view.commit(*updates)
    assert {member: metadata[member] for member in expected} == expected
    assert view.metadata == metadata
    assert json.loads(gzip.decompress(local(view.location).read_bytes())) == metadata


def test_replace(view: Tabular) -> None:
    requirement = {"type": "assert-view-uuid", "uuid": view.metadata["view-uuid"].upper()}
    metadata = view.commit(add_version("SELECT 2"), set_current(), requirements=[requirement])
    assert [version["representations"][0]["sql"] for version in metadata["versions"]] == [
        "SELECT 1",
        "SELECT 2",
    ]
    assert [entry["version-id"] for entry in metadata["version-log"]] == [1, 2]
    assert re.search(r"/00001-[0-9a-f-]+\.gz\.metadata\.json$", view.location)
    assert len(view.files()) == 2


def test_set_location(view: Tabular, server: TestServer) -> None:
    place = f"{server.warehouse.location}/{unique_name('moved')}"
    assert view.commit({"action": "set-location", "location": place + "/"})["location"] == place
    assert view.location.startswith(place + "/metadata/00001-")


def test_uuid_requirement_that_fails(view: Tabular) -> None:
    files, uuid = view.files(), view.metadata["view-uuid"]
    answer = view.try_commit(set_properties(a="1"), requirements=[{"type": "assert-view-uuid", "uuid": NIL}])
    message = f"Requirement failed: view UUID does not match: expected {uuid} != {NIL}"
    assert_error(answer, 409, "CommitFailedException", message)
    assert view.files() == files


MALFORMED_COMMITS: list[tuple[dict[str, Any], str]] = [
    ({"requirements": [{"type": "assert-table-uuid", "uuid": NIL}]}, r"requirements\[0\]\.type"),
    ({"requirements": [{"type": "assert-create"}]}, r"requirements\[0\]\.type"),
    ({"requirements": [{"type": "assert-view-uuid"}]}, r"requirements\[0\]\.uuid"),
    ({"requirements": "x"}, "requirements"),
    ({"updates": [{"action": "add-spec", "spec": {}}]}, r"updates\[0\]\.action"),
    ({"updates": [{"action": "make-coffee"}]}, r"updates\[0\]\.action"),
    ({"updates": [{"action": "set-location", "location": None}]}, r"updates\[0\]\.location"),
    ({"updates": [{"action": "add-view-version"}]}, r"updates\[0\]\.view-version"),
    ({"updates": [{"action": "set-current-view-version"}]}, r"updates\[0\]\.view-version-id"),
    ({"updates": [{"action": "set-properties", "updates": {"a": None}}]}, r"updates\[0\]\.updates\.a"),
]


def test_malformed_commits(view: Tabular) -> None:
    for body, names in MALFORMED_COMMITS:
        answer = view.client.post(view.path, json=body)
        assert_error(answer, 400, "BadRequestException", re.compile(names))
    assert len(view.files()) == 1


INVALID_COMMITS: list[tuple[list[dict[str, Any]], str]] = [
    ([{"action": "assign-uuid", "uuid": NIL}], "Cannot reassign uuid"),
    ([{"action": "upgrade-format-version", "format-version": 2}], "v2"),
    ([set_current()], "version"),
    ([set_current(9)], "9"),
    ([add_version("x", **{"schema-id": 9})], "9"),
    ([add_version("x", **{"schema-id": -1})], "schema"),
    ([add_version("x", representations=[sql("a", "trino"), sql("b", "TRINO")])], TWICE),
    ([add_version("x", representations=[sql("a", "trino")]), set_current()], "loss of view dialects"),
    ([{"action": "set-location", "location": "file:///etc"}], "file:///etc"),
    ([{"action": "set-properties", "updates": {"version.history.num-entries": "-1"}}], "num-entries"),
]


def test_invalid_commits(view: Tabular) -> None:
    before = view.load()
    for updates, names in INVALID_COMMITS:
        answer = view.try_commit(*updates)
        assert answer.status_code == 400, (updates, answer.text)
        assert answer.json()["error"]["type"] in {"IllegalArgumentException", "ValidationException"}
        assert names in answer.json()["error"]["message"], answer.text
    assert view.load() == before
    assert len(view.files()) == 1


def test_dialect_may_be_dropped_when_allowed(view: Tabular) -> None:
    allowed = {"action": "set-properties", "updates": {"replace.drop-dialect.allowed": "true"}}
    view.commit(allowed, add_version("x", representations=[sql("a", "trino")]), set_current())


def test_several_dialects(view: Tabular) -> None:
    both = [sql("SELECT 2"), sql("select 2", "trino")]
    metadata = view.commit(add_version("", representations=both), set_current())
    assert metadata["versions"][1]["representations"] == both


def test_history_is_limited(view: Tabular) -> None:
    size = {"action": "set-properties", "updates": {"version.history.num-entries": "2"}}
    for number in range(2, 6):
        metadata = view.commit(size, add_version(f"SELECT {number}", **{"version-id": number}), set_current())
    assert [version["version-id"] for version in metadata["versions"]] == [4, 5]
    assert [entry["version-id"] for entry in metadata["version-log"]] == [4, 5]


@pytest.mark.parametrize("updates", [[], [set_current(1)], [{"action": "set-properties", "updates": {}}]])
def test_commit_of_nothing_writes_no_file(view: Tabular, updates: list[dict[str, Any]]) -> None:
    before = view.load()
    assert view.try_commit(*updates).json()["metadata-location"] == before["metadata-location"]
    assert view.load() == before
    assert len(view.files()) == 1


def test_register_onto_a_taken_name(client: Client, table: Tabular, view: Tabular) -> None:
    for taken in (view.name, table.name):
        answer = client.post(
            f"{namespace_path(view.namespace)}/register-view",
            json={"name": taken, "metadata-location": view.location},
        )
        assert_error(answer, 409, "AlreadyExistsException", re.compile("already exists"))


def test_register_what_was_dropped(client: Client, view: Tabular) -> None:
    before = view.load()
    no_content(client.delete(view.path))
    body = {"name": view.name, "metadata-location": before["metadata-location"]}
    registered = ok(client.post(f"{namespace_path(view.namespace)}/register-view", json=body))
    assert registered["metadata"] == before["metadata"]
    assert view.metadata == before["metadata"]
