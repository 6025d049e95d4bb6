"""gunicorn's settings for the observed application: two gevent workers and the product's hooks."""

import os
from pathlib import Path
from typing import Any

from app.observability import lifecycle, logs
from app.server.logger import JsonLogger

wsgi_app = "tests.e2e.observed.application:application"
bind = [os.environ["OBSERVED_BIND"]]
worker_class = "gevent"
workers = 2
graceful_timeout = 5
control_socket_disable = True
logger_class = JsonLogger
logs.capture_standard_logging()


def on_starting(_server: Any) -> None:
    lifecycle.node_starting(Path(os.environ["OBSERVED_HOME"]))


def on_exit(_server: Any) -> None:
    lifecycle.node_stopped()


def post_worker_init(_worker: Any) -> None:
    lifecycle.worker_started()


def worker_exit(_server: Any, _worker: Any) -> None:
    lifecycle.worker_stopped()


def child_exit(_server: Any, worker: Any) -> None:
    lifecycle.worker_died(worker.pid)
