"""A real nginx with the example configuration, before one node or several."""

import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.certificates import Pair
from tests.support.process import eventually, free_port, require_program, start, stop
from tests.support.server import ROOT

EXAMPLE = ROOT / "deployments" / "nginx" / "bingsan.conf"
SED = ["sed", "-e", "/listen 80;/d", "-e", "s/#tls //"]  # as the example says
NODE = "    server 127.0.0.1:8181 max_fails=0;"
RATE = "zone=bingsan_api:10m    rate=200r/s;"
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


@contextmanager
def nginx_before(
    ports: Sequence[int], folder: Path, *, pair: Pair | None = None, rate: int | None = None
) -> Iterator[str]:
    """The URL of an nginx with the example before the nodes on ``ports``.

    Only addresses and names of files are replaced in it, and with ``rate`` how many requests per second an address may
    send.
    """
    nginx = require_program("nginx", "nginx-light", "nginx")
    folder.chmod(0o755)
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""  # its worker writes into the folder of the test
    (folder / "bingsan.conf").write_text(adapted(ports, port, pair, rate))
    (folder / "nginx.conf").write_text(FRAME.format(folder=folder, user=user))
    subprocess.run([nginx, "-t", "-c", folder / "nginx.conf", "-p", folder], check=True, capture_output=True)
    process = start([nginx, "-c", folder / "nginx.conf", "-p", folder], folder / "log")
    try:
        eventually(lambda: socket.create_connection(("127.0.0.1", port)).close() is None, 20, "nginx listens")
        yield f"{'https' if pair else 'http'}://127.0.0.1:{port}"
    finally:
        stop(process)


def adapted(ports: Sequence[int], port: int, pair: Pair | None, rate: int | None) -> str:
    """Return the example for this machine."""
    example = EXAMPLE.read_text()
    replaced = {"    listen 80;": f"    listen 127.0.0.1:{port};"}
    if pair:
        example = subprocess.run([*SED, EXAMPLE], capture_output=True, text=True, check=True).stdout
        replaced = {
            "    listen 443 ssl;": f"    listen 127.0.0.1:{port} ssl;",
            "/etc/ssl/certs/catalog.pem": str(pair.cert),
            "/etc/ssl/private/catalog.key": str(pair.key),
        }
    replaced[NODE] = "\n".join(NODE.replace("8181", str(node)) for node in ports)
    if rate:
        replaced[RATE] = RATE.replace("200r/s", f"{rate}r/s")
    for old, new in replaced.items():
        assert example.count(old) == 1, old
        example = example.replace(old, new)
    return example
