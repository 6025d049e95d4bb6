"""What the service says about itself over HTTP and in its log."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.contract.calls import Tabular, ok, table_path
from tests.factories import commit_request, create_table_request, set_properties, unique_name
from tests.support.process import eventually
from tests.support.server import Client, TestServer

pytestmark = pytest.mark.once("each request has one line and is counted")
FORBIDDEN = ("password", "secret", "token", "api_key", "credential")
REQUESTS = "iceberg_catalog_http_requests_total"
KEYS = [
    "time", "level", "msg", "method", "path", "status", "duration_ms", "request_id", "error",
    "route", "principal", "warehouse", "bytes", "bytes_received", "client_address",
]  # fmt: skip


def line_of(server: TestServer, request_id: str) -> dict[str, Any]:
    """Wait for the line of a request; there is exactly one."""

    def found() -> list[dict[str, Any]]:
        return [
            line
            for line in server.logs()
            if line.get("request_id") == request_id and line["msg"] == "request completed"
        ]

    [line] = eventually(found, 10, f"the log has a line of request {request_id}")
    return line


def at_rest(server: TestServer, name: str, **labels: str) -> float:
    """Return a figure when all workers have copied theirs out, which they do five times per second."""
    seen: list[float] = []

    def same() -> bool:
        seen.append(server.metric(name, **labels))
        return seen[-2:-1] == seen[-1:]

    eventually(same, 20, f"{name} is at rest", interval=1.0)
    return seen[-1]


def test_a_request_has_one_line(server: TestServer, client: Client, namespace: str) -> None:
    request_id = unique_name("request")
    answer = client.get(f"/v1/namespaces/{namespace}?page=hunter2", headers={"X-Request-ID": request_id})
    assert answer.headers["X-Request-ID"] == request_id
    line = line_of(server, request_id)
    assert list(line) == KEYS
    assert (line["method"], line["path"], line["status"]) == ("GET", f"/v1/namespaces/{namespace}", 200)
    assert line["route"] == "/v1/{prefix}/namespaces/{namespace}"
    assert (line["principal"], line["warehouse"], line["error"]) == ("anonymous", "default", None)
    assert line["bytes"] == len(answer.content)
    assert line["level"] == "INFO"


def test_an_error_is_in_its_line(server: TestServer, client: Client) -> None:
    request_id = unique_name("request")
    client.get("/v1/namespaces/nowhere%1Fat%1Fall", headers={"X-Request-ID": request_id})
    line = line_of(server, request_id)
    assert (line["level"], line["status"]) == ("WARN", 404)
    assert line["error"].startswith("NoSuchNamespaceException: ")
    assert line["path"] == "/v1/namespaces/nowhere%1Fat%1Fall"


@pytest.mark.parametrize("path", ["/nowhere", "/v1/namespaces/%zz/x/y/z", "/v1/%2F%2F"])
def test_a_path_without_route_is_unmatched(server: TestServer, client: Client, path: str) -> None:
    request_id = unique_name("request")
    client.get(path, headers={"X-Request-ID": request_id})
    assert line_of(server, request_id)["route"] == "unmatched"


@pytest.mark.parametrize("sent", ["", "with space", "x" * 129, "\x7f"])
def test_a_request_id_that_is_no_id_is_replaced(client: Client, sent: str) -> None:
    answer = client.get("/v1/config", headers={"X-Request-ID": sent})
    assert len(answer.headers["X-Request-ID"]) == 32


def test_request_ids_of_two_workers_differ(server: TestServer) -> None:
    def ask(_: int) -> str:
        return requests.get(f"{server.url}/v1/config", timeout=20).headers["X-Request-ID"]

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(ask, range(100)))
    assert len(set(ids)) == 100


def test_requests_and_commits_are_counted_over_all_workers(server: TestServer, table: Tabular) -> None:
    labels = {
        "method": "POST",
        "path": "/v1/{prefix}/namespaces/{namespace}/tables/{table}",
        "status_code": "200",
    }
    before = at_rest(server, REQUESTS, **labels), at_rest(server, "iceberg_commits_total")

    def commit(number: int) -> int:
        body = commit_request(set_properties(number=str(number)))
        return requests.post(server.url + table.path, json=body, timeout=30).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(commit, range(30))) == {200}
    eventually(lambda: server.metric(REQUESTS, **labels) == before[0] + 30, 10, "30 requests are counted")
    eventually(lambda: server.metric("iceberg_commits_total") == before[1] + 30, 10, "30 commits are counted")


def test_a_conflict_is_counted(server: TestServer, table: Tabular, client: Client) -> None:
    before = at_rest(server, "bingsan_commit_conflicts_total")
    requirement = {"type": "assert-table-uuid", "uuid": "00000000-0000-4000-8000-000000000000"}
    answer = client.post(table.path, json=commit_request(set_properties(a="b"), requirements=[requirement]))
    assert answer.status_code == 409
    eventually(lambda: server.metric("bingsan_commit_conflicts_total") == before + 1, 10, "it is counted")


def test_metrics_describe_node_and_content(server: TestServer, table: Tabular) -> None:
    eventually(
        lambda: server.metric("iceberg_tables_total", namespace=table.namespace) == 1,
        15,
        "the table is counted",
    )
    assert server.metric("iceberg_namespaces_total") >= 1
    assert server.metric("bingsan_ready") == 1
    eventually(lambda: server.metric("bingsan_workers") == 2, 10, "both workers are counted")
    assert server.metric("bingsan_build_info", version="0.1.0") == 1
    assert server.metric("iceberg_db_connections_max") >= 2
    assert server.metric("iceberg_db_connections_total") <= server.metric("iceberg_db_connections_max")


def test_probes_and_metrics_are_not_counted(server: TestServer, client: Client) -> None:
    for path in ("/health", "/ready", "/health/live", "/health/ready", "/metrics"):
        assert client.get(path).status_code == 200
    probes = ('path="/health', 'path="/ready', 'path="/metrics')
    assert not [name for name in server.metrics() if any(probe in name for probe in probes)]


def test_metric_output_shows_no_secret_words(server: TestServer, client: Client) -> None:
    for word in FORBIDDEN:
        name = unique_name(f"my_{word}s")
        assert client.post("/v1/namespaces", json={"namespace": [name]}).status_code == 200
        ok(client.post(f"/v1/namespaces/{name}/tables", json=create_table_request("t")))

    def shown() -> str:
        text = client.get("/metrics").text
        return text if all(f"my_{word[:3]}**" in text for word in FORBIDDEN) else ""

    text = eventually(shown, 15, "the namespaces are counted")
    assert not [word for word in FORBIDDEN if word in text.lower()]


def test_openmetrics_is_offered(client: Client) -> None:
    answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_no_secret_is_logged(server: TestServer, client: Client, namespace: str) -> None:
    request_id = unique_name("request")
    headers = {"Authorization": "Bearer hunter2", "X-API-Key": "hunter2", "X-Request-ID": request_id}
    client.get(table_path(namespace, "t") + "?token=hunter2", headers=headers)
    ok(client.get("/v1/config", headers=headers))
    eventually(
        lambda: [x for x in server.logs() if x.get("request_id") == request_id], 10, "the lines are there"
    )
    assert "hunter2" not in server.stdout.read_text() + server.stderr.read_text()
