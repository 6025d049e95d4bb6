"""Web pages of other origins: shut out unless they are named."""

import pytest
import requests

from tests.conftest import MakeServer
from tests.support.server import TestServer

CONSOLE = "https://console.example.com"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture(scope="module")
def console(make_server: MakeServer):
    settings = {"server.cors_origins": f"{CONSOLE},http://localhost:3000", "server.cors_credentials": True}
    with make_server(settings=settings) as running:
        yield running


def cross_origin_headers(answer: requests.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control-")}


def test_without_origins_no_page_may_read_anything(server: TestServer):
    url = server.url + "/v1/config"
    assert cross_origin_headers(requests.get(url, headers={"Origin": CONSOLE}, timeout=10)) == {}
    asked = requests.options(url, headers={"Origin": CONSOLE, **PREFLIGHT}, timeout=10)
    assert (asked.status_code, cross_origin_headers(asked)) == (405, {})


@pytest.mark.parametrize("origin", [CONSOLE, "http://localhost:3000"])
@pytest.mark.parametrize(("path", "status"), [("/v1/config", 200), ("/v1/namespaces/nowhere", 404)])
def test_a_named_page_may(console: TestServer, origin: str, path: str, status: int):
    answer = requests.get(console.url + path, headers={"Origin": origin}, timeout=10)
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        "https://console.example.com.evil.example",
        "https://evil.example",
        "http://console.example.com",
        "https://console.example.com:444",
        "https://CONSOLE.example.com",
        "null",
        "*",
        "",
    ],
)
def test_others_may_not(console: TestServer, origin: str):
    answer = requests.get(console.url + "/v1/config", headers={"Origin": origin}, timeout=10)
    assert (answer.status_code, cross_origin_headers(answer)) == (200, {})
    assert answer.headers["Vary"] == "Origin"
    asked = requests.options(console.url + "/v1/config", headers={"Origin": origin, **PREFLIGHT}, timeout=10)
    assert (asked.status_code, cross_origin_headers(asked)) == (405, {})


@pytest.mark.parametrize("path", ["/v1/namespaces", "/v1/oauth/tokens", "/management/v1/warehouses"])
def test_a_preflight_needs_no_credential(console: TestServer, path: str):
    asked = requests.options(console.url + path, headers={"Origin": CONSOLE, **PREFLIGHT}, timeout=10)
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["Access-Control-Allow-Origin"] == CONSOLE
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    assert asked.headers["Access-Control-Max-Age"] == "600"
    assert asked.headers["X-Request-ID"]


def test_every_page_without_credentials(make_server: MakeServer):
    with make_server(settings={"server.cors_origins": "*", "server.workers": 1}) as running:
        answer = requests.get(
            running.url + "/v1/config", headers={"Origin": "https://any.example"}, timeout=10
        )
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
