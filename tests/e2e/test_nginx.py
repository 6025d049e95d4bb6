"""The example configuration for nginx, in a real nginx before a real server."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.factories import create_table_request, unique_name
from tests.support.process import eventually, free_port, require_program, start, stop
from tests.support.server import ROOT, Client, TestServer

EXAMPLE = ROOT / "deployments" / "nginx" / "bingsan.conf"
FRAME = """
{user}
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/bingsan.conf;
}}
"""


@pytest.fixture(scope="module")
def proxy(server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """An HTTP session to nginx before the shared server; only the two addresses of the example are replaced."""
    nginx = require_program("nginx", "nginx-light", "nginx")
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""  # its worker writes into the folder of the test
    example = EXAMPLE.read_text()
    assert "listen 80;" in example
    assert "server 127.0.0.1:8181;" in example
    replaced = example.replace("listen 80;", f"listen 127.0.0.1:{port};")
    replaced = replaced.replace("server 127.0.0.1:8181;", f"server 127.0.0.1:{server.port};")
    (folder / "bingsan.conf").write_text(replaced)
    (folder / "nginx.conf").write_text(FRAME.format(folder=folder, user=user))
    subprocess.run([nginx, "-t", "-c", folder / "nginx.conf", "-p", folder], check=True, capture_output=True)
    process = start([nginx, "-c", folder / "nginx.conf", "-p", folder], folder / "log")
    with Client(f"http://127.0.0.1:{port}") as client:
        eventually(lambda: client.get("/health").status_code == 200, 20, "nginx answers")
        yield client
    stop(process)


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
