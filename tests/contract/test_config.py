"""GET /v1/config: what a client asks first, and the two ways to name a warehouse."""

import pytest

from tests.contract.calls import assert_error, namespace_path, ok, raw_request
from tests.factories import unique_name
from tests.support.server import Client, TestServer

OVERRIDES = {"namespace-separator": "%1F"}
ENDPOINTS = {
    "GET /v1/{prefix}/namespaces",
    "POST /v1/{prefix}/namespaces",
    "GET /v1/{prefix}/namespaces/{namespace}",
    "HEAD /v1/{prefix}/namespaces/{namespace}",
    "DELETE /v1/{prefix}/namespaces/{namespace}",
    "POST /v1/{prefix}/namespaces/{namespace}/properties",
    "GET /v1/{prefix}/namespaces/{namespace}/tables",
    "POST /v1/{prefix}/namespaces/{namespace}/tables",
    "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/register",
    "POST /v1/{prefix}/tables/rename",
    "GET /v1/{prefix}/namespaces/{namespace}/views",
    "POST /v1/{prefix}/namespaces/{namespace}/views",
    "GET /v1/{prefix}/namespaces/{namespace}/views/{view}",
    "HEAD /v1/{prefix}/namespaces/{namespace}/views/{view}",
    "POST /v1/{prefix}/namespaces/{namespace}/views/{view}",
    "DELETE /v1/{prefix}/namespaces/{namespace}/views/{view}",
    "POST /v1/{prefix}/views/rename",
    "POST /v1/{prefix}/namespaces/{namespace}/register-view",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/unregister",
    "POST /v1/{prefix}/transactions/commit",
    "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/sign",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics",
    "GET /v1/{prefix}/namespaces/{namespace}/functions",
    "GET /v1/{prefix}/namespaces/{namespace}/functions/{function}",
}


def test_config_without_warehouse(client: Client) -> None:
    config = ok(client.get("/v1/config"))
    assert config["overrides"] == OVERRIDES
    assert all(isinstance(value, str) for value in config["defaults"].values())
    assert set(config) == {"defaults", "overrides", "endpoints", "idempotency-key-lifetime"}


def test_every_operation_is_announced_once_in_the_specification_s_spelling(client: Client) -> None:
    endpoints = ok(client.get("/v1/config"))["endpoints"]
    assert len(endpoints) == len(set(endpoints))
    assert set(endpoints) >= ENDPOINTS


@pytest.mark.parametrize("prefix", ["/v1", "/v1/default"])
def test_what_is_announced_is_mounted(client: Client, server: TestServer, prefix: str) -> None:
    for endpoint in ok(client.get("/v1/config"))["endpoints"]:
        method, template = endpoint.split(" ")
        path = template.replace("/v1/{prefix}", prefix).replace("{", "no_").replace("}", "")
        answer = raw_request(server, method, path)
        assert answer.status_code != 405, (endpoint, answer.text)
        assert "No route" not in answer.text, endpoint


def test_warehouse_by_name_answers_its_prefix(client: Client, namespace: str) -> None:
    overrides = ok(client.get("/v1/config", params={"warehouse": "default"}))["overrides"]
    assert overrides == {**OVERRIDES, "prefix": "default"}
    assert ok(client.get(namespace_path(namespace, prefix="/v1/default")))["namespace"] == [namespace]


@pytest.mark.parametrize("spelling", ["file://{}", "file:{}", "{}", "file://{}/", "file://localhost{}"])
def test_warehouse_by_root_location(client: Client, server: TestServer, spelling: str) -> None:
    folder = server.warehouse.location.removeprefix("file://")
    answer = client.get("/v1/config", params={"warehouse": spelling.format(folder)})
    assert ok(answer)["overrides"] == {**OVERRIDES, "prefix": "default"}


@pytest.mark.parametrize(
    "text", ["nobody", "s3://nobody/w", "/", "file:///nowhere", "ftp://x/y", "file:///a/../b", "Default", "ü"]
)
def test_unknown_warehouse(client: Client, text: str) -> None:
    answer = client.get("/v1/config", params={"warehouse": text})
    assert_error(answer, 404, "NoSuchWarehouseException", f"Warehouse does not exist: {text}")


def test_empty_warehouse_means_the_default_one(client: Client) -> None:
    assert ok(client.get("/v1/config?warehouse="))["overrides"] == OVERRIDES


def test_unknown_prefix(client: Client) -> None:
    prefix = unique_name("nobody")
    for path in ("/namespaces", "/namespaces/a", "/namespaces/a/tables", "/namespaces/a/views/v"):
        answer = client.get(f"/v1/{prefix}{path}")
        assert_error(answer, 404, "NoSuchWarehouseException", f"Warehouse does not exist: {prefix}")


def test_headers_of_answers(client: Client, server: TestServer) -> None:
    answer = raw_request(server, "GET", "/v1/config")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-ID"]
    assert client.get("/v1/config", headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"] == "mine-1"


def test_unknown_query_parameters_and_headers_are_ignored(client: Client) -> None:
    headers = {
        "X-Iceberg-Access-Delegation": "vended-credentials",
        "X-Client-Version": "x",
        "If-None-Match": "*",
    }
    assert ok(client.get("/v1/config?referenced-by=a&x=%FF", headers=headers))["overrides"] == OVERRIDES
