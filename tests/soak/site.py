"""What is soaked: PostgreSQL, two nodes and nginx before them."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.nginx import nginx_before
from tests.support.postgres import DatabaseAddress, Postgres
from tests.support.proc import command_line, parent
from tests.support.process import eventually
from tests.support.server import Client, TestServer
from tests.support.warehouses import LocalWarehouse

NODES = 2
SETTINGS = {
    "server.trusted_proxies": "127.0.0.1",
    "jobs.heartbeat_interval": "1s",
    "jobs.lease_timeout": "5s",
    "cache.max_bytes": "2MiB",  # full in the first round: what grows then is no memory of answers
}
# Of the pool, of each worker's own, of the jobs process.
CONNECTIONS = NODES * (20 + 2 * 2 + 6)
OURS = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'bingsan%%'"""
UNDER_WAY = "iceberg_catalog_http_requests_in_progress"


@dataclass
class Site:
    """``url`` is nginx's."""

    postgres: Postgres
    database: DatabaseAddress
    warehouse: LocalWarehouse
    nodes: list[TestServer]
    url: str

    def leaks(self) -> list[str]:
        """Return what nodes that nobody asks for anything must not hold."""
        faults = self.nodes[0].faults_at_rest() + [
            fault for node in self.nodes[1:] for fault in node.faults_at_rest()
        ]
        faults += [
            f"{count:g} requests under way" for node in self.nodes if (count := node.metric(UNDER_WAY))
        ]
        ((connections,),) = self.database.query(OURS)
        return faults + [f"{connections} connections to the database"] * (connections > CONNECTIONS)

    def processes(self) -> dict[int, str]:
        """Return all processes of the nodes, and what they are for."""
        return {pid: purpose(pid) for node in self.nodes for pid in node.pids()}

    def remembered(self) -> int:
        """Return how many bytes of answers all workers keep."""
        return round(sum(node.metric("bingsan_cache_bytes") for node in self.nodes))

    def forget(self, namespace: str) -> None:
        """Drop a namespace with all that is in it, and delete its files."""
        path = f"/management/v1/warehouses/default/namespaces/{namespace}"
        with Client(self.url) as client:
            answer = client.delete(f"{path}?recursive=true")
            assert answer.status_code == 202, answer.text
            job = f"/management/v1/jobs/{answer.json()['job-id']}"
            eventually(
                lambda: client.get(job).json()["status"] == "completed", 60, "the namespace is dropped"
            )
        for folder in self.warehouse.folder.rglob(namespace):
            shutil.rmtree(folder)


def purpose(pid: int) -> str:
    command = command_line(pid)
    if "gunicorn" in command:
        return "worker" if "gunicorn" in command_line(parent(pid)) else "master"
    return "jobs" if "app.cli jobs" in command else "supervisor"


def jobs_process(node: TestServer) -> int:
    (found,) = (pid for pid in node.pids() if "app.cli jobs" in command_line(pid))
    return found


def master(node: TestServer) -> int:
    return parent(node.workers()[0])


@contextmanager
def running_site() -> Iterator[Site]:
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(options=[]))
        database, warehouse = postgres.create_database(), LocalWarehouse()
        stack.callback(warehouse.remove)
        nodes = [
            stack.enter_context(TestServer(warehouse, database, settings=SETTINGS)) for _ in range(NODES)
        ]
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bingsan-nginx-")))
        ports = [node.port for node in nodes]
        url = stack.enter_context(nginx_before(ports, folder, rate=100_000))
        yield Site(postgres, database, warehouse, nodes, url)
