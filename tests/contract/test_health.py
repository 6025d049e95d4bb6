"""Health checks: outside /v1, without a body of their own kind, never slow."""

import pytest

from tests.contract.calls import ok, raw_request
from tests.support.server import Client, TestServer


@pytest.mark.parametrize("path", ["/health", "/health/live"])
def test_process_is_alive(client: Client, path: str) -> None:
    assert ok(client.get(path)) == {"status": "healthy"}


@pytest.mark.parametrize("path", ["/ready", "/health/ready"])
def test_database_is_there(client: Client, path: str) -> None:
    assert ok(client.get(path)) == {"status": "ready", "checks": {"database": "healthy"}}


@pytest.mark.parametrize("path", ["/health", "/health/live", "/ready", "/health/ready", "/metrics"])
def test_head_has_no_body(server: TestServer, path: str) -> None:
    answer = raw_request(server, "HEAD", path)
    assert (answer.status_code, answer.body) == (200, b"")


def test_metrics_are_prometheus_text(client: Client) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
