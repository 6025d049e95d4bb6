"""At the edge of the service: whose request it is, and what every answer tells a browser."""

from collections import Counter

import pytest
import requests

from tests.conftest import MakeServer
from tests.e2e.test_drain import connect, read_until
from tests.support.identities import secured_settings
from tests.support.process import eventually
from tests.support.server import TestServer

POLICIES = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
FORGED = {
    "X-Forwarded-For": "203.0.113.9, 198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/catalog",
}


@pytest.fixture(scope="module")
def behind_proxy(make_server: MakeServer):
    with make_server(settings={"server.trusted_proxies": "127.0.0.0/8"}) as running:
        yield running


def logged_client(server: TestServer, path: str, **headers: str) -> str:
    """The address in the log line of a request."""
    answer = requests.get(server.url + path, headers=headers, timeout=10)
    request_id = answer.headers["X-Request-ID"]
    [line] = eventually(
        lambda: [line for line in server.logs() if line.get("request_id") == request_id], 10, "its line"
    )
    return line["client_address"]


@pytest.mark.parametrize("path", ["/v1/config", "/nowhere", "/" + "x" * 9000])
def test_forged_headers_are_ignored(server: TestServer, path: str):
    assert logged_client(server, path, **FORGED) == "127.0.0.1"


def test_a_proxy_that_nobody_named_is_told_of_once(make_server: MakeServer):
    with make_server(settings={"server.workers": 1}) as running:
        for _ in range(5):
            logged_client(running, "/v1/config", **FORGED)
        [warning] = [line for line in running.logs() if line["msg"].startswith("X-Forwarded-For is ignored")]
        assert (warning["level"], warning["address"]) == ("WARN", "127.0.0.1")


@pytest.mark.parametrize("path", ["/v1/config", "/nowhere"])
def test_a_trusted_proxy_names_the_client(behind_proxy: TestServer, path: str):
    assert logged_client(behind_proxy, path, **FORGED) == "198.51.100.7"
    assert logged_client(behind_proxy, path) == "127.0.0.1"


def test_also_of_what_never_reaches_the_application(behind_proxy: TestServer):
    with connect(behind_proxy) as connection:
        connection.sendall(
            b"POST /v1/namespaces HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n"
            b"X-Forwarded-For: 198.51.100.7\r\nX-Request-ID: refused\r\nContent-Length: 99999999999\r\n\r\n"
        )
        assert b" 413 " in read_until(connection, b"\r\n\r\n")
    [line] = eventually(
        lambda: [line for line in behind_proxy.logs() if line.get("request_id") == "refused"], 10, "its line"
    )
    assert line["client_address"] == "198.51.100.7"


def test_only_a_trusted_proxy_can_say_that_the_client_spoke_tls(server: TestServer, behind_proxy: TestServer):
    for running, header in ((server, None), (behind_proxy, "max-age=31536000")):
        answer = requests.get(running.url + "/v1/config", headers=FORGED, timeout=10)
        assert answer.status_code == 200
        assert answer.headers.get("Strict-Transport-Security") == header
    assert (
        "Strict-Transport-Security" not in requests.get(behind_proxy.url + "/v1/config", timeout=10).headers
    )


@pytest.mark.parametrize(
    "target", ["/v1/config", "/health", "/metrics", "/nowhere", "/v1/namespaces/nowhere", "/" + "x" * 9000]
)
def test_every_answer_has_the_security_headers_once(server: TestServer, target: str):
    with connect(server) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        head = read_until(connection, b"\r\n\r\n").partition(b"\r\n\r\n")[0].decode()
    pairs = [line.partition(": ")[::2] for line in head.split("\r\n")[1:]]
    assert {name.lower(): value for name, value in pairs}.items() >= POLICIES.items()
    assert set(Counter(name.lower() for name, _ in pairs).values()) == {1}
    assert dict(pairs)["Server"] == "iceberg-catalog"


def test_the_page_of_the_api_allows_what_it_needs_and_no_more(server: TestServer):
    answer = requests.get(server.url + "/docs", timeout=10)
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:" in policy
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_below_a_path_of_the_proxy(behind_proxy: TestServer):
    def servers(**headers: str) -> list[dict[str, str]]:
        return requests.get(behind_proxy.url + "/openapi.json", headers=headers, timeout=10).json()["servers"]

    assert servers(**FORGED) == [{"url": "/catalog"}]
    assert servers() == [{"url": "/"}]
    page = requests.get(behind_proxy.url + "/docs", headers=FORGED, timeout=10)
    assert 'href="docs/docs.css"' in page.text


@pytest.fixture(scope="module")
def figures(make_server: MakeServer):
    allowed = {"server.trusted_proxies": "127.0.0.1", "metrics.allowed_addresses": "192.0.2.0/24"}
    with make_server(settings=secured_settings() | allowed) as running:
        yield running


@pytest.mark.parametrize(
    ("address", "status"), [("127.0.0.1", 200), ("192.0.2.77", 200), ("203.0.113.9", 403), ("unknown", 200)]
)
def test_figures_are_for_this_machine_and_named_addresses(
    figures: TestServer, behind_proxy: TestServer, address: str, status: int
):
    given = {"X-Forwarded-For": address}
    assert requests.get(figures.url + "/metrics", headers=given, timeout=10).status_code == status
    assert requests.get(behind_proxy.url + "/metrics", headers=given, timeout=10).status_code == 200
