"""Errors: one envelope for everything."""

import re
from typing import Any

import pytest

from tests.contract.calls import (
    RawAnswer,
    Tabular,
    assert_error,
    namespace_path,
    ok,
    raw_request,
)
from tests.factories import commit_request, create_table_request, unique_name
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


def test_unexpected_fault_is_enveloped_without_its_details(server: TestServer, client: Client) -> None:
    """A stored document that is no JSON can only be a fault of ours; the client learns where to look."""
    space, name = unique_name("ns"), "t"
    ok(client.post("/v1/namespaces", json={"namespace": [space]}))
    ok(client.post(f"{namespace_path(space)}/tables", json=create_table_request(name)))
    server.database.query(
        "UPDATE tabulars SET document = '{' WHERE name = 't' AND location LIKE %s", f"%{space}%"
    )
    answer = client.post(f"{namespace_path(space)}/tables/t", json=commit_request())
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
