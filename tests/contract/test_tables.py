"""Tables: create, load, exists, list, drop."""

import json
import re
from typing import Any

import pytest

from tests.contract.calls import (
    Tabular,
    assert_error,
    local,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    table_path,
)
from tests.factories import create_table_request, field, schema, unique_name
from tests.support.server import Client, TestServer

MISSING = "NoSuchTableException"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def create(client: Client, namespace: str, **body: Any) -> Any:
    return client.post(f"{namespace_path(namespace)}/tables", json=body)


def test_create_answers_what_a_load_answers(client: Client, namespace: str, server: TestServer) -> None:
    name = unique_name("t")
    created = ok(create(client, namespace, name=name, schema=schema(), properties={"owner": "me"}))
    assert set(created) == {"metadata-location", "metadata", "config"}
    assert ok(client.get(table_path(namespace, name))) == created
    metadata, location = created["metadata"], created["metadata-location"]
    assert UUID.fullmatch(metadata["table-uuid"])
    base = f"{server.warehouse.location}/{namespace}/{name}-{metadata['table-uuid']}"
    assert metadata["location"] == base
    assert re.fullmatch(re.escape(base) + rf"/metadata/00000-{UUID.pattern}\.metadata\.json", location)
    assert metadata["properties"] == {"owner": "me", "write.parquet.compression-codec": "zstd"}


def test_the_file_holds_what_was_answered(table: Tabular) -> None:
    loaded = table.load()
    assert json.loads(local(loaded["metadata-location"]).read_text()) == loaded["metadata"]
    assert len(table.files()) == 1


def test_create_gives_fresh_ids(client: Client, namespace: str) -> None:
    point = {"type": "struct", "fields": [field(70, "x"), field(71, "y")]}
    tags = {"type": "list", "element-id": 90, "element": "string", "element-required": True}
    columns = schema(
        field(40, "id", required=True),
        field(50, "point", point),
        field(60, "tags", tags),
        **{"identifier-field-ids": [40]},
    )
    spec = {"spec-id": 7, "fields": [{"source-id": 40, "name": "b", "transform": "bucket[4]", "field-id": 1}]}
    order = {
        "order-id": 9,
        "fields": [
            {"source-id": 70, "transform": "identity", "direction": "asc", "null-order": "nulls-last"}
        ],
    }
    body = {"name": unique_name("t"), "schema": columns, "partition-spec": spec, "write-order": order}
    metadata = ok(create(client, namespace, **body))["metadata"]
    fields = metadata["schemas"][0]["fields"]
    assert [item["id"] for item in fields] == [1, 2, 3]
    assert [item["id"] for item in fields[1]["type"]["fields"]] == [4, 5]
    assert fields[2]["type"]["element-id"] == 6
    assert metadata["schemas"][0]["identifier-field-ids"] == [1]
    assert (metadata["last-column-id"], metadata["current-schema-id"]) == (6, 0)
    made = metadata["partition-specs"]
    assert made == [
        {"spec-id": 0, "fields": [{"source-id": 1, "name": "b", "transform": "bucket[4]", "field-id": 1000}]}
    ]
    assert metadata["last-partition-id"] == 1000
    assert metadata["sort-orders"][0]["order-id"] == metadata["default-sort-order-id"] == 1
    assert metadata["sort-orders"][0]["fields"][0]["source-id"] == 4


EMPTY = {
    "1": {"current-snapshot-id": -1, "schema": True, "partition-spec": [], "last-sequence-number": None},
    "2": {"current-snapshot-id": -1, "schema": None, "partition-spec": None, "last-sequence-number": 0},
    "3": {"current-snapshot-id": None, "next-row-id": 0, "last-sequence-number": 0},
}


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_format_versions(client: Client, namespace: str, version: str) -> None:
    metadata = make_table(client, namespace, properties={"format-version": version}).metadata
    assert metadata["format-version"] == int(version)
    assert "format-version" not in metadata["properties"]
    for member, expected in EMPTY[version].items():
        assert (bool(metadata[member]) if expected is True else metadata.get(member)) == expected, member
    assert ("next-row-id" in metadata) == (version == "3")
    assert metadata["partition-specs"] == [{"spec-id": 0, "fields": []}]
    assert metadata["sort-orders"] == [{"order-id": 0, "fields": []}]
    assert metadata["last-partition-id"] == 999
    assert (metadata["refs"], metadata["snapshots"], metadata["metadata-log"]) == ({}, [], [])


def test_create_without_optional_members(client: Client, namespace: str) -> None:
    nulls = dict.fromkeys(["location", "partition-spec", "write-order", "stage-create", "properties"])
    body = {**nulls, "name": unique_name("t"), "schema": schema(), "unknown": {"x": 1}}
    assert ok(create(client, namespace, **body))["metadata"]["format-version"] == 2


def test_reserved_properties_are_dropped(client: Client, namespace: str) -> None:
    given = {"uuid": "x", "current-schema": "y", "snapshot-count": "1", "kept": "z"}
    kept = make_table(client, namespace, properties=given).metadata["properties"]
    assert kept == {"kept": "z", "write.parquet.compression-codec": "zstd"}


def test_own_compression_codec_stays(client: Client, namespace: str) -> None:
    own = {"write.parquet.compression-codec": "snappy"}
    assert make_table(client, namespace, properties=own).metadata["properties"] == own


def test_create_on_a_taken_name(client: Client, table: Tabular) -> None:
    answer = create(client, table.namespace, name=table.name, schema=schema())
    message = f"Table already exists: {table.namespace}.{table.name}"
    assert_error(answer, 409, "AlreadyExistsException", message)
    assert len(list(local(table.metadata["location"]).parent.iterdir())) == 1


def test_create_on_the_name_of_a_view(client: Client, view: Tabular) -> None:
    answer = create(client, view.namespace, name=view.name, schema=schema())
    message = f"View with same name already exists: {view.namespace}.{view.name}"
    assert_error(answer, 409, "AlreadyExistsException", message)


@pytest.mark.parametrize("stage", [False, True])
def test_create_in_a_missing_namespace(client: Client, stage: bool) -> None:
    name = unique_name("none")
    answer = create(client, name, name="t", schema=schema(), **{"stage-create": stage})
    assert_error(answer, 404, "NoSuchNamespaceException", f"Namespace does not exist: {name}")


MALFORMED = [
    ({"name": None}, "name"),
    ({"name": 1}, "name"),
    ({"name": ["a"]}, "name"),
    ({"name": ""}, "name"),
    ({"schema": None}, "schema"),
    ({"schema": []}, "schema"),
    ({"schema": "struct"}, "schema"),
    ({"schema": {}}, r"schema\.type"),
    ({"schema": {"type": "struct"}}, r"schema\.fields"),
    ({"schema": {"type": "list", "fields": []}}, "schema.*struct"),
    ({"schema": schema(field(1, "a", "strng"))}, r"schema\.fields\[0\]\.type"),
    ({"schema": schema(field(1, "a", "decimal(40,2)"))}, r"schema\.fields\[0\]\.type"),
    ({"schema": schema(field(1, "a", "fixed[-1]"))}, r"schema\.fields\[0\]\.type"),
    ({"schema": schema(field(1, "a", 5))}, r"schema\.fields\[0\]\.type"),
    ({"schema": schema(field(1, "a"), field("2", "b"))}, r"schema\.fields\[1\]\.id"),
    ({"schema": schema(field(1.0, "a"))}, r"schema\.fields\[0\]\.id"),
    ({"schema": schema({"id": 1, "type": "int", "required": True})}, r"schema\.fields\[0\]\.name"),
    ({"schema": schema(field(1, "a", required="yes"))}, r"schema\.fields\[0\]\.required"),
    ({"location": 5}, "location"),
    ({"partition-spec": []}, "partition-spec"),
    ({"partition-spec": {"fields": [{"source-id": 1}]}}, r"partition-spec\.fields\[0\]"),
    ({"write-order": {"fields": [{}]}}, r"write-order\.fields\[0\]"),
    ({"stage-create": "true"}, "stage-create"),
    ({"stage-create": 1}, "stage-create"),
    ({"properties": {"a": 1}}, "properties.*'a'"),
    ({"properties": []}, "properties"),
]


@pytest.mark.parametrize(("change", "names"), MALFORMED)
def test_create_with_a_malformed_body(
    client: Client, namespace: str, change: dict[str, Any], names: str
) -> None:
    answer = create(client, namespace, **{**create_table_request(unique_name("t")), **change})
    assert answer.status_code == 400, answer.text
    assert re.search(names, answer.json()["error"]["message"]), answer.text
    assert answer.json()["error"]["type"] in {
        "BadRequestException",
        "ValidationException",
        "IllegalArgumentException",
    }


@pytest.mark.parametrize("member", ["name", "schema"])
def test_create_without_a_needed_member(client: Client, namespace: str, member: str) -> None:
    body = create_table_request(unique_name("t"))
    del body[member]
    assert_error(create(client, namespace, **body), 400, "BadRequestException", re.compile(member))


INVALID = [
    ({"properties": {"format-version": "4"}}, "format-version"),
    ({"properties": {"format-version": "abc"}}, "format-version"),
    ({"properties": {"write.metadata.previous-versions-max": "-1"}}, "previous-versions-max"),
    ({"properties": {"commit.retry.num-retries": ""}}, "num-retries"),
    ({"properties": {"history.expire.max-snapshot-age-ms": "xyz"}}, "max-snapshot-age-ms"),
    ({"properties": {"write.metadata.compression-codec": "zip"}}, "compression-codec"),
    ({"properties": {"write.metadata.metrics.column.none": "full"}}, "none"),
    ({"properties": {"encryption.key-id": "k"}}, "encryption"),
    ({"schema": schema(field(1, "a"), field(2, "a"))}, "a"),
    ({"schema": schema(field(1, "a"), field(1, "b"))}, "1"),
    ({"schema": schema(field(1, "a", "timestamp_ns"))}, "timestamp_ns"),
    ({"schema": schema(field(1, "a", **{"initial-default": 3}))}, "default values"),
    ({"schema": schema(field(1, "a"), **{"identifier-field-ids": [1]})}, "identifier"),
    (
        {"schema": schema(field(1, "a", "float", required=True), **{"identifier-field-ids": [1]})},
        "identifier",
    ),
    ({"schema": schema(field(1, "a"), **{"identifier-field-ids": [5]})}, "5"),
    ({"partition-spec": {"fields": [{"source-id": 9, "name": "x", "transform": "identity"}]}}, "9"),
    ({"partition-spec": {"fields": [{"source-id": 2, "name": "x", "transform": "day"}]}}, "day"),
]


@pytest.mark.parametrize(("change", "names"), INVALID)
def test_create_of_an_invalid_table(
    client: Client, namespace: str, change: dict[str, Any], names: str
) -> None:
    name = unique_name("t")
    answer = create(client, namespace, **{**create_table_request(name), **change})
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["type"] in {"ValidationException", "IllegalArgumentException", "BadRequestException"}
    assert names in error["message"], error
    assert_error(client.get(table_path(namespace, name)), 404, MISSING)


def test_unknown_properties_pass_through(client: Client, namespace: str) -> None:
    given = {"a.b": "", "history": "\u0001\u202e𐍈", "write.format.default": "orc"}
    assert make_table(client, namespace, properties=given).metadata["properties"].items() >= given.items()


def test_load_of_a_missing_table(client: Client, namespace: str) -> None:
    for space in (namespace, "no_such_namespace"):
        message = f"Table does not exist: {space}.none"
        assert_error(client.get(table_path(space, "none")), 404, MISSING, message)
        assert_error(client.delete(table_path(space, "none")), 404, MISSING, message)
        answer = client.head(table_path(space, "none"))
        assert (answer.status_code, answer.content) == (404, b"")


def test_metadata_table_of_a_table_is_a_missing_table(client: Client, table: Tabular) -> None:
    path = f"{namespace_path(table.namespace, table.name)}/tables/files"
    message = f"Table does not exist: {table.namespace}.{table.name}.files"
    assert_error(client.get(path), 404, MISSING, message)


def test_exists(client: Client, table: Tabular) -> None:
    no_content(client.head(table.path))


def test_a_table_is_no_view(client: Client, table: Tabular) -> None:
    path = table.path.replace("/tables/", "/views/")
    message = f"View does not exist: {table.namespace}.{table.name}"
    assert_error(client.get(path), 404, "NoSuchViewException", message)
    assert_error(client.delete(path), 404, "NoSuchViewException", message)
    assert_error(client.post(path, json={"updates": []}), 404, "NoSuchViewException", message)
    assert client.head(path).status_code == 404
    no_content(client.head(table.path))


def test_list(client: Client, namespace: str) -> None:
    path = f"{namespace_path(namespace)}/tables"
    assert ok(client.get(path)) == {"identifiers": [], "next-page-token": None}
    for name in ("b", "a", "B", "ä"):
        make_table(client, namespace, name)
    make_view(client, namespace, "view")
    identifiers = ok(client.get(path))["identifiers"]
    assert identifiers == [{"namespace": [namespace], "name": name} for name in ("B", "a", "b", "ä")]


def test_list_in_a_missing_namespace(client: Client) -> None:
    for kind in ("tables", "views"):
        answer = client.get(f"{namespace_path('a', 'none')}/{kind}")
        assert_error(answer, 404, "NoSuchNamespaceException", "Namespace does not exist: a.none")


@pytest.mark.lenient("Python clients send False")
@pytest.mark.parametrize(
    "query", ["", "?purgeRequested=false", "?purgeRequested=False", "?purgeRequested=FALSE"]
)
def test_drop_keeps_the_files(client: Client, table: Tabular, query: str) -> None:
    folder = local(table.metadata["location"])
    no_content(client.delete(table.path + query))
    message = f"Table does not exist: {table.namespace}.{table.name}"
    assert_error(client.get(table.path), 404, MISSING, message)
    assert_error(client.delete(table.path), 404, MISSING, message)
    assert list(folder.rglob("*.metadata.json"))


@pytest.mark.parametrize("flag", ["yes", "", "1"])
def test_drop_with_a_malformed_flag(client: Client, table: Tabular, flag: str) -> None:
    answer = client.delete(f"{table.path}?purgeRequested={flag}")
    assert_error(answer, 400, "BadRequestException", re.compile("purgeRequested"))
    no_content(client.head(table.path))


def test_a_dropped_name_is_free_again(client: Client, table: Tabular) -> None:
    old = table.metadata
    no_content(client.delete(table.path))
    new = make_table(client, table.namespace, table.name).metadata
    assert new["table-uuid"] != old["table-uuid"]
    assert new["location"] != old["location"]
