"""The example configuration for nginx, in a real nginx before a real server."""

import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.factories import create_table_request, unique_name
from tests.support.certificates import Authority
from tests.support.nginx import nginx_before
from tests.support.process import eventually
from tests.support.server import Client, TestServer


@pytest.fixture(scope="module")
def server(make_server: MakeServer) -> Iterator[TestServer]:
    """A server that believes what nginx says."""
    with make_server(settings={"server.trusted_proxies": "127.0.0.1"}) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """An HTTP session to nginx before the server."""
    with nginx_before([server.port], tmp_path_factory.mktemp("nginx")) as url, Client(url) as client:
        yield client


def test_names_arrive_as_they_were_sent(proxy: Client) -> None:
    parent, child = unique_name("über"), "a/b//c %25 ä+"
    for levels in ([parent], [parent, child]):
        assert proxy.post("/v1/namespaces", json={"namespace": levels}).status_code == 200
    loaded = proxy.get("/v1/namespaces/%C3%BC" + parent[1:] + "%1Fa%2Fb%2F%2Fc%20%2525%20%C3%A4%2B")
    assert loaded.status_code == 200, loaded.text
    assert loaded.json()["namespace"] == [parent, child]


def test_the_request_id_passes_both_ways(proxy: Client, server: TestServer) -> None:
    given = proxy.get("/v1/config", headers={"X-Request-ID": "from-the-client"})
    assert given.headers["X-Request-ID"] == "from-the-client"
    made = proxy.get("/v1/config").headers["X-Request-ID"]
    eventually(
        lambda: [x for x in server.logs() if x.get("request_id") == made], 10, "nginx's id is in the log"
    )


def test_large_bodies_pass(proxy: Client) -> None:
    namespace = unique_name("ns")
    assert proxy.post("/v1/namespaces", json={"namespace": [namespace]}).status_code == 200
    properties = {f"key{number}": "x" * 10_000 for number in range(300)}
    body = create_table_request("t", properties=properties)
    created = proxy.post(f"/v1/namespaces/{namespace}/tables", json=body)
    assert created.status_code == 200, created.text[:500]
    loaded = proxy.get(f"/v1/namespaces/{namespace}/tables/t")
    assert loaded.json()["metadata"]["properties"].items() >= properties.items()


def test_errors_keep_their_envelope(proxy: Client) -> None:
    answer = proxy.get("/v1/namespaces/nowhere")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "NoSuchNamespaceException"


def test_metrics_are_not_for_everybody(proxy: Client) -> None:
    assert proxy.get("/metrics").status_code == 404


def logged(server: TestServer, request_id: str) -> dict:
    [line] = eventually(
        lambda: [line for line in server.logs() if line.get("request_id") == request_id], 10, "its line"
    )
    return line


def test_the_client_is_whom_nginx_saw(proxy: Client, server: TestServer) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/x"}
    answer = proxy.get("/v1/config", headers=forged)
    assert logged(server, answer.headers["X-Request-ID"])["client_address"] == "127.0.0.1"
    assert "Strict-Transport-Security" not in answer.headers


def test_headers_are_not_doubled(proxy: Client) -> None:
    for path in ("/v1/config", "/v1/namespaces/nowhere", "/docs", "/health"):
        names = Counter(name.lower() for name in proxy.get(path, stream=True).raw.headers)
        assert set(names.values()) == {1}
        assert {"content-security-policy", "x-content-type-options", "referrer-policy"} <= set(names)
    assert proxy.get("/v1/config").headers["Server"] == "iceberg-catalog"


@pytest.mark.parametrize(
    ("length", "status", "kind"),
    [(9_000, 414, "UriTooLongException"), (8_000, 404, "NoSuchNamespaceException")],
)
def test_limits_of_urls_are_the_services_own(proxy: Client, length: int, status: int, kind: str) -> None:
    answer = proxy.get("/v1/namespaces/" + "%1F".join(["x" * 200] * (length // 203)))
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)


def test_limits_of_headers_are_the_services_own(proxy: Client) -> None:
    answer = proxy.get("/v1/config", headers={"X-Large": "x" * 12_000, "X-Larger": "x" * 8_000})
    assert (answer.status_code, answer.json()["error"]["type"]) == (
        431,
        "RequestHeaderFieldsTooLargeException",
    )


def test_a_body_above_the_limit_is_refused_in_the_envelope(proxy: Client) -> None:
    answer = proxy.post("/v1/namespaces", data=b" " * (64 * 2**20 + 1))
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "RequestTooLargeException")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_token_endpoint_is_limited_and_the_rest_goes_on(proxy: Client) -> None:
    form = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "wrong"}
    answers = [proxy.post("/v1/oauth/tokens", data=form) for _ in range(40)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 15 <= len(refused) <= 20
    assert refused[0].json()["error"] == "invalid_request"
    assert refused[0].headers["Retry-After"] == "1"
    assert proxy.post("/v1/oauth/tokens/", data=form).status_code == 429
    assert proxy.get("/v1/config").status_code == 200


def test_a_flood_is_answered_with_429(server: TestServer, tmp_path: Path) -> None:
    with nginx_before([server.port], tmp_path) as url:
        with ThreadPoolExecutor(4) as threads:
            answers = b"".join(threads.map(lambda _: flood(url), range(16)))
        refused = answers[answers.index(b" 429 ") :].partition(b"\r\n\r\n")
    assert b"Retry-After: 1" in refused[0]
    assert refused[2].startswith(b'{"error":{"message":"Too many requests')
    assert b" 200 OK" in answers


def flood(url: str) -> bytes:
    """Ask 500 times without waiting in between; all that comes back."""
    answers = b""
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=60) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n" * 499)
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while data := connection.recv(65536):
            answers += data
    return answers


def test_tls_ends_at_nginx(server: TestServer, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with (
        nginx_before([server.port], tmp_path, pair=authority.issue("catalog")) as url,
        Client(url, verify=authority.file) as client,
    ):
        answer = client.get("/v1/config")
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
