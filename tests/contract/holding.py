"""A warehouse that holds what is dropped, as tests use it."""

from typing import Any

import requests

from tests.contract.calls import Tabular, namespace_path, no_content, ok, table_path
from tests.factories import unique_name
from tests.support.process import eventually
from tests.support.server import Client, TestServer

ROOT = "/management/v1/warehouses/default"
DAY = 86_400
Dropped = dict[str, Any]


def management_path(*levels: str, below: str = "") -> str:
    """Return the path of a namespace in the management API; ``below`` begins with a slash."""
    return namespace_path(*levels, prefix=ROOT) + below


def set_hold(server: TestServer, seconds: int | None) -> None:
    """Have the default warehouse hold what is dropped, or with None no longer."""
    asked = {"enabled": False} if seconds is None else {"enabled": True, "hold-seconds": seconds}
    with Client(server.url) as client:
        assert ok(client.patch(ROOT, json={"soft-delete": asked}))["soft-delete"]["hold-seconds"] == seconds


def dropped(client: Client) -> list[Dropped]:
    return list(ok(client.get(f"{ROOT}/dropped"))["dropped"])


def register(client: Client, namespace: str, metadata_location: str, name: str | None = None) -> Tabular:
    """Make a table of existing metadata."""
    name = name or unique_name("r")
    body = {"name": name, "metadata-location": metadata_location}
    ok(client.post(f"{namespace_path(namespace)}/register", json=body))
    return Tabular(client, namespace, name, table_path(namespace, name))


def drop(table: Tabular, *, purge: bool = False) -> Dropped:
    """Drop a table or view and return how it is listed."""
    before = {item["id"] for item in dropped(table.client)}
    query = "?purgeRequested=true" if purge else ""
    no_content(table.client.delete(f"{table.path}{query}"))
    (item,) = (item for item in dropped(table.client) if item["id"] not in before)
    return item


def undrop(client: Client, item: Dropped, **body: Any) -> requests.Response:
    return client.post(f"{ROOT}/dropped/{item['id']}/undrop", json=body)


def is_held(client: Client, item: Dropped) -> bool:
    return item["id"] in {each["id"] for each in dropped(client)}


def end_hold(server: TestServer, client: Client, *items: Dropped) -> None:
    """Let the time of holds be over, and wait until the job has ended them."""
    assert server.database is not None
    ids = [item["id"] for item in items]
    server.database.query(
        "UPDATE held_tabulars SET expires_at = now() - interval '1 second' WHERE id = ANY(%s)", ids
    )

    def ended() -> bool:
        hasten(server, "expire-held")
        return not any(is_held(client, item) for item in items)

    eventually(ended, 20, "the holds are ended by the job")


def hasten(server: TestServer, kind: str) -> None:
    """Have a job that is due later run now."""
    assert server.database is not None
    server.database.query("UPDATE jobs SET run_at = now() WHERE kind = %s AND status = 'queued'", kind)


def purged(server: TestServer) -> None:
    """Wait until no purge is left to do."""
    assert server.database is not None
    database = server.database
    left = "SELECT 1 FROM jobs WHERE kind = 'purge' AND status IN ('queued', 'running', 'retrying')"
    eventually(lambda: not database.query(left), 30, "all purges have ended")


def job_message(server: TestServer, kind: str, status: str = "completed") -> str:
    """Return what the newest job of a kind that ended so says."""
    assert server.database is not None
    query = "SELECT message FROM jobs WHERE kind = %s AND status = %s ORDER BY finished_at DESC LIMIT 1"
    return str(server.database.query(query, kind, status)[0][0])


def job_of(client: Client, answer: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of the job that an answer names, and return it."""
    path = f"/management/v1/jobs/{answer['job-id']}"

    def ended() -> dict[str, Any] | None:
        job = ok(client.get(path))
        return job if job["status"] in {"completed", "failed", "cancelled"} else None

    job = eventually(ended, 30, f"{path} has ended")
    assert job is not None
    return job
