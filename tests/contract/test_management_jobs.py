"""Jobs as the management API shows them, and what happens to the drop of a namespace while it is under way."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.contract.calls import assert_error, make_namespace, make_table, namespace_path, no_content, ok
from tests.contract.holding import hasten, job_of, management_path
from tests.factories import create_table_request, unique_name
from tests.support.nodes import Nodes, hold_settings
from tests.support.proc import command_line, session_members
from tests.support.process import eventually, send
from tests.support.server import Client, TestServer

JOBS = "/management/v1/jobs"
BATCH = "namespace_drop.batch"
MEMBERS = {
    "id",
    "kind",
    "status",
    "attempts",
    "progress",
    "message",
    "created-at-ms",
    "started-at-ms",
    "finished-at-ms",
}


@pytest.fixture
def client(nodes: Nodes) -> Iterator[Client]:
    with Client(nodes.servers[0].url) as session:
        yield session


@pytest.fixture
def tree(client: Client) -> tuple[str, str]:
    """A namespace with a table, and one inside of it with another table."""
    return make_tree(client)


def make_tree(client: Client) -> tuple[str, str]:
    root = make_namespace(client)
    child = make_namespace(client, root)
    make_table(client, root, "outer")
    create_inside(client, root, child, name="inner")
    return root, child


def create_inside(client: Client, *levels: str, name: str) -> None:
    ok(client.post(f"{namespace_path(*levels)}/tables", json=create_table_request(name)))


def drop_tree(client: Client, root: str, query: str = "") -> dict[str, Any]:
    return ok(client.delete(f"{management_path(root)}?recursive=true{query}"), 202)


@contextmanager
def halfway(nodes: Nodes, client: Client, root: str) -> Iterator[dict[str, Any]]:
    """Drop a namespace, and have its job stopped for the time of the block when the inner table is gone."""
    with nodes.stopped_at(BATCH) as arrived:
        answer = drop_tree(client, root)
        eventually(arrived, 15, "the first batch is dropped")
        (nodes.folder / f"{BATCH}.armed").unlink(missing_ok=True)
        yield answer


def exists(client: Client, *levels: str, table: str) -> bool:
    return client.head(f"{namespace_path(*levels)}/tables/{table}").status_code == 204


def test_a_job_is_shown(client: Client, namespace: str) -> None:
    answer = drop_tree(client, namespace)
    job = job_of(client, answer)
    assert set(job) == MEMBERS
    assert job["kind"] == "drop-namespace"
    assert job["attempts"] == 1
    assert job["created-at-ms"] <= job["started-at-ms"] <= job["finished-at-ms"]
    listed = ok(client.get(JOBS))["jobs"]
    assert job in listed
    assert [each["id"] for each in listed] == sorted((each["id"] for each in listed), reverse=True)


@pytest.fixture
def namespace(client: Client) -> str:
    return make_namespace(client)


def test_pages_of_jobs(client: Client) -> None:
    for _ in range(5):
        job_of(client, drop_tree(client, make_namespace(client)))
    whole = [each["id"] for each in ok(client.get(JOBS))["jobs"]]
    found: list[int] = []
    token = ""
    while token is not None:
        page = ok(client.get(JOBS, params={"pageSize": 3, "pageToken": token}))
        found += [each["id"] for each in page["jobs"]]
        token = page["next-page-token"]
    # Others may have been added in front meanwhile.
    assert found[-len(whole) :] == whole or whole[-len(found) :] == found


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_unknown_jobs(client: Client, method: str) -> None:
    answer = client.request(method, f"{JOBS}/{2**62}")
    assert_error(answer, 404, "NotFoundException", f"Job does not exist: {2**62}")
    for text in ("x", "-1", "1.5", str(2**63)):
        answer = client.request(method, f"{JOBS}/{text}")
        assert_error(answer, 400, "BadRequestException", re.compile("Invalid id"))


def test_a_job_is_cancelled(nodes: Nodes, client: Client, tree: tuple[str, str]) -> None:
    """What it has dropped is gone, nothing else; to drop the rest somebody has to ask again."""
    root, child = tree
    with halfway(nodes, client, root) as answer:
        path = f"{JOBS}/{answer['job-id']}"
        assert ok(client.get(path))["status"] == "running"
        for _ in range(2):
            no_content(client.delete(path))
    job = ok(client.get(path))
    assert (job["status"], job["message"]) == ("cancelled", "Cancelled by anonymous")
    assert job["progress"] == {"tabulars": 1, "namespaces": 0}
    job = job_of(client, drop_tree(client, make_namespace(client)))
    assert job["status"] == "completed"
    assert exists(client, root, table="outer")
    assert not exists(client, root, child, table="inner")
    again = job_of(client, drop_tree(client, root))
    assert again["message"] == "1 tables and views and 2 namespaces dropped"


def test_a_cancelled_job_is_in_the_change_log(nodes: Nodes, client: Client, tree: tuple[str, str]) -> None:
    with halfway(nodes, client, tree[0]) as answer:
        marker = client.headers["X-Request-ID"] = unique_name("request")
        no_content(client.delete(f"{JOBS}/{answer['job-id']}"))
    query = "SELECT action, object_id, details::jsonb FROM changes WHERE request_id = %s"
    expected = [("job.cancelled", answer["job-id"], {"kind": "drop-namespace"})]
    assert nodes.database.query(query, marker) == expected


def test_what_has_ended_is_not_cancelled(client: Client, namespace: str) -> None:
    answer = drop_tree(client, namespace)
    job_of(client, answer)
    message = f"Job {answer['job-id']} has ended: it is completed"
    refused = client.delete(f"{JOBS}/{answer['job-id']}")
    assert_error(refused, 409, "ConflictException", message)


def test_upkeep_is_not_cancelled(nodes: Nodes, client: Client) -> None:
    query = "SELECT id FROM jobs WHERE kind = 'keep-jobs' AND status = 'queued'"
    eventually(lambda: nodes.database.query(query), 20, "the job has its next row")
    ((number,),) = nodes.database.query(query)
    message = f"Job {number} cannot be cancelled: keep-jobs comes again by itself"
    assert_error(client.delete(f"{JOBS}/{number}"), 409, "ConflictException", message)
    hasten(nodes.servers[0], "keep-jobs")


def test_what_is_created_meanwhile_stays(nodes: Nodes, client: Client, tree: tuple[str, str]) -> None:
    root, child = tree
    with halfway(nodes, client, root) as answer:
        create_inside(client, root, child, name="late")
    job = job_of(client, answer)
    assert job["status"] == "failed"
    assert job["message"] == (
        f"Namespace is not empty: {root}.{child}; something was created in it meanwhile, which stays"
    )
    assert job["attempts"] == 1
    assert exists(client, root, child, table="late")
    assert not exists(client, root, child, table="inner")
    assert job_of(client, drop_tree(client, root))["status"] == "completed"


@pytest.mark.parametrize("depth", [1, 2])
def test_a_namespace_that_is_created_meanwhile_stays(
    nodes: Nodes, client: Client, tree: tuple[str, str], depth: int
) -> None:
    parents = tree[:depth]
    with halfway(nodes, client, tree[0]) as answer:
        late = make_namespace(client, *parents)
    job = job_of(client, answer)
    texts = {
        1: f"Namespace was created meanwhile, which stays: {tree[0]}.{late}",
        2: f"Namespace is not empty: {'.'.join(tree)}; something was created in it meanwhile, which stays",
    }
    assert (job["status"], job["message"]) == ("failed", texts[depth])
    assert client.head(namespace_path(*parents, late)).status_code == 204


@pytest.mark.parametrize("what", ["table", "namespace"])
def test_what_is_protected_meanwhile_stops_it(
    nodes: Nodes, client: Client, tree: tuple[str, str], what: str
) -> None:
    root, _ = tree
    below = "/tables/outer" if what == "table" else ""
    with halfway(nodes, client, root) as answer:
        path = f"{management_path(root, below=below)}/protection"
        ok(client.put(path, json={"protected": True}))
    job = job_of(client, answer)
    name = f"Table is protected: {root}.outer" if what == "table" else f"Namespace is protected: {root}"
    assert job["status"] == "failed"
    assert job["message"].startswith(name)
    assert exists(client, root, table="outer") == (what == "table")
    assert client.head(namespace_path(root)).status_code == 204


def test_it_follows_a_rename(nodes: Nodes, client: Client, tree: tuple[str, str]) -> None:
    root, _ = tree
    new = unique_name("new")
    with halfway(nodes, client, root) as answer:
        no_content(client.post(management_path(root, below="/rename"), json={"destination": [new]}))
    job = job_of(client, answer)
    assert job["status"] == "completed", job
    assert job["message"] == "2 tables and views and 2 namespaces dropped"
    assert client.head(namespace_path(new)).status_code == 404


def test_what_others_drop_meanwhile(nodes: Nodes, client: Client, tree: tuple[str, str]) -> None:
    root, child = tree
    with halfway(nodes, client, root) as answer:
        no_content(client.delete(namespace_path(root, child)))
        no_content(client.delete(f"{namespace_path(root)}/tables/outer"))
        no_content(client.delete(namespace_path(root)))
    job = job_of(client, answer)
    assert (job["status"], job["progress"]) == ("completed", {"tabulars": 1, "namespaces": 0})


def test_two_at_once(nodes: Nodes, client: Client, tree: tuple[str, str]) -> None:
    root, _ = tree
    with halfway(nodes, client, root) as first:
        second = job_of(client, drop_tree(client, root))
    jobs = [second, job_of(client, first)]
    assert [job["status"] for job in jobs] == ["completed", "completed"]
    assert sum(job["progress"]["tabulars"] for job in jobs) == 2
    assert sum(job["progress"]["namespaces"] for job in jobs) == 2


def test_it_goes_on_after_a_kill(make_server: MakeServer, tmp_path: Path) -> None:
    """Nothing is counted or logged twice."""
    settings = {"jobs.lease_timeout": "1s", "jobs.heartbeat_interval": "100ms", **hold_settings(tmp_path)}
    with make_server(settings=settings) as server, Client(server.url) as client:
        nodes = Nodes(server, server, tmp_path)
        root, _ = make_tree(client)
        marker = client.headers["X-Request-ID"] = unique_name("request")
        with halfway(nodes, client, root) as answer:
            send(jobs_process(server), signal.SIGKILL)
        job = job_of(client, answer)
        assert (job["status"], job["attempts"]) == ("completed", 2), job
        assert job["message"] == "2 tables and views and 2 namespaces dropped"
        query = "SELECT action FROM changes WHERE request_id = %s ORDER BY id"
        actions = [action for (action,) in nodes.database.query(query, marker)]
        assert actions == [
            "namespace.drop-requested",
            "table.dropped",
            "namespace.dropped",
            "table.dropped",
            "namespace.dropped",
        ]


def jobs_process(server: TestServer) -> int:
    assert server.process is not None
    (found,) = (pid for pid in session_members(server.process.pid) if "app.cli jobs" in command_line(pid))
    return found
