"""The process that runs jobs: claims due rows, says that it lives, retries with growing pauses."""

import os
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue

from app.config import JobsSettings
from app.db import Database
from app.errors import ServiceError
from app.jobs.queue import Job, JobFailed, JobInterrupted
from app.observability.logs import get_logger

log = get_logger(__name__)

Handler = Callable[[Job], str | None]
"""Does the work of one kind; returns what people should read about it. Runs in a thread of its own."""

_MAX_MESSAGE = 2000


class Worker:
    """Runs the jobs of the kinds in ``handlers``.

    :param periods: seconds between the runs of a periodic kind, which needs a handler too; over all nodes a kind
        runs once at a time, first at once
    :param concurrency: jobs at the same time
    """

    def __init__(
        self,
        db: Database,
        settings: JobsSettings,
        handlers: Mapping[str, Handler],
        periods: Mapping[str, float] | None = None,
        concurrency: int = 4,
    ) -> None:
        self._db = db
        self._settings = settings
        self._handlers = dict(handlers)
        self._periods = dict(periods or {})
        self._concurrency = concurrency
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._running: dict[threading.Thread, Job] = {}
        self._stopping = False
        # put() may be called by a signal handler, which Event.set() may not.
        self._wake: SimpleQueue[None] = SimpleQueue()

    def run(self) -> None:
        """Run jobs until :meth:`stop`; on return the running ones have ended or are handed back."""
        ended = threading.Event()
        heart = threading.Thread(target=self._beat, args=(ended,), name="heartbeat")
        heart.start()
        try:
            next_upkeep = 0.0
            while not self._stopping:
                if time.monotonic() >= next_upkeep:
                    next_upkeep = time.monotonic() + self._settings.heartbeat_interval
                    self._guarded(self._keep_up)
                if len(self._running) >= self._concurrency or not self._guarded(self._start_job):
                    self._pause()
        finally:
            self._stopping = True
            for thread in list(self._running):
                thread.join()
            ended.set()
            heart.join()

    def stop(self) -> None:
        """Make :meth:`run` end soon. Safe in signal handlers."""
        self._stopping = True
        self._wake.put(None)

    def _pause(self) -> None:
        try:
            self._wake.get(timeout=self._settings.poll_interval)
        except Empty:
            return

    def _guarded(self, step: Callable[[], bool]) -> bool:
        try:
            return step()
        except ServiceError as error:
            log.warning("jobs wait for the database", error=error.message)
            return False

    def _keep_up(self) -> bool:
        """Take over what dead workers left, and see that every periodic kind has its next row."""
        dead = self._db.fetch_all(
            "release_dead_jobs",
            lease_timeout=self._settings.lease_timeout,
            max_attempts=self._settings.max_attempts,
        )
        for row in dead:
            log.warning("job of a dead worker", job=row.id, kind=row.kind, status=row.status)
        for kind, period in self._periods.items():
            self._db.execute("schedule_job", kind=kind, period=period)
        return True

    def _start_job(self) -> bool:
        """Claim a due job and start it; False when there is none."""
        row = self._db.fetch_one("claim_job", owner=self._owner, kinds=list(self._handlers))
        if row is None:
            return False
        job = Job.from_row(self._db, self._owner, row, lambda: self._stopping)
        thread = threading.Thread(target=self._run_job, args=(job,), name=f"job-{job.id}")
        self._running[thread] = job
        thread.start()
        return True

    def _run_job(self, job: Job) -> None:
        try:
            self._guarded(lambda: self._attempt(job))
        finally:
            del self._running[threading.current_thread()]
            self._wake.put(None)

    def _attempt(self, job: Job) -> bool:
        started = time.monotonic()
        try:
            message = self._handlers[job.kind](job)
        except JobInterrupted:
            return job.hand_back()
        except JobFailed as error:
            log.error("job failed", job=job.id, kind=job.kind, attempts=job.attempts, error=error)
            return self._finish(job, "failed", str(error))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the row must say so
            return self._give_up(job, error)
        kept = self._finish(job, "completed", message)
        log.info("job completed", job=job.id, kind=job.kind, seconds=round(time.monotonic() - started, 3))
        return kept

    def _give_up(self, job: Job, error: Exception) -> bool:
        text = error.message if isinstance(error, ServiceError) else f"{type(error).__name__}: {error}"
        if job.attempts < self._settings.max_attempts:
            delay = self._delay(job.attempts)
            log.warning("job will be retried", job=job.id, kind=job.kind, delay=round(delay, 3), error=error)
            return job.retry(text[:_MAX_MESSAGE], delay)
        log.error("job failed", job=job.id, kind=job.kind, attempts=job.attempts, error=error)
        return self._finish(job, "failed", text)

    def _finish(self, job: Job, status: str, message: str | None) -> bool:
        return job.finish(status, message and message[:_MAX_MESSAGE], self._periods.get(job.kind))

    def _delay(self, attempts: int) -> float:
        """Seconds before the next attempt: doubled each time, up to a limit, with jitter."""
        longest = min(
            self._settings.max_retry_delay, self._settings.retry_delay * 2.0 ** min(attempts - 1, 60)
        )
        return random.uniform(longest / 2, longest)  # noqa: S311 - jitter, not a secret

    def _beat(self, ended: threading.Event) -> None:
        while not ended.wait(self._settings.heartbeat_interval):
            self._guarded(self._beat_once)

    def _beat_once(self) -> bool:
        jobs = list(self._running.values())
        if jobs:
            rows = self._db.fetch_all("beat_jobs", ids=[job.id for job in jobs], owner=self._owner)
            ours = {row.id for row in rows}
            for job in jobs:
                job.lost = job.lost or job.id not in ours
        return True
