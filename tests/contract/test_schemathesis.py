"""Schemathesis asks all that the document offers, and what follows from it: every answer has to be documented."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import MakeServer
from tests.contract.calls import make_table, make_view, ok
from tests.contract.schemathesis_hooks import KNOWN
from tests.support.server import ROOT, Client, TestServer

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
SECONDS = 240
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "PYTHONPATH": str(ROOT),
    "NO_COLOR": "1",
    "SCHEMATHESIS_HOOKS": "tests.contract.schemathesis_hooks",
}


def furnish(server: TestServer) -> None:
    """Make what the hooks ask for, so that not everything is answered with 404."""
    with Client(server.url) as client:
        for namespace in KNOWN["namespace"]:
            ok(client.post("/v1/namespaces", json={"namespace": [namespace]}))
            for table, view in zip(KNOWN["table"], KNOWN["view"], strict=True):
                make_table(client, namespace, table)
                make_view(client, namespace, view)


def test_no_answer_that_is_not_documented(make_server: MakeServer, tmp_path: Path) -> None:
    """No 5xx, no undocumented status, no body or header that breaks its schema, no connection that breaks off."""
    with make_server() as server:
        furnish(server)
        done = subprocess.run(
            [
                *[sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)],
                *["run", f"{server.url}/openapi.json", "--url", server.url],
            ],
            cwd=tmp_path,
            env={**ENVIRONMENT, "HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout[-12000:]}\n{done.stderr[-2000:]}"
