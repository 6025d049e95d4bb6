"""What gunicorn's hooks call: the node's start, a worker's begin and end, a worker's death."""

import os
import platform
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.observability import logs, multiprocess
from app.observability.exposition import Exposition
from app.observability.metrics import metrics
from app.observability.state import build

INTERVAL: Final = 0.2
SWITCH_INTERVAL: Final = 0.001
"""Seconds for which a computing thread may keep the interpreter from the event loop; Python's own 5 ms add up."""

LAST_SECONDS: Final = 2.0

exposition = Exposition(metrics)
_last_acts: list[Callable[[], None]] = []
log = logs.get_logger("metrics")


class Flusher:
    """Flushes the exposition every ``INTERVAL`` seconds: a greenlet where gevent has patched threads."""

    def __init__(self) -> None:
        self._stopped: threading.Event | None = None
        os.register_at_fork(after_in_child=self._forget)

    def start(self) -> None:
        if self._stopped is None:
            self._stopped = threading.Event()
            threading.Thread(target=self._run, args=[self._stopped], name="metrics", daemon=True).start()

    def stop(self) -> None:
        """End the thread; the caller flushes a last time."""
        if self._stopped is not None:
            self._stopped.set()
            self._stopped = None

    def _forget(self) -> None:
        self._stopped = None

    def _run(self, stopped: threading.Event) -> None:
        while not stopped.wait(INTERVAL):
            flush()


flusher = Flusher()


def flush() -> None:
    """Copy the figures out; a full or lost folder is said in the log, it does not end the caller."""
    try:
        exposition.flush()
    except OSError as error:
        log.warning("metrics not written", error=error)


def node_starting(home: Path) -> None:
    """In the master, before the first worker: an empty folder for the figures (gunicorn's
    ``on_starting``)."""
    multiprocess.prepare_folder(home)


def node_stopped() -> None:
    """In the master, after the last worker (gunicorn's ``on_exit``)."""
    multiprocess.release_folder()


def worker_started() -> None:
    """In a worker, once patched and loaded (gunicorn's ``post_worker_init``): begin to buffer and to
    flush."""
    multiprocess.ensure_folder()
    sys.setswitchinterval(SWITCH_INTERVAL)
    metrics.workers.set(1)
    metrics.worker_start_time.set(time.time())
    metrics.build_info.set(1, build().version, build().commit, platform.python_version())
    metrics.add_sampler(_count_dropped_lines)
    logs.writer.start()
    flusher.start()


def at_worker_stop(act: Callable[[], None]) -> None:
    """Have ``act`` called when the worker has answered its last request, beside the others.

    All of them have ``LAST_SECONDS``.
    """
    _last_acts.append(act)


def worker_stopped() -> None:
    """In a worker, at its end (gunicorn's ``worker_exit``): nothing counted or logged is lost."""
    _do_last_acts()
    flusher.stop()
    flush()
    logs.writer.close()


def _do_last_acts() -> None:
    threads = [threading.Thread(target=act, name="last act", daemon=True) for act in _last_acts]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + LAST_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def worker_died(pid: int) -> None:
    """In the master, after the worker ``pid`` ended (gunicorn's ``child_exit``): its counts stay, gauges
    go."""
    try:
        multiprocess.absorb_dead_process(pid)
    except (OSError, RuntimeError, ValueError) as error:
        log.warning("figures of a dead worker not merged", pid=pid, error=error)


def _count_dropped_lines() -> None:
    metrics.log_lines_dropped.values[()] = logs.writer.dropped
