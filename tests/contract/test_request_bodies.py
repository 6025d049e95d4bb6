"""Request bodies: malformed JSON, wrong types of content, U+0000, nesting, numbers."""

import json
import re

import pytest

from tests.contract.calls import (
    Tabular,
    assert_error,
    exchange,
    ok,
    raw_request,
)
from tests.factories import unique_name
from tests.support.server import Client, TestServer

BAD = "BadRequestException"


SYNTAX = [
    (b"{", r"line 1, column 2"),
    (b'{"a": 1,}', r"line 1, column 9"),
    (b'{\n  "namespace": [\n    "a" "b"\n  ]\n}', r"line 3, column 9"),
    (b'{"a": 1} x', r"line 1, column 1[01]"),
    (b'{"a": 1}{"b": 2}', r"line 1, column (9|10)$"),
    (b"{'a': 1}", r"line 1, column 2"),
    (b'{"a": NaN}', r"line 1, column 7"),
    (b'{"a": 01}', r"line 1, column \d"),
    (b'{"a": "\x01"}', r"line 1, column \d"),
    (b'{"a": "\xff"}', r"."),
    (b'{"a": "\\x"}', r"line 1, column \d"),
    (b"\xef\xbb\xbf{}", r"line 1, column 1"),
    (b"nul", r"."),
    (b"namespace=a", r"line 1, column [1-5]$"),
]


@pytest.mark.parametrize(("body", "place"), SYNTAX)
def test_malformed_json(server: TestServer, body: bytes, place: str) -> None:
    answer = raw_request(server, "POST", "/v1/namespaces", body)
    message = assert_error(answer, 400, BAD, re.compile("^Malformed JSON: "))
    assert re.search(place, message), message


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"x"', b"true"])
def test_body_that_is_no_object(server: TestServer, body: bytes) -> None:
    answer = raw_request(server, "POST", "/v1/namespaces", body)
    assert_error(answer, 400, BAD, re.compile("object"))


@pytest.mark.parametrize("body", [b"", b"  \n"])
@pytest.mark.parametrize("path", ["/v1/namespaces", "/v1/namespaces/a/tables", "/v1/tables/rename"])
def test_missing_body(server: TestServer, path: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    answer = raw_request(server, "POST", path, body, headers)
    assert_error(answer, 400, BAD, re.compile("^Invalid request body"))


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"]
)
def test_body_of_another_type(server: TestServer, kind: str) -> None:
    body = b'{"namespace": ["a"]}'
    answer = raw_request(server, "POST", "/v1/namespaces", body, {"Content-Type": kind})
    assert_error(answer, 415, "UnsupportedMediaTypeException", re.compile(re.escape(kind)))


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json", None],
)
def test_body_of_json_types(server: TestServer, kind: str | None) -> None:
    body = json.dumps({"namespace": [unique_name("ns")]}).encode()
    head = b"" if kind else f"Content-Length: {len(body)}\r\n\r\n".encode()
    if kind:
        answer = raw_request(server, "POST", "/v1/namespaces", body, {"Content-Type": kind})
    else:
        lines = b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        answer = exchange(server, lines + head + body)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_json_content_type_without_a_body(client: Client, method: str, table: Tabular) -> None:
    """Java sends the header on every request."""
    answer = client.request(method, table.path, headers={"Content-Type": "application/json"})
    assert answer.status_code in {200, 204}, answer.text


def test_body_of_a_get_is_ignored(server: TestServer) -> None:
    assert raw_request(server, "GET", "/v1/namespaces", b"{nonsense").status_code == 200


NUL = [
    b'{"namespace": ["a\\u0000b"]}',
    b'{"namespace": ["a"], "properties": {"k": "v\\u0000"}}',
    b'{"namespace": ["a"], "properties": {"k\\u0000": "v"}}',
    b'{"namespace": ["a"], "x": [{"y": "\\u0000"}]}',
]


@pytest.mark.parametrize("body", NUL)
def test_nul_in_a_string(server: TestServer, body: bytes) -> None:
    answer = raw_request(server, "POST", "/v1/namespaces", body)
    assert_error(answer, 400, BAD, re.compile(r"U\+0000"))


def test_text_that_only_looks_like_nul(client: Client) -> None:
    body = {"namespace": [unique_name("ns")], "properties": {"k": "\\u0000"}}
    assert ok(client.post("/v1/namespaces", json=body))["properties"]["k"] == "\\u0000"


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting(server: TestServer, opening: bytes) -> None:
    body = b'{"namespace": ["a"], "x": ' + opening * 200_000
    assert_error(raw_request(server, "POST", "/v1/namespaces", body), 400, BAD)
    closing = b"]" if opening == b"[" else b"}"
    whole = b'{"namespace": "a", "x": ' + opening * 5000 + b"1" + closing * 5000 + b"}"
    assert_error(raw_request(server, "POST", "/v1/namespaces", whole), 400, BAD)


def test_deep_nesting_in_a_commit(server: TestServer, table: Tabular) -> None:
    """What is accepted must be readable again: metadata may not be nested beyond what readers take."""
    for depth in (100, 500, 900, 5000):
        snapshot = json.dumps({"snapshot-id": depth, "sequence-number": depth, "timestamp-ms": 1})[:-1]
        snapshot += ', "manifest-list": "x", "summary": {"operation": "append"}, "deep": '
        snapshot += "[" * depth + "]" * depth + "}"
        body = '{"requirements": [], "updates": [{"action": "add-snapshot", "snapshot": ' + snapshot + "}]}"
        answer = raw_request(server, "POST", table.path, body.encode())
        assert answer.status_code in {200, 400}, answer.text
        assert_readable(table)


def assert_readable(table: Tabular) -> None:
    answer = table.client.get(table.path)
    assert answer.status_code == 200, answer.text
    assert table.try_commit().status_code == 200


@pytest.mark.parametrize("number", ["1" * 400, "1e400", "-1e400", "1E+99999999", "9" * 5000, "0.1e-500"])
def test_huge_numbers(server: TestServer, number: str) -> None:
    body = f'{{"namespace": ["a"], "properties": {{"k": {number}}}}}'.encode()
    answer = raw_request(server, "POST", "/v1/namespaces", body)
    assert_error(answer, 400, BAD)


def test_duplicate_keys(server: TestServer) -> None:
    """The last one wins, as in Java and Python."""
    name = unique_name("ns")
    body = f'{{"namespace": ["x"], "namespace": ["{name}"]}}'.encode()
    assert raw_request(server, "POST", "/v1/namespaces", body).json()["namespace"] == [name]
