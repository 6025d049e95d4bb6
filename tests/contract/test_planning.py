"""Scan planning is not offered: a clear refusal on its routes, and no client is told to use them."""

import pytest

from tests.contract.calls import Tabular, assert_error, ok
from tests.support.server import Client

OPERATIONS = [("POST", "plan"), ("GET", "plan/some-id"), ("DELETE", "plan/some-id"), ("POST", "tasks")]


@pytest.mark.lenient("it is refused whatever it says")
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_operation_is_refused(client: Client, table: Tabular, method: str, path: str) -> None:
    answer = client.request(method, f"{table.path}/{path}", json={} if method == "POST" else None)
    message = assert_error(answer, 406, "UnsupportedOperationException")
    assert message.startswith("Scan planning is not supported by this server")
    assert f"{table.namespace}.{table.name}" in message


def test_no_planning_is_announced(client: Client) -> None:
    endpoints = ok(client.get("/v1/config"))["endpoints"]
    assert [endpoint for endpoint in endpoints if "/plan" in endpoint or endpoint.endswith("/tasks")] == []


def test_in_an_unknown_warehouse(client: Client) -> None:
    answer = client.post("/v1/nobody/namespaces/n/tables/t/plan", json={})
    assert_error(answer, 404, "NoSuchWarehouseException", "Warehouse does not exist: nobody")
