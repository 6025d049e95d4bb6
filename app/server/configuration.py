"""gunicorn's configuration, taken from the same settings as everything else.

``gunicorn.conf.py`` and ``bingsan serve`` both load this module; its names are gunicorn's. A fault in the
configuration ends the process with 78 before a port is bound.
"""

import gc
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from app.config import ConfigurationError, Fault, Settings
from app.config.certificates import CHECKED, read_certificate
from app.observability import lifecycle, logs
from app.observability.state import ROOT, build
from app.server.ending import node_end
from app.server.lifeline import LISTENER, SUPERVISOR, end_with_parent, wait_for_go
from app.server.logger import JsonLogger
from app.server.worker import Worker

_LEVELS = {"warn": "warning"}


def load_settings() -> Settings:
    """The settings of a node; faults are printed and end the process."""
    os.environ.pop(CHECKED, None)  # the supervisor's check may be long ago
    try:
        loaded = Settings.load()
        if loaded.database.embedded:
            raise ConfigurationError([Fault("database.embedded", "needs `bingsan serve`", "true", "false")])
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there is no log yet
        sys.exit(error.exit_code)
    return loaded


def listen_address(settings: Settings) -> str:
    """The socket that the supervisor opened, else host and port."""
    if LISTENER in os.environ:
        return f"fd://{os.environ[LISTENER]}"
    host = f"[{settings.server.host}]" if ":" in settings.server.host else settings.server.host
    return f"{host}:{settings.server.port}"


def listening_at(listener: Any) -> str:
    """A listener as clients know it; gunicorn names IPv6 without regard to TLS."""
    return str(listener).replace("http://", "https://") if settings.server.tls.enabled else str(listener)


def raise_open_files() -> None:
    """As many descriptors as the hard limit allows: one per connection."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


settings = load_settings()
logs.set_level(settings.logging.level)
logs.capture_standard_logging()
Worker.settings = settings
if settings.server.tls.enabled:
    Worker.certificate = read_certificate(settings.server.tls)
    os.environ[CHECKED] = "1"  # what the workers fall back on has been read

bind = listen_address(settings)
worker_class = Worker
workers = settings.server.workers
if settings.server.tls.enabled:  # for the scheme only: the worker shakes hands itself
    certfile, keyfile = settings.server.tls.cert_file, settings.server.tls.key_file
worker_connections = settings.server.worker_connections
forwarded_allow_ips = ""  # the application judges what proxies say (app.observability.forwarding)
secure_scheme_headers: dict[str, str] = {}
keepalive = int(settings.server.keep_alive)
graceful_timeout = int(settings.server.drain_timeout) + 3
timeout = 60
backlog = 4096
preload_app = False
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = _LEVELS.get(settings.logging.level, settings.logging.level)
logger_class = JsonLogger
proc_name = "bingsan"


def migrate() -> None:
    """Bring the schema up to date in a child: the master itself opens no connection."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "app.cli", "migrate"]
    code = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False).returncode
    if code:
        sys.exit(code)


def on_starting(_arbiter: Any) -> None:
    """In the master, before it listens."""
    end_with_parent()
    wait_for_go()
    raise_open_files()
    for warning in settings.warnings:
        logs.get_logger("config").warning(warning)
    if SUPERVISOR not in os.environ:
        logs.get_logger("server").warning(
            "no jobs process belongs to this server; run `bingsan jobs` somewhere"
        )
        migrate()
    lifecycle.node_starting(Path(settings.home))


def when_ready(arbiter: Any) -> None:
    node_end.announce_at_stop_of(arbiter)
    addresses = ", ".join(listening_at(listener) for listener in arbiter.LISTENERS)
    secured = {"cert_file": settings.server.tls.cert_file} if settings.server.tls.enabled else {}
    logs.get_logger("server").info("server listening", address=addresses, version=build().version, **secured)


def post_fork(_arbiter: Any, worker: Any) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        # Until the worker has its own handlers it has the master's, which would forget the signal.
        signal.signal(number, lambda *_: os._exit(0))
    end_with_parent(worker.ppid)


def post_worker_init(_worker: Any) -> None:
    """In a worker that has loaded the application: what is there now stays, collections need not look."""
    lifecycle.worker_started()
    gc.collect()
    gc.freeze()


def worker_exit(_arbiter: Any, worker: Any) -> None:
    """In a worker, last of all; in the master for a worker that is gone already."""
    if worker.booted:
        lifecycle.worker_stopped()
        # Everything is written. The interpreter's own end would trip over what gevent replaced.
        os._exit(_exit_code(sys.exc_info()[1]))


def _exit_code(error: BaseException | None) -> int:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return int(error is not None)


def child_exit(_arbiter: Any, worker: Any) -> None:
    lifecycle.worker_died(worker.pid)


def on_exit(_arbiter: Any) -> None:
    lifecycle.node_stopped()
