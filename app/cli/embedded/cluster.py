"""Making, starting, adopting and stopping the embedded server."""

import dataclasses
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from app.cli.embedded import watchdog
from app.cli.embedded.account import Account, postgres_account
from app.cli.embedded.binaries import Binaries, find_binaries
from app.cli.embedded.layout import Layout, find_layout
from app.cli.embedded.postmaster import Postmaster, read_postmaster, servers_of
from app.cli.exits import UNREACHABLE, CommandError
from app.cli.supervision.children import Child, adopted_child, start_child
from app.cli.supervision.events import Events
from app.config import Settings
from app.observability.logs import get_logger

USER, DATABASE = "iceberg", "iceberg_catalog"
log = get_logger("postgres")
_PORT = 5432  # of the socket's name only
_START_SECONDS = 120.0
_LEFTOVER_SECONDS = 15.0
_BESIDE_POOL = 2  # connections of a worker: one asks whether the database is there, one what was committed
_SPARE_CONNECTIONS = 20


class EmbeddedPostgres:
    """The server of one ``home``. All waiting goes through ``events``, so that a stop signal ends it."""

    def __init__(self, settings: Settings, events: Events) -> None:
        self._settings = settings
        self._events = events
        self.account: Account = postgres_account()
        self.layout: Layout = find_layout(Path(settings.home), self.account)
        self.binaries: Binaries | None = None
        self.child: Child | None = None
        self.watchdog: Child | None = None
        self.address: Postmaster | None = None

    def start(self) -> None:
        """Have a server that accepts connections: the survivor of a killed supervisor, or a new one."""
        self.begin()
        self.wait_until_ready()

    def begin(self) -> None:
        """Start it without waiting; its address is known from now on."""
        if self.layout.major() is None:
            self._initialise()
        self._programs()
        if not self.layout.password.is_file():
            raise CommandError(f"the password of the embedded database is missing: {self.layout.password}")
        if not self._adopt():
            self._launch()
        self.guard()

    def guard(self) -> None:
        """Start the process that stops the server should this one be killed."""
        assert self.child is not None
        descriptor = str(self.child.descriptor)
        self.watchdog = start_child(
            "watchdog",
            [sys.executable, "-I", "-S", watchdog.__file__, descriptor],
            stdin=subprocess.PIPE,
            pass_fds=[self.child.descriptor],
        )

    def settings(self) -> Settings:
        """The node's settings with the address of this server."""
        assert self.address is not None
        return with_address(self._settings, self.layout, self.address)

    def stop(self, deadline: float) -> None:
        """Fast shutdown: sessions end, nothing is lost; harder when it takes longer than ``deadline``."""
        if self.child is None:
            return
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self.child.send(how)
            self._events.wait_for_end([self.child], max(deadline - time.monotonic(), 1.0))
            if self.child.ended:
                break
        if self.watchdog:
            self._events.wait_for_end([self.watchdog], 2.0)
        self._remove_temporary_socket_folder()

    def _remove_temporary_socket_folder(self) -> None:
        if self.address and not Path(self.address.socket_folder).is_relative_to(self.layout.root):
            shutil.rmtree(self.address.socket_folder, ignore_errors=True)

    def _programs(self) -> Binaries:
        self.binaries = self.binaries or find_binaries(self.account, self.layout.major())
        return self.binaries

    def _initialise(self) -> None:
        """Make the data folder beside its place and move it there when it is complete."""
        layout, programs = self.layout, self._programs()
        log.info("making the embedded database", folder=str(layout.data), version=programs.major)
        layout.root.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.rmtree(layout.unfinished, ignore_errors=True)
        layout.unfinished.mkdir(mode=0o700)
        self.account.own(layout.unfinished)
        password = secrets.token_urlsafe(32)
        layout.password.unlink(missing_ok=True)
        layout.password.touch(mode=0o600)
        layout.password.write_text(password)
        handed_over = layout.root / "initial.password"
        handed_over.unlink(missing_ok=True)
        handed_over.touch(mode=0o600)
        handed_over.write_text(password)
        self.account.own(handed_over)
        try:
            options = ["-A", "scram-sha-256", "--pwfile", str(handed_over), "-E", "UTF8", "--locale=C", "-N"]
            self._run([programs.initdb, "-D", layout.unfinished, "-U", USER, *options])
        finally:
            handed_over.unlink()
        create = f"CREATE DATABASE {DATABASE}\n"
        self._run([programs.postgres, "--single", "-D", layout.unfinished, "postgres"], create)
        os.sync()  # one flush of everything instead of initdb's thousand
        layout.unfinished.rename(layout.data)

    def _run(self, command: list[str | Path], text: str = "") -> None:
        with self.layout.output.open("wb") as output:
            child = start_child(
                "initdb",
                [str(part) for part in command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd="/",
                **self.account.popen_options(),
            )
            child.write(text.encode())
            try:
                self._events.wait_for_end([child], _START_SECONDS)
            finally:
                child.kill()
        if child.exit_code != 0:
            raise CommandError(f"PostgreSQL cannot be set up: {self._last_words()}")

    def _last_words(self) -> str:
        logs = sorted(self.layout.data.glob("log/*.log"), key=lambda path: path.stat().st_mtime)
        texts = [path.read_text(errors="replace") for path in (self.layout.output, *logs[-1:])]
        return "\n".join(texts)[-2000:].strip()

    def _adopt(self) -> bool:
        """Take over a server that runs already, once it is ready; false when nothing is left of the last
        one."""
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while pids := servers_of(self.layout.data):
            running = read_postmaster(self.layout.data)
            if running and running.status == "ready":
                try:
                    self.child, self.address = adopted_child("postgres", running.pid), running
                except ProcessLookupError:
                    continue
                log.info("adopting the running database", pid=running.pid)
                return True
            if time.monotonic() > deadline:
                raise CommandError(f"a PostgreSQL on {self.layout.data} neither starts nor ends: {pids}")
            self._events.pause(0.02)
        # A dead server's file may name a process that is now somebody else's, or that nobody has reaped yet.
        (self.layout.data / "postmaster.pid").unlink(missing_ok=True)
        return False

    def _launch(self) -> None:
        layout, folder = self.layout, self.layout.new_socket_folder(self.account)
        options = self._options(folder)
        command = [self._programs().postgres, "-D", str(layout.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with layout.output.open("wb") as output:
            self.child = start_child(
                "postgres", command, stdout=output, stderr=output, cwd="/", **self.account.popen_options()
            )
        self.address = Postmaster(self.child.pid, _PORT, str(folder), "starting")

    def wait_until_ready(self) -> None:
        """Raises ``CommandError`` with its last words if it ends instead."""
        assert self.child is not None
        deadline = time.monotonic() + _START_SECONDS
        while True:
            running = read_postmaster(self.layout.data)
            if running and running.status == "ready":
                return
            self._events.wait_for_end([self.child], 0.02)
            if self.child.ended or time.monotonic() > deadline:
                self.child.kill()
                raise CommandError(f"PostgreSQL does not start: {self._last_words()}")

    def _options(self, socket_folder: Path) -> dict[str, str | int]:
        """Only its own users reach it: no TCP, a private socket folder and a password."""
        return {
            "listen_addresses": "",
            "port": _PORT,
            "unix_socket_directories": '"{}"'.format(str(socket_folder).replace('"', '""')),
            "unix_socket_permissions": "0700",
            "max_connections": self._settings.database.max_open_conns
            + _BESIDE_POOL * self._settings.server.workers
            + _SPARE_CONNECTIONS,
            "logging_collector": "on",
            "log_directory": "log",
            "log_filename": "postgresql-%a.log",
            "log_rotation_age": "1d",
            "log_truncate_on_rotation": "on",
        }


def with_address(settings: Settings, layout: Layout, address: Postmaster) -> Settings:
    database = dataclasses.replace(
        settings.database,
        embedded=False,
        host=address.socket_folder,
        port=address.port,
        user=USER,
        password=layout.password.read_text(),
        database=DATABASE,
        ssl_mode="disable",
    )
    return dataclasses.replace(settings, database=database)


def connected_settings(settings: Settings) -> Settings:
    """The settings with the address of the running embedded server, if that is what they ask for.

    Raises ``CommandError`` with 7 when it does not run.
    """
    if not settings.database.embedded:
        return settings
    account = postgres_account()
    home = Path(settings.home)
    address = None
    if home.is_dir():
        layout = find_layout(home, account)
        address = read_postmaster(layout.data)
    if address is None:
        text = f"the embedded database of {home} is not running; `bingsan serve` starts it"
        raise CommandError(text, UNREACHABLE)
    return with_address(settings, layout, address)
