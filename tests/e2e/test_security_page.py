"""docs/security.md works as it is written: its configurations start, its commands run, its links lead somewhere."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.postgres import DatabaseAddress
from tests.support.process import require_program
from tests.support.server import ROOT, TestServer
from tests.support.warehouses import LocalWarehouse

PAGE = ROOT / "docs" / "security.md"
BLOCK = re.compile(r"^```(yaml|sh)\n(.*?)^```$", re.M | re.S)
PORT = ":8181"
IN_A_POD = "/var/run/secrets/kubernetes.io/serviceaccount/"  # files that are missing everywhere else
AUTH = "auth: {enabled: true, api_key: {enabled: true}}\n"


def sections() -> dict[str, str]:
    titled = re.split(r"^## (.*)\n", PAGE.read_text(), flags=re.M)[1:]
    return dict(zip(titled[::2], titled[1::2], strict=True))


def blocks(title: str, kind: str) -> list[str]:
    return [text for found, text in BLOCK.findall(sections()[title]) if found == kind]


WITH_CONFIGURATION = [title for title in sections() if blocks(title, "yaml")]


@contextmanager
def node_of(title: str, database: DatabaseAddress, *, more: str = "") -> Iterator[TestServer]:
    """A node that is configured as a section says, in a folder of its own."""
    for program in ("curl", "jq", "openssl"):
        require_program(program, program)
    node = TestServer(LocalWarehouse(), database)
    [configuration] = blocks(title, "yaml")
    (node.folder / "config.yaml").write_text(configuration + more)
    program = node.folder / "bin" / "bingsan"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m app.cli "$@"\n')
    program.chmod(0o755)
    (node.folder / "deployments").symlink_to(ROOT / "deployments")
    yield node
    node.stop()
    node.warehouse.remove()
    node.remove()


def run(node: TestServer, title: str, *, serving: bool) -> str:
    """Run the commands of a section in one shell; before the last block the node is started."""
    commands = blocks(title, "sh")
    prepared = commands[:-1] if serving else commands
    environment = node.environment()
    path = f"{node.folder / 'bin'}{os.pathsep}{environment['PATH']}"
    shell = subprocess.Popen(
        ["sh", "-eu"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=node.folder,
        env={**environment, "PATH": path},
    )
    assert shell.stdin is not None
    assert shell.stdout is not None
    shell.stdin.write("".join(prepared) + "echo prepared\n")
    shell.stdin.flush()
    said = ""
    while not said.endswith("prepared\n"):
        line = shell.stdout.readline()
        assert line, said
        said += line
    if serving:
        node.start().wait_ready()
        shell.stdin.write(commands[-1].replace(PORT, f":{node.port}"))
    rest, _ = shell.communicate(timeout=60)
    assert shell.returncode == 0, said + rest
    return rest


@pytest.mark.parametrize("title", WITH_CONFIGURATION)
def test_every_configuration_is_without_fault(title: str, database: DatabaseAddress) -> None:
    with node_of(title, database, more=AUTH if title == "TLS" else "") as node:
        if title not in {"API keys", "OAuth2"}:  # those prepare more than files, and are started below
            run(node, title, serving=False) if title != "TLS" else make_certificate(node)
        else:
            (node.folder / "signing.key").write_text("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
        given = "ICEBERG_STORAGE_TYPE", "ICEBERG_STORAGE_WAREHOUSE"  # left to the page where it names them
        own = dict.fromkeys(given, "") if "storage:" in blocks(title, "yaml")[0] else {}
        if title == "Secrets in files":
            own["ICEBERG_DATABASE_PASSWORD"] = ""
        outcome = node.cli("config", "check", env=own)
        faults = [line for line in outcome.err.splitlines() if IN_A_POD not in line]
        assert faults == []


def make_certificate(node: TestServer) -> None:
    subprocess.run(
        ["sh", "-eu", "-c", blocks("TLS", "sh")[0]], cwd=node.folder, check=True, capture_output=True
    )


def test_api_keys(database: DatabaseAddress) -> None:
    with node_of("API keys", database) as node:
        answers = run(node, "API keys", serving=True)
        assert '"namespaces":[]' in answers
        with node.client() as client:
            assert client.get("/v1/namespaces").status_code == 401


def test_oauth2(database: DatabaseAddress) -> None:
    with node_of("OAuth2", database) as node:
        assert '"access_token":"' in run(node, "OAuth2", serving=True)


def test_tls(database: DatabaseAddress) -> None:
    with node_of("TLS", database, more=AUTH) as node:
        node.settings["server.host"] = "127.0.0.1"  # a test opens no port to others
        node.verify = node.folder / "catalog.pem"
        node.url = node.url.replace("http://", "https://")
        assert run(node, "TLS", serving=True) == '{"status":"healthy"}'


def test_links_lead_somewhere() -> None:
    titles = {title.lower().replace(" ", "-") for title in sections()}
    for page in (PAGE, ROOT / "SECURITY.md"):
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            path, _, anchor = target.partition("#")
            if path.startswith("https://"):
                continue
            assert not path or (page.parent / path).exists(), target
            assert path or anchor in titles, target
