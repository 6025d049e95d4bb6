"""One node: the embedded database if asked for, migrations, gunicorn, the jobs process; their end in order."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable

from app.cli.embedded.cluster import EmbeddedPostgres
from app.cli.embedded.signing_key import with_signing_key
from app.cli.exits import CommandError
from app.cli.supervision.children import Child, start_child
from app.cli.supervision.environment import child_environment
from app.cli.supervision.events import Events, StopRequested
from app.cli.supervision.listener import Listener
from app.cli.supervision.notify import notify
from app.cli.supervision.restarts import Restarts
from app.config import Settings
from app.observability.logs import get_logger
from app.observability.state import build
from app.server.lifeline import GATE

log = get_logger("supervisor")

_READY_SECONDS = 60.0
_MIGRATE_SECONDS = 24 * 3600.0
# Beyond server.drain_timeout: the workers' own end, then gunicorn's.
_GUNICORN_EXTRA = 4.0
_JOBS_SECONDS = 3.0
_POSTGRES_SECONDS = 5.0
_HURRIED_SECONDS = 2.0


class Node:
    """``run`` blocks until a stop signal; everything it started has ended when it returns or raises."""

    def __init__(self, settings: Settings, events: Events, *, left_behind: bool) -> None:
        self.settings = settings
        self.left_behind = left_behind
        self.postgres: EmbeddedPostgres | None = None
        self.listener = Listener(settings, events)
        self._events = events
        self._gunicorn: Child | None = None
        self._jobs: Child | None = None
        self._restarts = {name: Restarts() for name in ("gunicorn", "jobs", "postgres")}
        self._jobs_due: float | None = None

    def run(self, announce: Callable[["Node"], None]) -> None:
        """Start everything, call ``announce`` once it is ready, and keep it running.

        Raises ``CommandError`` when a part does not start or keeps dying.
        """
        try:
            self._start()
            notify("READY=1")
            announce(self)
            while True:
                self._watch()
        except StopRequested:
            log.info("shutting down server...")
        finally:
            self._stop()
            log.info("server stopped")

    def _start(self) -> None:
        version, server = build().version, self.settings.server
        log.info("starting iceberg rest catalog", version=version, host=server.host, port=server.port)
        self.listener.open(patient=self.left_behind)
        if self.settings.database.embedded:
            self.postgres = EmbeddedPostgres(self.settings, self._events)
            self.postgres.begin()
            self.settings = with_signing_key(self.postgres.settings())
        # Both load their modules while PostgreSQL starts; each does nothing before it is told to go.
        migration = self._program("migrate", "app.cli", "migrate", gated=True)
        try:
            self._start_gunicorn(gated=True)
            if self.postgres:
                self.postgres.wait_until_ready()
            self._migrate(migration)
        finally:
            migration.kill()
        assert self._gunicorn is not None
        self._gunicorn.go()
        self._wait_until_ready()
        self._start_jobs()

    def _program(
        self, name: str, *arguments: str, gated: bool = False, pass_fds: tuple[int, ...] = ()
    ) -> Child:
        environment = child_environment(self.settings, self.listener.descriptor if pass_fds else None)
        if gated:
            environment[GATE] = "1"
        command = [sys.executable, "-m", *arguments]
        stdin = subprocess.PIPE if gated else subprocess.DEVNULL
        return start_child(name, command, env=environment, stdin=stdin, pass_fds=pass_fds)

    def _migrate(self, migration: Child) -> None:
        migration.go()
        self._events.wait_for_end([migration], _MIGRATE_SECONDS)
        if migration.exit_code:
            raise CommandError("", migration.exit_code)  # it said why

    def _start_gunicorn(self, *, gated: bool) -> None:
        arguments = ("gunicorn", "-c", "python:app.server.configuration", "wsgi:application")
        descriptors = (self.listener.descriptor,)
        self._gunicorn = self._program("gunicorn", *arguments, gated=gated, pass_fds=descriptors)
        self.listener.release()

    def _start_jobs(self) -> None:
        self._jobs_due = None
        self._jobs = self._program("jobs", "app.cli", "jobs")

    def _wait_until_ready(self) -> None:
        assert self._gunicorn is not None
        deadline = time.monotonic() + _READY_SECONDS
        while not self.listener.answers_ready():
            self._events.wait([self._gunicorn], 0.05)
            if self._gunicorn.ended:
                raise CommandError("the server does not start; its log says why")
            if time.monotonic() > deadline:
                raise CommandError(f"{self.listener.url}/ready does not answer 200")

    def _watch(self) -> None:
        """Wait for something to end, and start it again."""
        postgres = self.postgres
        guarded = [postgres.child, postgres.watchdog] if postgres else []
        children = [child for child in (self._gunicorn, self._jobs, *guarded) if child]
        wait = None if self._jobs_due is None else max(self._jobs_due - time.monotonic(), 0.0)
        for child in self._events.wait(children, wait):
            self._revive(child)
        if self._jobs_due is not None and time.monotonic() >= self._jobs_due:
            self._start_jobs()

    def _revive(self, child: Child) -> None:
        if child.name == "watchdog":
            assert self.postgres is not None
            self.postgres.guard()
            return
        log.error("process ended unexpectedly", process=child.name, pid=child.pid, exit_code=child.exit_code)
        restarts = self._restarts[child.name]
        restarts.note()
        if child.name == "jobs":
            self._jobs, self._jobs_due = None, time.monotonic() + restarts.pause
        elif restarts.hopeless:
            raise CommandError(f"{child.name} keeps ending; giving up")
        elif child.name == "postgres":
            assert self.postgres is not None
            self.postgres.start()
        else:
            self.listener.open(patient=True)
            self._start_gunicorn(gated=False)

    def _stop(self) -> None:
        """gunicorn drains while the jobs process hands back; then PostgreSQL. A second signal hurries."""
        events = self._events
        events.stopping()
        notify("STOPPING=1")
        self.listener.release()
        programs = [child for child in (self._gunicorn, self._jobs) if child]
        for child in programs:
            child.send(signal.SIGTERM)
        if self._gunicorn:
            limit = self.settings.server.drain_timeout + _GUNICORN_EXTRA
            if not events.wait_for_end([self._gunicorn], limit):
                log.warning("cutting what still runs")
                self._gunicorn.send(signal.SIGQUIT)
                events.wait_for_end([self._gunicorn], _HURRIED_SECONDS)
                self._gunicorn.kill()
        if self._jobs and not events.wait_for_end([self._jobs], _JOBS_SECONDS):
            self._jobs.kill()
        if self.postgres:
            self.postgres.stop(time.monotonic() + _POSTGRES_SECONDS)
