"""Limits of section 3.4: what is above one is refused, with the setting and the limit in the message."""

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.contract.calls import (
    assert_error,
    exchange,
    local,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    ok,
    raw_request,
)
from tests.factories import create_table_request, field, schema, unique_name
from tests.support.server import Client, TestServer

BAD = "BadRequestException"
SMALL = {
    "limits.max_property_count": 3,
    "limits.max_property_key_length": 40,
    "limits.max_property_value_length": 100,
    "limits.max_columns": 5,
    "limits.max_identifier_length": 20,
    "limits.max_namespace_depth": 2,
    "limits.max_request_body_size": 4096,
    "limits.max_metadata_size": 3000,
    "limits.max_url_length": 300,
    "limits.max_header_size": 1024,
    "limits.max_page_size": 2,
}


@pytest.fixture(scope="module")
def small(make_server: MakeServer) -> Iterator[TestServer]:
    """A server that allows little."""
    with make_server(settings=SMALL) as running:
        yield running


@pytest.fixture
def few(small: TestServer) -> Iterator[Client]:
    with Client(small.url) as session:
        yield session


@pytest.fixture
def space(few: Client) -> str:
    return make_namespace(few)


def columns(count: int) -> dict[str, Any]:
    return schema(*(field(number, f"c{number}") for number in range(1, count + 1)))


PROPERTIES = [
    ({str(number): "v" for number in range(4)}, r"[45] properties exceed limits\.max_property_count \(3\)"),
    ({"k" * 41: "v"}, r"41 characters and exceeds limits\.max_property_key_length \(40\)"),
    ({"k": "v" * 101}, r"'k' has 101 characters and exceeds limits\.max_property_value_length \(100\)"),
]


@pytest.mark.parametrize(("properties", "names"), PROPERTIES)
def test_properties(few: Client, space: str, properties: dict[str, str], names: str) -> None:
    table, view = make_table(few, space), make_view(few, space)
    update = {"action": "set-properties", "updates": properties}
    answers = [
        few.post("/v1/namespaces", json={"namespace": [unique_name("n")], "properties": properties}),
        few.post(f"{namespace_path(space)}/properties", json={"updates": properties}),
        few.post(f"{namespace_path(space)}/tables", json=create_table_request("t", properties=properties)),
        table.try_commit(update),
        view.try_commit(update),
    ]
    for answer in answers:
        assert_error(answer, 400, BAD, re.compile(names))
    assert len(table.files()) == len(view.files()) == 1


def test_properties_at_the_limit(few: Client, space: str) -> None:
    properties = {"k" * 40: "v" * 100, "b": "", "c": "🦆" * 100}
    ok(few.post("/v1/namespaces", json={"namespace": [unique_name("n")], "properties": properties}))
    kept = {"a": "1", "b": "2", "write.x": "3"}
    answer = few.post(f"{namespace_path(space)}/properties", json={"updates": kept})
    assert len(ok(answer)["updated"]) == 3


@pytest.mark.parametrize("count", [5, 6])
def test_columns(few: Client, space: str, count: int) -> None:
    answer = few.post(f"{namespace_path(space)}/tables", json={"name": "t", "schema": columns(count)})
    table = make_table(few, space)
    commit = table.try_commit({"action": "add-schema", "schema": columns(count)})
    if count == 5:
        assert (answer.status_code, commit.status_code) == (200, 200)
        return
    for refused in (answer, commit):
        assert_error(refused, 400, refused.json()["error"]["type"], re.compile(r"max_columns \(5\)|\b5\b"))


def test_nested_columns_count(few: Client, space: str) -> None:
    inner = {"type": "struct", "fields": [field(number, f"c{number}") for number in range(2, 7)]}
    body = {"name": "t", "schema": schema(field(1, "a", inner))}
    assert few.post(f"{namespace_path(space)}/tables", json=body).status_code == 400


def test_names(few: Client, space: str) -> None:
    message = re.compile(r"21 characters exceed limits\.max_identifier_length \(20\)")
    assert_error(few.post("/v1/namespaces", json={"namespace": ["x" * 21]}), 400, BAD, message)
    answer = few.post(f"{namespace_path(space)}/tables", json=create_table_request("x" * 21))
    assert_error(answer, 400, BAD, message)
    message = re.compile(r"3 levels exceed limits\.max_namespace_depth \(2\)")
    assert_error(few.post("/v1/namespaces", json={"namespace": [space, "b", "c"]}), 400, BAD, message)


def test_body_size(few: Client, small: TestServer) -> None:
    name = "x" * 16
    body = json.dumps({"namespace": [name]}).encode()
    fits = body + b" " * (4096 - len(body))
    assert raw_request(small, "POST", "/v1/namespaces", fits).status_code == 200
    for more in (1, 10_000, 3_000_000):
        answer = raw_request(small, "POST", "/v1/namespaces", fits + b" " * more)
        message = re.compile(r"limits\.max_request_body_size.*\b4096\b")
        assert str(4096 + more) in assert_error(answer, 413, "RequestTooLargeException", message)


def test_chunked_body_size(small: TestServer) -> None:
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    lines = b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    answer = exchange(small, lines + b"Content-Type: application/json\r\n\r\n" + chunk * 3 + b"0\r\n\r\n")
    assert_error(answer, 413, "RequestTooLargeException")


def test_target_and_head(small: TestServer) -> None:
    assert raw_request(small, "GET", "/v1/config?" + "x" * 280).status_code == 200
    assert_error(
        raw_request(small, "GET", "/v1/config?" + "x" * 290), 414, "UriTooLongException", re.compile("300")
    )
    answer = raw_request(small, "GET", "/v1/config", headers={"X-Big": "x" * 1100})
    assert_error(answer, 431, "RequestHeaderFieldsTooLargeException", re.compile("1024"))


def test_metadata_size(few: Client, space: str) -> None:
    table = make_table(few, space)
    location = table.location
    few.delete(table.path)
    metadata = json.loads(local(location).read_text())
    local(location).write_text(json.dumps({**metadata, "filler": "x" * 3000}))
    body = {"name": "r", "metadata-location": location}
    assert_error(few.post(f"{namespace_path(space)}/register", json=body), 400, BAD, re.compile("3000"))


def test_compressed_metadata_size(few: Client, space: str) -> None:
    """What counts is the size after decompression."""
    table = make_table(few, space, properties={"write.metadata.compression-codec": "gzip"})
    location = table.location
    few.delete(table.path)
    local(location).write_bytes(gzip.compress(b" " * 1_000_000))
    body = {"name": "r", "metadata-location": location}
    message = re.compile("limits.max_metadata_size")
    assert_error(few.post(f"{namespace_path(space)}/register", json=body), 400, BAD, message)


def test_page_size(few: Client, space: str) -> None:
    for name in "abc":
        make_table(few, space, name)
    for size, names in ((1, "a"), (2, "ab"), (1000, "ab"), (None, "abc")):
        listed = ok(few.get(f"{namespace_path(space)}/tables", params={"pageSize": size}))
        assert [item["name"] for item in listed["identifiers"]] == list(names)


def test_large_but_allowed(client: Client, namespace: str) -> None:
    """10,000 characters in a property and a comment, 1,000 columns, a body of 2 MB."""
    text = "ü" * 10_000
    wide = schema(*(field(number, f"c{number}", doc=text[:1000]) for number in range(1, 1001)))
    table = make_table(client, namespace, schema=wide, properties={"long": text})
    assert table.metadata["properties"]["long"] == text
    ids = [item["id"] for item in table.metadata["schemas"][0]["fields"]]
    assert ids == list(range(1, 1001))
    wider = {**wide, "fields": [*wide["fields"], field(1001, "extra")]}
    metadata = table.commit(
        {"action": "add-schema", "schema": wider}, {"action": "set-current-schema", "schema-id": -1}
    )
    assert metadata["last-column-id"] == 1001
    assert table.metadata == metadata
