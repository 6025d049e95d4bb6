"""Waiting requests hold nothing that others need, and workers share nothing but the listening socket."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.conftest import MakeServer
from tests.factories import create_table_request, unique_name
from tests.support.minio import Minio
from tests.support.proc import open_files
from tests.support.process import eventually
from tests.support.proxy import Proxy
from tests.support.server import Client, TestServer
from tests.support.warehouses import S3Warehouse

CROWD = 200
REFUSALS = {409, 429, 503}  # nothing was applied, and the server knows it
PATIENCE = 4.0  # half of storage.deadline: who is held up waits longer


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    """Enough threads for every request of the crowd."""
    with ThreadPoolExecutor(CROWD) as pool:
        yield pool


def make_tables(server: TestServer, names: list[str]) -> str:
    """Create tables in a new namespace and return its path."""
    space = unique_name("ns")
    with Client(server.url) as client:
        assert client.post("/v1/namespaces", json={"namespace": [space]}).status_code == 200
        for name in names:
            answer = client.post(f"/v1/namespaces/{space}/tables", json=create_table_request(name))
            assert answer.status_code == 200, answer.text
    return f"/v1/namespaces/{space}/tables"


def commit(server: TestServer, path: str, key: str) -> int:
    update = {"action": "set-properties", "updates": {key: "1"}}
    with Client(server.url) as client:
        return client.post(path, json={"requirements": [], "updates": [update]}).status_code


def assert_others_are_served(server: TestServer, path: str) -> None:
    """GETs of another table and of /ready are 200, and quick, on every worker (each try is a new connection)."""
    for _ in range(10):
        for asked in (path, "/ready", "/health"):
            began = time.monotonic()
            with Client(server.url) as client:
                answer = client.get(asked)
            assert answer.status_code == 200, (asked, answer.text)
            assert time.monotonic() - began < PATIENCE, asked


def test_storage_that_never_answers_stops_only_those_who_need_it(
    make_server: MakeServer, minio: Minio, crowd: ThreadPoolExecutor
) -> None:
    with Proxy(minio.port) as proxy:
        warehouse = S3Warehouse(minio, minio.create_bucket("frozen"), "w")
        endpoint = f"http://127.0.0.1:{proxy.port}"
        names = [f"t{number}" for number in range(20)]
        with make_server(
            warehouse, settings={"storage.deadline": "8s"}, env={"ICEBERG_STORAGE_S3_ENDPOINT": endpoint}
        ) as server:
            tables = make_tables(server, [*names, "other"])
            with proxy.frozen():
                waiting = [
                    crowd.submit(commit, server, f"{tables}/{names[number % len(names)]}", f"k{number}")
                    for number in range(CROWD)
                ]
                while not all(future.done() for future in waiting):
                    assert_others_are_served(server, f"{tables}/other")
            answers = Counter(future.result() for future in waiting)
            assert set(answers) <= REFUSALS, (
                answers,
                [line for line in server.logs() if line.get("status") == 500][:3],
            )
            eventually(lambda: commit(server, f"{tables}/t0", "late") == 200, 20, "commits work again")


def test_many_commits_on_one_table(server: TestServer, crowd: ThreadPoolExecutor) -> None:
    tables = make_tables(server, ["busy", "other"])
    waiting = [crowd.submit(commit, server, f"{tables}/busy", f"k{number}") for number in range(CROWD)]
    while not all(future.done() for future in waiting):
        assert_others_are_served(server, f"{tables}/other")

    answers = Counter(future.result() for future in waiting)
    assert set(answers) <= {200, 409, 429}, answers
    with Client(server.url) as client:
        properties = client.get(f"{tables}/busy").json()["metadata"]["properties"]
    committed = {f"k{number}" for number, future in enumerate(waiting) if future.result() == 200}
    assert committed == {key for key in properties if key.startswith("k")}
    assert len(committed) > CROWD / 4, answers


def test_workers_share_only_the_listening_socket(server: TestServer) -> None:
    make_tables(server, ["t"])
    workers = server.workers()
    assert len(workers) == 2
    own = [{name for name in open_files(pid) if name.startswith("socket:")} for pid in workers]
    assert len(own[0] & own[1]) == 1
    assert len(own[0]) > 1


def test_no_warning_about_late_patching(make_server: MakeServer) -> None:
    with make_server() as server:
        make_tables(server, ["t"])
        said = server.stdout.read_text() + server.stderr.read_text()
        assert "MonkeyPatchWarning" not in said
        assert "Traceback" not in said


def test_crowd_leaves_no_connection_behind(make_server: MakeServer, crowd: ThreadPoolExecutor) -> None:
    """The limit is the node's; make_server itself checks that none is left at the end."""
    with make_server(settings={"database.max_open_conns": 4}) as server:
        tables = make_tables(server, ["t"])
        done = threading.Event()
        futures: list[Future[None]] = [
            crowd.submit(read_until, server, f"{tables}/t", done) for _ in range(40)
        ]
        counted = [len(server.database.query(CONNECTIONS, server.database.name)) for _ in range(20)]
        done.set()
        for future in futures:
            future.result()
        assert max(counted) <= 4 + 2


# The workers' and their probes': neither the database's own (autovacuum) nor those of this test, which linger.
CONNECTIONS = """SELECT pid FROM pg_stat_activity
WHERE datname = %s AND backend_type = 'client backend' AND application_name IN ('bingsan', 'bingsan probe')"""


def read_until(server: TestServer, path: str, done: threading.Event) -> None:
    with Client(server.url) as client:
        while not done.is_set():
            assert client.get(path).status_code == 200
