"""Processes die under load, at every step of a commit and at any time: nothing acknowledged is lost.

One node serves through all of it on local files; only when all of it is killed is it started again.
"""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.catalog.context import Catalog
from app.catalog.storages import WarehouseStorages
from app.catalog.sweep import delete_orphans, sweep
from app.config import Settings
from app.db import Database
from app.jobs import Job, enqueue
from app.storage.executor import DirectExecutor
from tests.conftest import MakeServer
from tests.factories import commit_request, create_table_request, set_properties
from tests.load import Load
from tests.load.rest import Rest
from tests.load.watch import Watch
from tests.support.postgres import DatabaseAddress
from tests.support.proc import NobodyListensError, command_line, is_alive, parent
from tests.support.process import eventually
from tests.support.server import Client, TestServer

# What a commit passes, in this order.
STEPS = (
    "commit.validated",
    "commit.read",
    "commit.prepared",
    "commit.file_written",
    "commit.files_written",
    "mutation.begin",
    "commit.swapped",
    "mutation.end",
    "commit.committed",
    "request.answered",
)
AFTERWARDS = "superseded.deleted"
CONNECTIONS = 20 + 2 * 2 + 6  # of the pool; of each worker's own; of the jobs process
# The change log of a test is as old as the test: this makes it reach back.
AGED = """INSERT INTO changes (
    at, commit_id, warehouse_id, action, object_kind, object_id, namespace, principal, request_id
)
VALUES (now() - interval '9 days', gen_random_uuid(), 1, 'none', 'namespace', 0, '{}', 'p', 'r')"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where failpoints are armed."""
    made = tmp_path_factory.mktemp("failpoints")
    made.chmod(0o777)
    return made


@pytest.fixture(scope="module")
def node(make_server: MakeServer, folder: Path) -> Iterator[TestServer]:
    points = ",".join(f"{step}=kill:{folder}" for step in (*STEPS, AFTERWARDS))
    settings = {
        "testing.enabled": True,
        "testing.failpoints": points,
        "jobs.heartbeat_interval": "200ms",
        "jobs.lease_timeout": "1s",
        "limits.max_request_body_size": "64KiB",
    }
    with make_server(settings=settings) as running:
        yield running


@contextmanager
def under_load(node: TestServer) -> Iterator[tuple[Load, Watch]]:
    """Run a load during the block, and check afterwards what it has seen and what is left of it."""
    database = database_of(node)
    with Watch(node.url) as watch:
        with Load([node.url], node.warehouse) as load:
            load.flows()
            yield load, watch
            load.flows()
            load.goes_on(20)
        watch.says(200)
    print(load.history)
    load.verify(database)
    assert len(load.orphans(database)) <= load.unknown()
    rest = Rest(node, CONNECTIONS)
    eventually(lambda: not rest.leaks(), 30, "nothing is left over", interval=0.2)


def database_of(node: TestServer) -> DatabaseAddress:
    assert node.database is not None
    return node.database


def kill_at(folder: Path, step: str) -> None:
    """Have the next process that comes by killed, and return when that has happened."""
    killed = folder / f"{step}.killed"
    killed.unlink(missing_ok=True)
    (folder / f"{step}.armed").touch()
    eventually(killed.exists, 60, f"somebody is killed at {step}")


def test_a_worker_dies_at_each_step_of_a_commit(node: TestServer, folder: Path) -> None:
    """The other worker goes on, a new one takes its place; what is left of it is swept up."""
    with under_load(node) as (load, _):
        for step in STEPS:
            kill_at(folder, step)
            load.goes_on(3)
    left = load.orphans(database_of(node))
    assert left
    sweep_up(node)
    assert load.orphans(database_of(node)) == set()
    load.verify(database_of(node))


def sweep_up(node: TestServer) -> None:
    """Do what the jobs process does days later, for files of today."""
    database_of(node).query(AGED)
    settings = Settings.load(environ=node.environment())
    settings = replace(settings, sweep=replace(settings.sweep, grace_period=0.0))
    db = Database(settings, pool_size=1)
    catalog = Catalog(settings, db, WarehouseStorages(settings), DirectExecutor())
    sweep(catalog, job(db, {}))
    jobs = "DELETE FROM jobs WHERE kind = 'delete-orphans' RETURNING payload"
    for (payload,) in database_of(node).query(jobs):
        delete_orphans(catalog, job(db, payload))
    db.close()
    database_of(node).query("DELETE FROM changes WHERE action = 'none'")


def job(db: Database, payload: dict[str, object]) -> Job:
    """A job that no other process takes."""
    with db.transaction() as tx:
        enqueue(tx, "by-hand", payload)
    row = db.fetch_one("claim_job", owner="test", kinds=["by-hand"])
    return Job.from_row(db, "test", row, lambda: False)


def test_old_metadata_files_go_although_the_jobs_process_dies(node: TestServer, folder: Path) -> None:
    client = node.client()
    client.post("/v1/namespaces", json={"namespace": ["old"]}).raise_for_status()
    properties = {
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "1",
    }
    request = create_table_request("t", properties=properties)
    client.post("/v1/namespaces/old/tables", json=request).raise_for_status()
    path = "/v1/namespaces/old/tables/t"

    def commit(number: int) -> str:
        answer = client.post(path, json=commit_request(set_properties(number=str(number))))
        assert answer.status_code == 200, answer.text
        return answer.json()["metadata-location"]

    (folder / f"{AFTERWARDS}.armed").touch()
    named = [commit(number) for number in range(6)]
    eventually((folder / f"{AFTERWARDS}.killed").exists, 60, "the jobs process is killed after a file")
    inside = Path(named[-1].removeprefix("file://")).parent
    wanted = {Path(location).name for location in named[-2:]}
    eventually(
        lambda: {path.name for path in inside.iterdir()} == wanted,
        60,
        "only what the metadata log names is left",
    )


def test_processes_die_at_any_time(node: TestServer) -> None:
    """A worker, gunicorn's master, the jobs process, and at last all at once."""
    with under_load(node) as (load, _):
        for victim in (a_worker, the_master, the_jobs_process):
            before = node.workers()
            os.kill(pid := victim(node), signal.SIGKILL)
            eventually(lambda pid=pid: not is_alive(pid), 30, "it is dead")
            eventually(lambda: has_workers(node), 60, "there are two workers")
            load.flows()
            assert victim is the_jobs_process or set(node.workers()) != set(before)
        node.kill()
        load.goes_on(0)
        node.start().wait_ready()


def a_worker(node: TestServer) -> int:
    return node.workers()[0]


def the_master(node: TestServer) -> int:
    return parent(node.workers()[0])


def the_jobs_process(node: TestServer) -> int:
    (pid,) = [pid for pid in node.pids() if command_line(pid).rstrip().endswith(" jobs")]
    return pid


def has_workers(node: TestServer) -> bool:
    """Whether all workers are there; while the master is gone nobody may listen."""
    try:
        return len(node.workers()) == 2
    except NobodyListensError:
        return False


TOO_LARGE = {
    413: ("POST", "/v1/namespaces", {"data": b'{"namespace": ["' + b"x" * 70_000 + b'"]}'}),
    414: ("GET", f"/v1/namespaces/{'x' * 9000}", {}),
    431: ("GET", "/v1/config", {"headers": {f"X-{number}": "x" * 900 for number in range(30)}}),
    400: ("POST", "/v1/namespaces", {"json": {"namespace": ["x" * 300]}}),
}


def test_requests_larger_than_limits_disturb_nobody(node: TestServer) -> None:
    """Each is refused by what is wrong with it, and everybody else is answered as if nothing were."""

    def send(number: int) -> tuple[int, int]:
        expected = list(TOO_LARGE)[number % len(TOO_LARGE)]
        method, path, options = TOO_LARGE[expected]
        with Client(node.url) as client:
            return expected, client.request(method, path, **options).status_code

    with under_load(node) as (load, watch), ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(200)))
        assert watch.silent() == []
    assert [answer for answer in answers if answer[0] != answer[1]] == []
    fine = {"200", "204", "304", "404", "409", "CommitFailedException"}
    assert {status for _, status in load.history.answers} <= fine, load.history
