"""A node with its embedded database: start, ownership, every kind of death, and finding all data again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.cli.embedded.account import postgres_account
from app.cli.embedded.binaries import SHARED, Binaries, find_binaries, reachable
from app.cli.embedded.cluster import EmbeddedPostgres
from app.cli.embedded.layout import find_layout
from app.cli.embedded.postmaster import read_postmaster, servers_of
from app.cli.exits import CommandError
from app.cli.supervision.events import Events
from app.config import Settings
from tests.factories import create_table_request
from tests.support.proc import is_alive, open_files, session_members
from tests.support.process import eventually, send, start
from tests.support.server import ROOT, Client, TestServer
from tests.support.warehouses import LocalWarehouse

EMBEDDED = {"database.embedded": True}


@contextmanager
def embedded_node(workers: int = 1) -> Iterator[TestServer]:
    server = TestServer(LocalWarehouse(), settings=EMBEDDED, workers=workers)
    yield server
    try:
        server.stop()
    finally:
        eventually(lambda: not servers_of(server.home / "postgres/data"), 10, "no PostgreSQL is left")
        server.remove()
        server.warehouse.remove()


@pytest.fixture
def node() -> Iterator[TestServer]:
    """A node with an embedded database that is not started yet."""
    with embedded_node() as server:
        yield server


@pytest.fixture(scope="module")
def running() -> Iterator[TestServer]:
    """A running node for the tests that leave it running."""
    with embedded_node(workers=2) as server:
        yield server.start().wait_ready()


@pytest.fixture(scope="module")
def lasting() -> Iterator[TestServer]:
    """A node with a table for the tests that let it die and start it again."""
    with embedded_node() as server:
        server.start().wait_ready()
        create(server, "kept")
        yield server


def create(node: TestServer, name: str) -> None:
    with Client(node.url) as client:
        client.post("/v1/namespaces", json={"namespace": [name]}).raise_for_status()
        client.post(f"/v1/namespaces/{name}/tables", json=create_table_request("t")).raise_for_status()


def names(node: TestServer) -> set[str]:
    with Client(node.url) as client:
        found = client.get("/v1/namespaces").json()["namespaces"]
        for (name,) in found:
            client.get(f"/v1/namespaces/{name}/tables/t").raise_for_status()
    return {name for (name,) in found}


def programs(node: TestServer) -> dict[str, int]:
    """The supervisor and its direct children by what they run."""
    assert node.process is not None
    found = {"supervisor": node.process.pid}
    for pid in session_members(node.process.pid):
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        if parent == node.process.pid:
            for name, mark in (
                ("gunicorn", "gunicorn"),
                ("jobs", "app.cli jobs"),
                ("postgres", "/postgres "),
            ):
                if mark in command:
                    found[name] = pid
            if "watchdog.py" in command:
                found["watchdog"] = pid
    return found


def answers(node: TestServer) -> bool:
    with Client(node.url) as client:
        return client.get("/v1/namespaces").status_code == 200


def kill(pid: int) -> None:
    send(pid, signal.SIGKILL)


def test_a_stop_leaves_nothing_running_and_a_start_finds_everything(node: TestServer):
    """Also after a setup that was interrupted; systemd is told of the first start and stop."""
    unfinished = node.home / "postgres/data.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("15\n")
    with systemd(node) as manager:
        node.start()
        assert manager.recv(100) == b"READY=1"
        with Client(node.url) as client:
            assert client.get("/ready").status_code == 200
        assert not unfinished.exists()
        create(node, "kept")
        password = (node.home / "postgres.password").stat()
        assert password.st_mode & 0o777 == 0o600
        members = node.pids()
        assert node.stop(signal.SIGINT) == 0
        assert manager.recv(100) == b"STOPPING=1"
    assert not [pid for pid in members if is_alive(pid)]
    node.start().wait_ready()
    assert names(node) == {"kept"}


@contextmanager
def systemd(node: TestServer) -> Iterator[socket.socket]:
    """Where a node says how it is; it hears of the address when it is started."""
    address = str(node.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(60)
        node.env["NOTIFY_SOCKET"] = address
        yield manager
    del node.env["NOTIFY_SOCKET"]


def test_the_master_has_no_thread_and_no_socket_but_the_listener(running: TestServer):
    master = programs(running)["gunicorn"]
    assert len(list(Path(f"/proc/{master}/task").iterdir())) == 1
    assert len([name for name in open_files(master) if name.startswith("socket:")]) == 1


def test_a_second_owner_is_refused_by_name(running: TestServer):
    outcome = running.cli("serve", env={"ICEBERG_SERVER_PORT": "0"})
    assert outcome.code == 1
    assert f"is in use by process {running.process.pid}" in outcome.err
    assert answers(running)


def test_everything_ends_with_a_killed_supervisor_and_a_new_one_takes_over(lasting: TestServer):
    members = lasting.pids()
    kill(lasting.process.pid)
    lasting.process.wait()
    eventually(lambda: not [pid for pid in members if is_alive(pid)], 40, "all processes ended")
    lasting.start().wait_ready()
    assert names(lasting) == {"kept"}


@pytest.mark.parametrize("victim", ["gunicorn", "jobs", "postgres", "watchdog"])
def test_a_killed_part_is_started_again(running: TestServer, victim: str):
    create(running, f"before_{victim}")
    killed = eventually(lambda: programs(running).get(victim), 20, f"{victim} runs")
    kill(killed)
    eventually(lambda: programs(running).get(victim, killed) != killed, 20, f"a new {victim}")
    eventually(lambda: answers(running), 30, "requests are answered again")
    create(running, f"after_{victim}")
    assert {f"before_{victim}", f"after_{victim}"} <= names(running)


def test_a_surviving_database_is_adopted_and_stopped_at_the_end(lasting: TestServer):
    server = programs(lasting)["postgres"]
    others = [pid for pid in lasting.pids() if pid not in servers_of(lasting.home / "postgres/data")]
    for pid in others:
        send(pid, signal.SIGSTOP)
    for pid in others:
        kill(pid)
    lasting.process.wait()
    assert is_alive(server)
    lasting.start().wait_ready()
    assert read_postmaster(lasting.home / "postgres/data").pid == server
    assert any(line["msg"] == "adopting the running database" for line in lasting.logs())
    assert names(lasting) == {"kept"}
    lasting.stop()
    assert not is_alive(server)
    lasting.start().wait_ready()


def test_after_a_kill_of_everything_all_data_is_found(lasting: TestServer):
    """Also when the process id of the dead database is somebody's by now: here of this test."""
    stale = (lasting.home / "postgres/data/postmaster.pid").read_text().split("\n")
    lasting.kill()
    stale[0] = str(os.getpid())
    (lasting.home / "postgres/data/postmaster.pid").write_text("\n".join(stale))
    lasting.start().wait_ready()
    assert names(lasting) == {"kept"}
    lasting.kill()
    lasting.start().wait_ready()
    assert names(lasting) == {"kept"}


def test_a_stop_while_starting_ends_cleanly(node: TestServer):
    node.start()
    eventually(lambda: (node.home / "postgres").exists(), 20, "the database is being made")
    assert node.stop() == 0
    assert not node.logs()[-1]["msg"].startswith("process ended")


@pytest.mark.parametrize("name", ["long" * 30, "a, b"])
def test_a_path_that_no_socket_can_have_gets_another_socket_folder(node: TestServer, name: str):
    node.home = node.folder / name
    node.start().wait_ready()
    address = read_postmaster(node.home / "postgres/data")
    assert len(address.socket_folder) < 90
    assert Path(address.socket_folder).stat().st_mode & 0o777 == 0o700
    node.stop()
    assert not Path(address.socket_folder).exists()


def test_a_path_with_odd_characters(node: TestServer):
    node.home = node.folder / 'it\'s "half" 100% ä'
    node.start().wait_ready()
    create(node, "kept")
    node.restart()
    assert names(node) == {"kept"}


def test_commands_find_the_running_database(node: TestServer, running: TestServer):
    assert node.cli("migrate", "--check").code == 7
    assert running.cli("migrate", "--check").code == 0


def test_a_database_of_another_version_is_refused_before_anything_starts(node: TestServer):
    data = node.home / "postgres/data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("14\n")
    outcome = node.cli("serve")
    assert outcome.code == 1
    assert "made by PostgreSQL 14" in outcome.err
    assert "Install PostgreSQL 14 again" in outcome.err


def test_the_programs_of_the_recorded_version_are_used(node: TestServer):
    """A folder made with the wheel's version goes on with it, although the machine has another one."""
    account = postgres_account()
    wheel = find_binaries(account, 18)
    node.home.mkdir(mode=0o711)
    settings = Settings.load(environ={"ICEBERG_HOME": str(node.home), "ICEBERG_DATABASE_EMBEDDED": "true"})
    with Events() as events:
        database = EmbeddedPostgres(settings, events)
        database.binaries = wheel
        database.start()
        database.stop(0)
    assert find_layout(node.home, account).major() == 18
    node.start().wait_ready()
    create(node, "kept")
    node.restart()
    assert names(node) == {"kept"}


def test_no_programs_of_that_version():
    with pytest.raises(CommandError, match="made by PostgreSQL 9"):
        find_binaries(postgres_account(), 9)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to lend PostgreSQL another user")
def test_root_in_a_closed_folder_keeps_the_database_elsewhere(node: TestServer):
    node.folder.chmod(0o700)
    node.start().wait_ready()
    create(node, "kept")
    layout = find_layout(node.home, postgres_account())
    assert layout.elsewhere
    node.restart()
    assert names(node) == {"kept"}
    node.stop()
    shutil.rmtree(layout.root)


def start_as_nobody(node: TestServer) -> subprocess.Popen[bytes]:
    """The same command as another user, who may read the checkout wherever it lies."""
    capability = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    user = ["--reuid", "65534", "--regid", "65534", "--clear-groups"]
    command = ["setpriv", *user, *capability, sys.executable, "-m", "app.cli", "serve"]
    return start(command, node.stdout, errors=node.stderr, env=node.environment(), cwd=ROOT)


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests of this module run as a normal user already")
def test_a_normal_user_can_run_it(node: TestServer):
    for folder in (node.folder, node.warehouse.folder):
        os.chown(folder, 65534, 65534)
    node.process = start_as_nobody(node)
    node.wait_ready()
    create(node, "kept")
    assert (node.home / "postgres/data").stat().st_uid == 65534
    assert node.stop() == 0
    node.process = start_as_nobody(node)
    node.wait_ready()
    assert names(node) == {"kept"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to lend PostgreSQL another user")
def test_root_copies_programs_that_the_other_user_cannot_reach(tmp_path: Path):
    tmp_path.chmod(0o700)
    account = postgres_account()
    installed = find_binaries(account, 18).folder.parent
    package = installed.parent
    for part in (installed, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, tmp_path / part.relative_to(package.parent), symlinks=True)
    closed = Binaries(tmp_path / (installed / "bin").relative_to(package.parent), 18)
    assert not account.can_enter(closed.folder)
    copied = reachable(closed, account)
    try:
        shown = subprocess.run(
            [copied.postgres, "--version"], capture_output=True, text=True, **account.popen_options()
        )
        assert "18." in shown.stdout, shown.stderr
        assert reachable(closed, account) == copied
    finally:
        shutil.rmtree(next(parent for parent in copied.folder.parents if parent.parent == SHARED))


def test_a_hangup_that_was_ignored_at_the_start_stays_ignored():
    """As with nohup."""
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Events() as events:
            os.kill(os.getpid(), signal.SIGHUP)
            events.pause(0)
            assert events.signals == 0
    finally:
        signal.signal(signal.SIGHUP, previous)
