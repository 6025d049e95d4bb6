"""Errors: one envelope for everything, also for what never reaches the application."""

import json
import re
import socket
from typing import Any

import pytest

from tests.contract.calls import (
    RawAnswer,
    Tabular,
    assert_error,
    exchange,
    namespace_path,
    ok,
    raw_request,
)
from tests.factories import create_table_request, unique_name
from tests.support.process import eventually
from tests.support.server import Client, TestServer

BAD = "BadRequestException"
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"]


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/v1/a/b/c/d/e/f", "/v1/namespaces/a/tables/t/nothing", "/v1", "/v1/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_unknown_route_of_the_api(server: TestServer, method: str, path: str) -> None:
    answer = raw_request(server, method, path)
    assert_error(answer, 400, BAD, re.compile(f"^No route for request: {method} /v1"))


@pytest.mark.parametrize(
    ("kind", "error"), [("table", "NoSuchTableException"), ("view", "NoSuchViewException")]
)
def test_object_without_a_namespace_is_absent(server: TestServer, kind: str, error: str) -> None:
    """Spark asks for it when somebody writes ``t.snapshots`` without the namespace of ``t``."""
    for method in ("GET", "HEAD"):
        for prefix in ("", "/default"):
            answer = raw_request(server, method, f"/v1{prefix}/namespaces//{kind}s/t")
            assert answer.status_code == 404
            if method == "GET":
                assert_error(answer, 404, error)


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/v2/config", "/v1x", "/static/x", "/favicon.ico", "//"]
)
def test_unknown_path_elsewhere(server: TestServer, path: str) -> None:
    assert_error(raw_request(server, "GET", path), 404, "NotFoundException")


ALLOWED = {
    "/v1/config": {"GET"},
    "/v1/namespaces": {"GET", "POST"},
    "/v1/namespaces/a": {"GET", "HEAD", "DELETE"},
    "/v1/namespaces/a/properties": {"POST"},
    "/v1/namespaces/a/tables": {"GET", "POST"},
    "/v1/namespaces/a/tables/t": {"GET", "HEAD", "POST", "DELETE"},
    "/v1/namespaces/a/register": {"POST"},
    "/v1/tables/rename": {"POST"},
    "/v1/namespaces/a/views": {"GET", "POST"},
    "/v1/namespaces/a/views/v": {"GET", "HEAD", "POST", "DELETE"},
    "/v1/views/rename": {"POST"},
    "/health": {"GET"},
    "/ready": {"GET"},
    "/metrics": {"GET"},
}


@pytest.mark.parametrize("path", ALLOWED)
def test_method_that_a_path_does_not_have(server: TestServer, path: str) -> None:
    for method in METHODS:
        answer = raw_request(server, method, path)
        if answer.status_code != 405:
            assert method in ALLOWED[path] or (method == "HEAD" and "GET" in ALLOWED[path]), (method, answer)
            continue
        assert method not in ALLOWED[path]
        allow = {name.strip() for name in answer.headers["Allow"].split(",")}
        assert allow - {"HEAD", "OPTIONS"} == ALLOWED[path] - {"HEAD"}, (method, allow)
        if method == "HEAD":
            assert answer.body == b""
        else:
            message = re.compile(f"^Method {method} is not allowed for {re.escape(path)}")
            assert_error(answer, 405, "MethodNotAllowedException", message)


@pytest.mark.parametrize(
    "path", ["/v1/namespaces/none", "/v1/namespaces/a/tables/t", "/nothing", "/v1/nothing"]
)
def test_head_of_an_error_has_no_body(server: TestServer, path: str) -> None:
    answer = raw_request(server, "HEAD", path)
    assert answer.status_code in {400, 404, 405}
    assert answer.body == b""


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


def test_chunked_body(server: TestServer) -> None:
    body = json.dumps({"namespace": [unique_name("ns")]}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:])) + b"0\r\n\r\n"
    head = b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    answer = exchange(server, head + b"Content-Type: application/json\r\n\r\n" + chunks)
    assert answer.status_code == 200, answer.text


def test_expect_100_continue(server: TestServer) -> None:
    body = json.dumps({"namespace": [unique_name("ns")]}).encode()
    head = b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n"
    head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head)
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")


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
        body = '{"updates": [{"action": "add-snapshot", "snapshot": ' + snapshot + "}]}"
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


def test_error_carries_the_request_id(client: Client, server: TestServer) -> None:
    given = unique_name("request")
    answer = client.get("/v1/namespaces/none", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == given
    lines = eventually(
        lambda: [line for line in server.logs() if line.get("request_id") == given],
        5,
        "the log line is written",
    )
    assert lines[0]["status"] == 404


@pytest.mark.parametrize("given", ["", "a b", "x" * 500, "ü", 'a"b'])
def test_odd_request_ids(server: TestServer, given: str) -> None:
    answer = raw_request(server, "GET", "/v1/config", headers={"X-Request-ID": given})
    assert answer.status_code == 200
    assert re.fullmatch(r"[\x21-\x7e]+", answer.headers["X-Request-ID"])


def test_never_null_maps(client: Client, table: Tabular, view: Tabular) -> None:
    for path in ("/v1/config", namespace_path(table.namespace), table.path, view.path):
        document = ok(client.get(path))
        for member in ("config", "defaults", "overrides", "properties", "endpoints", "metadata"):
            assert document.get(member, {}) is not None, (path, member)
        assert document.get("metadata", {}).get("properties", {}) is not None


WIRE = [
    (b"GET /v1/config\r\n\r\n", 400),
    (b"GET /v1/config HTTP/9.9\r\nHost: x\r\n\r\n", 400),
    (b"NONSENSE\r\n\r\n", 400),
    (b"GET /v1/config HTTP/1.1\r\n\r\n", 400),
    (b"GET /v1/config HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET /v1/config HTTP/1.1\r\nHost x\r\n\r\n", 400),
    (b"GET /v1/config HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", 400),
    (b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
    (b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: zip\r\n\r\n", None),
    (b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"GET /v1/" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    (b"GET /v1/config?" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    (b"GET /v1/config HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431),
    (b"GET /v1/config HTTP/1.1\r\nHost: x\r\n" + b"X: aaaaaaaa\r\n" * 2000 + b"\r\n", 431),
]
TYPES = {400: BAD, 414: "UriTooLongException", 431: "RequestHeaderFieldsTooLargeException"}


@pytest.mark.parametrize(("data", "code"), WIRE, ids=[str(data[:40]) for data, _ in WIRE])
def test_refused_by_the_server_itself(server: TestServer, data: bytes, code: int | None) -> None:
    answer = exchange(server, data)
    if code is None:
        assert 400 <= answer.status_code < 600
        code = answer.status_code
        assert answer.json()["error"]["code"] == code
        return
    assert_error(answer, code, TYPES[code])


def test_too_large_body(server: TestServer) -> None:
    """Refused by its announced length; the whole is never read."""
    head = b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    answer = exchange(server, head + b"Content-Length: 99999999999\r\n\r\n{")
    message = assert_error(answer, 413, "RequestTooLargeException")
    assert "limits.max_request_body_size" in message
    assert "99999999999" in message


def test_keep_alive_after_an_error(client: Client, server: TestServer) -> None:
    request = b"GET /v1/namespaces/none HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request + request + last)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received.count(b"HTTP/1.1 404 ") == 2
    assert received.count(b"HTTP/1.1 200 ") == 1


def test_unexpected_fault_is_enveloped_without_its_details(server: TestServer, client: Client) -> None:
    """A stored document that is no JSON can only be a fault of ours; the client learns where to look."""
    space, name = unique_name("ns"), "t"
    ok(client.post("/v1/namespaces", json={"namespace": [space]}))
    ok(client.post(f"{namespace_path(space)}/tables", json=create_table_request(name)))
    server.database.query(
        "UPDATE tabulars SET document = '{' WHERE name = 't' AND location LIKE %s", f"%{space}%"
    )
    answer = client.post(f"{namespace_path(space)}/tables/t", json={"updates": []})
    message = assert_error(answer, 500, "InternalServerError")
    assert answer.headers["X-Request-ID"] in message
    assert "JSON" not in message
    ok_answer: Any = client.delete(f"{namespace_path(space)}/tables/t")
    assert ok_answer.status_code == 204


def test_plain_answers_of_every_kind_have_the_headers(server: TestServer) -> None:
    answers: list[RawAnswer] = [
        raw_request(server, "GET", path)
        for path in ("/v1/config", "/v1/namespaces/none", "/v1/x", "/x", "/health")
    ]
    for answer in answers:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert int(answer.headers["Content-Length"]) == len(answer.body)
