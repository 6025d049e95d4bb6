"""The durable queue on a real PostgreSQL: one owner at a time, retries, takeovers, periods, and a clean stop."""

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.config import JobsSettings, Settings
from app.db import Database
from app.errors import NotFoundException
from app.jobs import Job, Worker, enqueue
from app.jobs.queue import delete_finished
from tests.support.postgres import DatabaseAddress
from tests.support.process import eventually

ROOT = Path(__file__).parents[2]
QUICK = JobsSettings(
    poll_interval=0.02,
    heartbeat_interval=0.1,
    lease_timeout=1.0,
    max_attempts=3,
    retry_delay=0.05,
    max_retry_delay=0.2,
)


@pytest.fixture
def db(database: DatabaseAddress) -> Iterator[Database]:
    settings = Settings.load(environ=database.environment())
    connected = Database(settings, pool_size=4)
    yield connected
    connected.close()


def put(db: Database, kind: str, **payload: Any) -> int:
    with db.transaction() as tx:
        return enqueue(tx, kind, payload)


@contextmanager
def working(worker: Worker) -> Iterator[Worker]:
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(10)
    assert not thread.is_alive()


Look = Callable[[int], dict[str, Any]]


@pytest.fixture
def look(database: DatabaseAddress) -> Look:
    def read(job_id: int) -> dict[str, Any]:
        columns = ("status", "attempts", "message", "progress", "owner", "finished_at")
        rows = database.query(f"SELECT {', '.join(columns)} FROM jobs WHERE id = %s", job_id)
        return dict(zip(columns, rows[0], strict=True))

    return read


def test_a_job_runs_once_with_its_payload(db: Database, look: Look) -> None:
    seen = []

    def handler(job: Job) -> str:
        seen.append(job.payload)
        job.report(done=3)
        return "all done"

    job_id = put(db, "a", number=10**30, text="ü\N{SNOWMAN}")
    with working(Worker(db, QUICK, {"a": handler})):
        eventually(lambda: look(job_id)["status"] == "completed", 5, "the job is completed")
    assert seen == [{"number": 10**30, "text": "ü\N{SNOWMAN}"}]
    found = look(job_id)
    assert (found["message"], found["progress"], found["attempts"]) == ("all done", {"done": 3}, 1)
    assert found["owner"] is None
    assert found["finished_at"] is not None


def test_a_job_of_a_rolled_back_transaction_does_not_exist(db: Database, database: DatabaseAddress) -> None:
    def enqueue_and_raise() -> None:
        with db.transaction() as tx:
            enqueue(tx, "a", {})
            raise NotFoundException("no")

    with pytest.raises(NotFoundException):
        enqueue_and_raise()
    assert database.query("SELECT count(*) FROM jobs") == [(0,)]


def test_a_kind_without_a_handler_is_left_for_others(db: Database, look: Look) -> None:
    other, mine = put(db, "other"), put(db, "mine")
    with working(Worker(db, QUICK, {"mine": lambda job: None})):
        eventually(lambda: look(mine)["status"] == "completed", 5, "the job is completed")
    assert look(other)["status"] == "queued"


def test_many_workers_never_run_the_same_job(db: Database, database: DatabaseAddress) -> None:
    seen: list[int] = []
    ids = [put(db, "a") for _ in range(60)]
    workers = [Worker(db, QUICK, {"a": lambda job: seen.append(job.id)}, concurrency=2) for _ in range(3)]
    with working(workers[0]), working(workers[1]), working(workers[2]):
        unfinished = "SELECT count(*) FROM jobs WHERE status <> 'completed'"
        eventually(lambda: database.query(unfinished) == [(0,)], 20, "all jobs are completed")
    assert sorted(seen) == ids


def test_a_failing_job_is_retried_and_then_failed_with_its_reason(db: Database, look: Look) -> None:
    outcomes: list[Exception] = [ValueError("first"), NotFoundException("second"), NotFoundException("third")]
    messages = []

    def handler(job: Job) -> None:
        messages.append(look(job.id)["message"])
        raise outcomes[job.attempts - 1]

    job_id = put(db, "a")
    with working(Worker(db, QUICK, {"a": handler})):
        eventually(lambda: look(job_id)["status"] == "failed", 10, "the job failed")
    assert messages == [None, "ValueError: first", "second"]
    assert (look(job_id)["attempts"], look(job_id)["message"]) == (3, "third")


def test_a_job_succeeds_at_a_later_attempt_and_sees_its_progress(db: Database, look: Look) -> None:
    def handler(job: Job) -> str:
        if job.attempts == 1:
            job.report(step=1)
            raise ValueError("once")
        return f"went on from {job.progress['step']}"

    job_id = put(db, "a")
    with working(Worker(db, QUICK, {"a": handler})):
        eventually(lambda: look(job_id)["status"] == "completed", 5, "the job is completed")
    assert look(job_id)["message"] == "went on from 1"


@pytest.mark.parametrize("attempts", [1, 2, 5, 2000])
def test_pauses_double_up_to_the_limit(db: Database, attempts: int) -> None:
    settings = replace(QUICK, retry_delay=1.0, max_retry_delay=10.0)
    expected = min(10.0, 2.0 ** min(attempts - 1, 60))
    delays = [Worker(db, settings, {})._delay(attempts) for _ in range(50)]
    assert all(expected / 2 <= delay <= expected for delay in delays)
    assert len(set(delays)) > 1


def test_a_stopping_worker_hands_its_job_back(db: Database, look: Look) -> None:
    started = threading.Event()

    def endless(job: Job) -> None:
        started.set()
        while True:
            job.report(alive=True)

    job_id = put(db, "a")
    with working(Worker(db, QUICK, {"a": endless})):
        assert started.wait(5)
    found = look(job_id)
    assert (found["status"], found["attempts"], found["owner"]) == ("queued", 0, None)
    with working(Worker(db, QUICK, {"a": lambda job: "again"})):
        eventually(lambda: look(job_id)["message"] == "again", 5, "another worker has run it")


def test_a_heartbeat_keeps_a_long_job(db: Database, look: Look) -> None:
    release = threading.Event()
    runs = []

    def slow(job: Job) -> None:
        runs.append(job.attempts)
        release.wait(10)

    job_id = put(db, "a")
    with working(Worker(db, QUICK, {"a": slow})), working(Worker(db, QUICK, {"a": slow})):
        eventually(lambda: look(job_id)["status"] == "running", 5, "the job runs")
        release.wait(2.5 * QUICK.lease_timeout)
        release.set()
        eventually(lambda: look(job_id)["status"] == "completed", 5, "the job is completed")
    assert runs == [1]


def test_a_job_of_a_killed_worker_is_taken_over(db: Database, database: DatabaseAddress, look: Look) -> None:
    script = """
        import os, time
        from app.config import JobsSettings, Settings
        from app.db import Database
        from app.jobs import Worker
        settings = JobsSettings(poll_interval=0.02, heartbeat_interval=0.1)
        db = Database(Settings.load(environ=os.environ), pool_size=2)
        Worker(db, settings, {"a": lambda job: time.sleep(60)}).run()
    """
    job_id = put(db, "a")
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=ROOT,
        env={**os.environ, **database.environment()},
    )
    try:
        eventually(lambda: look(job_id)["status"] == "running", 20, "the job runs")
    finally:
        process.kill()
        process.wait()
    with working(Worker(db, QUICK, {"a": lambda job: f"attempt {job.attempts}"})):
        eventually(lambda: look(job_id)["status"] == "completed", 10, "the job is taken over")
    assert look(job_id)["message"] == "attempt 2"


def test_a_job_that_kills_its_workers_fails_in_the_end(
    db: Database, database: DatabaseAddress, look: Look
) -> None:
    job_id = put(db, "a")
    database.query(
        "UPDATE jobs SET status = 'running', owner = 'dead', attempts = 3, heartbeat_at = now() - interval '1 hour'"
    )
    with working(Worker(db, QUICK, {})):
        eventually(lambda: look(job_id)["status"] == "failed", 5, "the job failed")
    assert look(job_id)["message"] == "Attempt 3 ended without a word from its worker (dead)"


def test_a_worker_that_lost_its_job_writes_nothing(
    db: Database, database: DatabaseAddress, look: Look
) -> None:
    started, release, ended = threading.Event(), threading.Event(), threading.Event()

    def handler(job: Job) -> None:
        started.set()
        release.wait(10)
        try:
            job.report(stale=True)
        finally:
            ended.set()

    job_id = put(db, "a")
    with working(Worker(db, QUICK, {"a": handler})):
        assert started.wait(5)
        database.query("UPDATE jobs SET owner = 'another', attempts = 2")
        release.set()
        assert ended.wait(5)
    found = look(job_id)
    assert (found["status"], found["owner"], found["attempts"], found["progress"]) == (
        "running",
        "another",
        2,
        None,
    )


def test_a_periodic_kind_runs_again_and_again_but_once_at_a_time(
    db: Database, database: DatabaseAddress
) -> None:
    def handlers() -> Worker:
        return Worker(db, QUICK, {"tick": lambda job: None}, periods={"tick": 0.3})

    ended = "SELECT count(*) FROM jobs WHERE kind = 'tick' AND status = 'completed'"
    with working(handlers()), working(handlers()):
        eventually(lambda: database.query(ended)[0][0] >= 3, 10, "it ran three times")
    rows = database.query("SELECT started_at, finished_at FROM jobs WHERE status = 'completed' ORDER BY id")
    gaps = [(later[0] - earlier[1]).total_seconds() for earlier, later in pairwise(rows)]
    assert all(gap >= 0.3 for gap in gaps), gaps
    assert database.query("SELECT count(*) FROM jobs WHERE status = 'queued'") == [(1,)]


def test_a_periodic_kind_that_fails_is_due_again(db: Database, database: DatabaseAddress) -> None:
    def fail(job: Job) -> None:
        raise ValueError("no")

    settings = replace(QUICK, max_attempts=1)
    with working(Worker(db, settings, {"tick": fail}, periods={"tick": 0.05})):
        failed = "SELECT count(*) FROM jobs WHERE status = 'failed'"
        eventually(lambda: database.query(failed)[0][0] >= 2, 10, "it failed twice")


def test_finished_rows_are_deleted_after_their_time(db: Database, database: DatabaseAddress) -> None:
    for status in ("completed", "failed", "queued"):
        put(db, status)
        database.query(
            "UPDATE jobs SET status = kind, finished_at = now() - interval '1 hour' WHERE kind = %s", status
        )
    assert delete_finished(db, 7200) == 0
    assert delete_finished(db, 1800) == 2
    assert database.query("SELECT status FROM jobs") == [("queued",)]


def test_work_goes_on_when_the_database_was_away(db: Database, database: DatabaseAddress, look: Look) -> None:
    with working(Worker(db, QUICK, {"a": lambda job: None})):
        database.query(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        job_id = put(db, "a")
        eventually(lambda: look(job_id)["status"] == "completed", 5, "the job is completed")
