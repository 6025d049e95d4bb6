"""Three nodes on one database behind nginx: restarts that nobody notices, and deaths that the others make good."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from app.catalog.maintenance import PERIODS
from tests.conftest import MakeNodes
from tests.contract.calls import make_namespace, make_table, ok
from tests.contract.holding import job_of, management_path
from tests.load import Load
from tests.support.nginx import nginx_before
from tests.support.nodes import Nodes
from tests.support.proc import NobodyListensError, listening_inode
from tests.support.process import eventually
from tests.support.server import Client, TestServer

BATCH = "namespace_drop.batch"
SETTINGS = {
    "server.trusted_proxies": "127.0.0.1",
    "jobs.heartbeat_interval": "100ms",
    "jobs.lease_timeout": "5s",
}
FINE = {"200", "204", "304", "404", "409", "CommitFailedException"}
ALL_DROPPED = "1 tables and views and 2 namespaces dropped"
READS = {"load", "exists", "list", "pyiceberg load"}


@dataclass
class Fleet:
    """``url`` is nginx's."""

    nodes: Nodes
    url: str

    @property
    def servers(self) -> tuple[TestServer, ...]:
        return self.nodes.servers

    def load(self) -> Load:
        return Load([self.url], self.servers[0].warehouse, http_clients=3)


@pytest.fixture(scope="module")
def fleet(make_nodes: MakeNodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with make_nodes(3, SETTINGS) as nodes:
        ports = [server.port for server in nodes.servers]
        with nginx_before(ports, tmp_path_factory.mktemp("nginx"), rate=10_000) as url:
            yield Fleet(nodes, url)


def failed(load: Load) -> Counter[tuple[str, str]]:
    """Return the answers that tell a client of a fault."""
    answers = load.history.answers.items()
    return Counter({key: count for key, count in answers if key[1] not in FINE})


@contextmanager
def running_job(fleet: Fleet, client: Client, root: str) -> Iterator[tuple[dict[str, int], TestServer]]:
    """A job that drops ``root`` and is stopped halfway for the time of the block; and the node that runs it."""
    with fleet.nodes.stopped_at(BATCH) as arrived:
        answer = ok(client.delete(f"{management_path(root)}?recursive=true"), 202)
        eventually(arrived, 15, "the first batch is dropped")
        (fleet.nodes.folder / f"{BATCH}.armed").unlink(missing_ok=True)
        ((owner,),) = fleet.nodes.database.query("SELECT owner FROM jobs WHERE id = %s", answer["job-id"])
        pid = int(owner.split(":")[-2])
        (server,) = (each for each in fleet.servers if pid in each.pids())
        yield answer, server


@pytest.fixture
def client(fleet: Fleet) -> Iterator[Client]:
    with Client(fleet.url) as session:
        yield session


@pytest.fixture
def tree(client: Client) -> str:
    """A namespace with a table and another namespace inside."""
    root = make_namespace(client)
    make_namespace(client, root)
    make_table(client, root)
    return root


def test_periodic_work_is_done_by_one_node_when_it_is_due(fleet: Fleet) -> None:
    database = fleet.nodes.database
    waiting = "SELECT count(*) FROM jobs WHERE period IS NOT NULL AND status = 'queued' AND kind = ANY(%s)"
    ended = "SELECT kind, count(*), max(attempts) FROM jobs WHERE status = 'completed' AND kind = ANY(%s) GROUP BY kind"
    kinds = list(PERIODS)

    def completed() -> dict[str, int]:
        rows = database.query(ended, kinds)
        assert {most for _, _, most in rows} <= {1}
        return {kind: count for kind, count, _ in rows}

    def have_run(times: int) -> bool:
        """All of them so often, and the next row of each waits for its time."""
        return set(completed().values()) == {times} and database.query(waiting, kinds) == [(len(kinds),)]

    eventually(lambda: have_run(1), 20, "everything periodic runs at first")
    for times in range(2, 7):
        database.query("UPDATE jobs SET run_at = now() WHERE status = 'queued' AND kind = ANY(%s)", kinds)
        eventually(partial(have_run, times), 20, "each kind has run once more, on whatever node")


def test_a_rolling_restart_is_noticed_by_nobody(fleet: Fleet, client: Client, tree: str) -> None:
    """No request fails, no connection breaks, no client has to ask twice; a job goes on elsewhere at once."""
    with fleet.load() as load:
        with running_job(fleet, client, tree) as (answer, first):
            load.flows()
            begin_stop(first)
        job = job_of(client, answer)
        restart(first)
        for server in fleet.servers:
            if server is not first:
                load.flows()
                begin_stop(server)
                restart(server)
        load.flows()
    load.verify(fleet.nodes.database)
    assert not failed(load), load.history
    assert not load.orphans(fleet.nodes.database)
    assert (job["status"], job["attempts"], job["message"]) == ("completed", 1, ALL_DROPPED), job


def begin_stop(server: TestServer) -> None:
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: not is_listening(server.port), 30, "the listeners are closed")


def is_listening(port: int) -> bool:
    try:
        return bool(listening_inode(port))
    except NobodyListensError:
        return False


def restart(server: TestServer) -> None:
    """Wait until what stops has ended, and start it again."""
    assert server.process is not None
    assert server.process.wait(40) == 0
    server.restart()


def test_a_node_s_death_fails_no_read_and_loses_nothing(fleet: Fleet, client: Client, tree: str) -> None:
    """What had been sent to it and may not be sent twice is all that fails; its job is taken over."""
    with fleet.load() as load:
        with running_job(fleet, client, tree) as (answer, server):
            load.flows()
            server.kill()
        load.flows()
        job = job_of(client, answer)
        server.start().wait_ready()
        load.flows()
    load.verify(fleet.nodes.database)
    assert not [key for key in failed(load) if key[0] in READS], load.history
    assert len(load.orphans(fleet.nodes.database)) <= load.unknown()
    assert (job["status"], job["attempts"], job["message"]) == ("completed", 2, ALL_DROPPED), job
