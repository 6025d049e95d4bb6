"""The product under test: its real command, on a free port, with a database and a warehouse of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urljoin

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.support.exchanges import Exchange, observed
from tests.support.postgres import DatabaseAddress
from tests.support.proc import is_alive, listening_inode, open_files, parent, session_members
from tests.support.process import SetupError, eventually, free_port, kill_session, start, stop
from tests.support.warehouses import Warehouse

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = {
    "serve": [sys.executable, "-m", "app.cli", "serve"],
    "gunicorn": [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:application"],
}
Settings = Mapping[str, object]
# The variable that says which way the servers of a run answer reads, where a test does not say it.
HOT_PATH = "BINGSAN_HOT_PATH"
HOT_WAY = {"server.hot_path": True}
# Asked before a server is stopped.
STOPPING: list[Callable[["TestServer"], None]] = []


def is_hot() -> bool:
    """Whether servers answer reads the hot way where their settings do not say it."""
    return os.environ.get(HOT_PATH, "") != "false"


class Outcome(NamedTuple):
    """What a command said at its end."""

    code: int
    out: str
    err: str


class Client(requests.Session):
    """A session whose paths are relative to the server."""

    def __init__(self, url: str, *, verify: Path | None = None) -> None:
        super().__init__()
        self.url = url
        self.trust_env = False
        self.verify = str(verify) if verify else True

    def request(self, method: str, path: str, *args: Any, **options: Any) -> requests.Response:
        options.setdefault("timeout", 60)
        answer = super().request(method, urljoin(self.url, path), *args, **options)
        observed(Exchange.of(answer))
        return answer


class TestServer:
    """One node. ``settings`` are dotted keys (``limits.max_columns``), ``env`` further variables.

    ``entry`` is ``serve`` (supervisor, workers, jobs process) or ``gunicorn`` (workers only). ``verify`` is the file of
    the authority behind its certificate, when it speaks TLS.
    """

    __test__ = False

    def __init__(
        self,
        warehouse: Warehouse,
        database: DatabaseAddress | None = None,
        *,
        entry: str = "serve",
        workers: int = 2,
        settings: Settings | None = None,
        env: Mapping[str, str] | None = None,
        verify: Path | None = None,
    ) -> None:
        self.warehouse, self.database, self.entry = warehouse, database, entry
        self.folder = Path(tempfile.mkdtemp(prefix="bingsan-server-"))
        self.folder.chmod(0o755)
        self.home = self.folder / "home"
        self.stdout, self.stderr = self.folder / "stdout", self.folder / "stderr"
        self.port = free_port()
        self.verify = verify
        self.url = f"{'https' if verify else 'http'}://127.0.0.1:{self.port}"
        self.settings: dict[str, object] = {"server.workers": workers, "jobs.poll_interval": "100ms"}
        self.settings |= settings or {}
        self.env = dict(env or {})
        self.process: subprocess.Popen[bytes] | None = None
        self.clients: list[Client] = []

    def __enter__(self) -> Self:
        self.start()
        try:
            return self.wait_ready()
        except BaseException:
            self.kill()
            self.remove()
            raise

    def __exit__(self, kind: type[BaseException] | None, *fault: object) -> None:
        try:
            self.stop()
            if kind is None:
                self.logs()
        finally:
            self.remove()

    def remove(self) -> None:
        """Close all clients and delete the node's own files; the warehouse stays."""
        self.close_clients()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """Return all variables of the process: none of the caller's own ICEBERG_* gets in, nor its figures' folder."""
        own = ("ICEBERG_", "PROMETHEUS_MULTIPROC_DIR")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        given = {
            "ICEBERG_HOME": str(self.home),
            "ICEBERG_SERVER_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
        }
        if hot_path := os.environ.get(HOT_PATH):
            given["ICEBERG_SERVER_HOT_PATH"] = hot_path
        database = self.database.environment() if self.database else {}
        settings = {variable(key): str(value) for key, value in self.settings.items()}
        return {**inherited, **given, **database, **self.warehouse.environment(), **settings, **self.env}

    def start(self, **settings: object) -> Self:
        """Start the entry command and return at once; ``settings`` (``__`` for dots) stay for restarts."""
        self.settings |= {key.replace("__", "."): value for key, value in settings.items()}
        self.process = start(
            ENTRIES[self.entry], self.stdout, errors=self.stderr, env=self.environment(), cwd=self.folder
        )
        return self

    def wait_ready(self, timeout: float = 60) -> Self:
        """Return when ``/ready`` answers 200."""
        with Client(self.url, verify=self.verify) as client:
            eventually(
                lambda: self.is_ready(client), timeout, f"{self.url}/ready is 200\n{self.last_words()}"
            )
        return self

    def is_ready(self, client: Client) -> bool:
        if not self.is_running():
            raise SetupError(
                f"the server ended with {self.process and self.process.poll()}:\n{self.last_words()}"
            )
        try:
            return client.get("/ready", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def last_words(self) -> str:
        """Return the end of all output, for messages."""
        texts = [path.read_text(errors="replace") for path in (self.stdout, self.stderr) if path.exists()]
        return "\n".join(text[-4000:] for text in texts)

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout: float = 40) -> int:
        """Send TERM (or ``how``), wait for the end and return the exit status; nothing may be left over."""
        if self.process is None:
            return 0
        for look in STOPPING:
            look(self)
        process, self.process = self.process, None
        members = session_members(process.pid)
        code = stop(process, how, timeout)
        eventually(
            lambda: not [pid for pid in members if is_alive(pid)], 10, "all processes of the server ended"
        )
        return code

    def kill(self) -> None:
        """KILL every process of the node at once: supervisor, workers, jobs, its own PostgreSQL."""
        assert self.process is not None, "the server was not started"
        process, self.process = self.process, None
        killed = kill_session(process.pid)
        process.wait()
        eventually(lambda: not [pid for pid in killed if is_alive(pid)], 10, "the killed processes are gone")

    def restart(self, **settings: object) -> Self:
        """Stop if running, then start with the same port, database, files and settings; wait until ready."""
        self.stop()
        return self.start(**settings).wait_ready()

    def client(self) -> Client:
        """Return an HTTP session; it is closed with the server."""
        self.clients.append(Client(self.url, verify=self.verify))
        return self.clients[-1]

    def close_clients(self) -> None:
        for client in self.clients:
            client.close()
        self.clients.clear()

    def logs(self) -> list[dict[str, Any]]:
        """Return the log so far; a line that is no JSON object is an error."""
        lines = []
        for path in (self.stdout, self.stderr):
            text = path.read_text()
            for line in filter(None, text.split("\n")):  # names may hold other line separators
                try:
                    lines.append(dict(json.loads(line)))
                except (ValueError, TypeError):
                    rest = text[text.index(line) :][:4000]
                    raise AssertionError(f"not a JSON log line in {path.name}: {rest}") from None
        return lines

    def metrics(self) -> dict[str, float]:
        """Return the samples of ``/metrics`` by their text form, e.g. ``x_total{method="GET"}``."""
        with Client(self.url, verify=self.verify) as client:
            answer = client.get("/metrics")
        assert answer.status_code == 200, answer.text
        samples = [
            sample for family in text_string_to_metric_families(answer.text) for sample in family.samples
        ]
        return {sample_name(sample.name, sample.labels): sample.value for sample in samples}

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of all samples called ``name`` that have these labels."""
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        parsed = (
            (key.partition("{")[0], set(re.findall(r'\w+="[^"]*"', key)), value)
            for key, value in self.metrics().items()
        )
        return sum(value for key, own, value in parsed if key == name and wanted <= own)

    def cli(self, *arguments: str, env: Mapping[str, str] | None = None, timeout: float = 60) -> Outcome:
        """Run ``bingsan ARGUMENTS`` with the server's environment."""
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", *arguments],
            env={**self.environment(), "BINGSAN_URL": self.url, **(env or {})},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def pids(self) -> list[int]:
        """Return all processes of the node."""
        return session_members(self.process.pid) if self.process else []

    def workers(self) -> list[int]:
        """Return the processes that share the listening socket, without their master."""
        listener = listening_inode(self.port)
        holders = [pid for pid in self.pids() if f"socket:[{listener}]" in open_files(pid)]
        return [pid for pid in holders if parent(pid) in holders]

    def faults_at_rest(self) -> list[str]:
        """Return what an idle server must not hold: transactions, locks, metadata files, deleted files."""
        faults = self.database.faults_at_rest() if self.database else []
        return faults + [
            f"process {pid} holds {name}"
            for pid in self.pids()
            for name in open_files(pid)
            if name.endswith(".metadata.json") or (name.endswith(" (deleted)") and "/home/" in name)
        ]


def variable(key: str) -> str:
    """Return the environment variable of a dotted key."""
    return "ICEBERG_" + key.replace(".", "_").upper()


def sample_name(name: str, labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inner}}}" if inner else name
