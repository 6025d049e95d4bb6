"""/management/v1/warehouses: create, list, load, change and delete warehouses."""

from typing import Any

from tests.contract.calls import assert_error, ok
from tests.factories import unique_name
from tests.support.process import eventually
from tests.support.server import Client, TestServer

PATH = "/management/v1/warehouses"
REQUESTS = "iceberg_catalog_http_requests_total"


def logged(server: TestServer, request_id: str) -> dict[str, Any] | None:
    return next((line for line in server.logs() if line.get("request_id") == request_id), None)


def test_default_warehouse_is_listed_and_loaded(client: Client, server: TestServer) -> None:
    listed = ok(client.get(PATH))
    assert listed["next-page-token"] is None
    (default,) = [item for item in listed["warehouses"] if item["default"]]
    assert default == ok(client.get(f"{PATH}/default"))
    assert (default["name"], default["prefix"], default["active"]) == ("default", "default", True)
    assert default["soft-delete"] == {"enabled": False, "hold-seconds": None}
    assert default["storage-profile"]["type"] == "local"
    assert default["storage-profile"]["root-location"] == server.warehouse.location


def test_missing_warehouse(client: Client) -> None:
    answer = client.get(f"{PATH}/no%2Fbody")
    assert_error(answer, 404, "NoSuchWarehouseException", "Warehouse does not exist: no/body")


def test_requests_are_observed(client: Client, server: TestServer) -> None:
    request_id = unique_name("observed")
    ok(client.get(f"{PATH}/default", headers={"X-Request-ID": request_id}))
    line = eventually(lambda: logged(server, request_id), 10, "the request is logged")
    assert (line["warehouse"], line["route"]) == ("default", f"{PATH}/{{warehouse}}")
    labels = {"method": "GET", "path": f"{PATH}/{{warehouse}}"}
    eventually(lambda: server.metric(REQUESTS, **labels) >= 1, 10, "the request is counted")


def test_management_is_not_announced(client: Client) -> None:
    assert not [
        endpoint for endpoint in ok(client.get("/v1/config"))["endpoints"] if "management" in endpoint
    ]


def test_unknown_management_route(client: Client) -> None:
    assert_error(client.get("/management/v1/nothing"), 404, "NotFoundException")
    assert_error(client.post(f"{PATH}/default"), 405, "MethodNotAllowedException")
