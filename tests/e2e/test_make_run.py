"""``make run`` as a person uses it: one screen, Ctrl-C, and everything there again the next time."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from app.cli.embedded.postmaster import servers_of
from tests.support.proc import is_alive, session_members
from tests.support.process import eventually, free_port, start
from tests.support.server import ROOT, Client

# The environment of the tests stands in for .venv: what `make run` installs is in it already.
MAKE = ["make", "-C", str(ROOT), "run", f"VENV={sys.prefix}", "-o", f"{sys.prefix}/.service"]


class Terminal:
    """``make run`` in a session of its own; what it prints goes to ``output``."""

    def __init__(self, **variables: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bingsan-make-"))
        self.folder.chmod(0o755)
        self.output = self.folder / "output"
        self.home = self.folder / "home"
        self.port = free_port()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ICEBERG_")}
        own = {"ICEBERG_HOME": str(self.home), "ICEBERG_SERVER_PORT": str(self.port)}
        self.environment = {**inherited, **own, **variables}
        self.process: subprocess.Popen[bytes] | None = None

    def run(self) -> float:
        """Start it and return the seconds until the screen was there."""
        began, self.output = time.monotonic(), self.folder / f"output{time.monotonic_ns()}"
        self.process = start(MAKE, self.output, env=self.environment)
        eventually(lambda: "Ctrl-C stops it" in self.text(), 60, "the screen")
        return time.monotonic() - began

    def text(self) -> str:
        return self.output.read_text()

    def press_ctrl_c(self) -> None:
        """SIGINT to the foreground process group, as a terminal sends it."""
        members = session_members(self.process.pid)
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(40)
        eventually(lambda: not [pid for pid in members if is_alive(pid)], 10, "all processes ended")


@pytest.fixture
def terminal():
    made = Terminal()
    yield made
    if made.process.poll() is None:
        made.press_ctrl_c()
    assert not servers_of(made.home / "postgres/data")
    shutil.rmtree(made.folder)


def test_make_run_shows_how_to_connect_and_keeps_everything(terminal: Terminal):
    terminal.run()
    screen = terminal.text().partition("is ready.")[2]
    url = f"http://127.0.0.1:{terminal.port}"
    assert f"URL         {url}" in screen
    assert f"file://{terminal.home}/warehouse" in screen
    assert f'load_catalog("bingsan", type="rest", uri="{url}")' in screen
    assert f"--conf spark.sql.catalog.bingsan.uri={url}" in screen
    assert re.search(r"PostgreSQL \d+ in ", screen)
    with Client(url) as client:
        client.post("/v1/namespaces", json={"namespace": ["kept"]}).raise_for_status()
    terminal.press_ctrl_c()
    terminal.run()
    with Client(url) as client:
        assert client.get("/v1/namespaces").json()["namespaces"] == [["kept"]]
    terminal.press_ctrl_c()
    assert "Traceback" not in terminal.text()


def test_make_run_uses_a_configured_database(terminal: Terminal, database):
    terminal.environment |= database.environment()
    terminal.run()
    assert f"{database.name} on 127.0.0.1:{database.port}" in terminal.text()
    assert not (terminal.home / "postgres").exists()
    terminal.press_ctrl_c()


def test_make_run_says_what_is_wrong_with_the_configuration(terminal: Terminal):
    done = subprocess.run(
        MAKE,
        env={**terminal.environment, "ICEBERG_SERVER_PORT": "99999"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "server.port: out of range (got '99999'" in done.stderr
    assert "Error 78" in done.stderr
    terminal.run()
