"""Every change row says who made it, from where, and in which job."""

import pytest

from tests.contract.calls import Tabular, make_namespace, make_table, namespace_path, no_content, ok
from tests.contract.holding import drop, end_hold, job_of, management_path, purged
from tests.factories import unique_name
from tests.support.server import Client, TestServer

ORIGIN = "principal, principal_id, principal_kind, credential, address, user_agent"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("engine/1.0 (linux)", "engine/1.0 (linux)"),
        ("x" * 300, "x" * 256),
        ("g\xfcltig \x85\x9f", "g\xfcltig ??"),
        ("probe Bearer abcdefghijk", "probe Bearer ***"),
        ("", None),
    ],
    ids=["plain", "long", "odd characters", "secret", "none"],
)
def test_who_and_from_where(server: TestServer, client: Client, sent: str, kept: str | None) -> None:
    assert server.database is not None
    marker = unique_name("request")
    client.headers["X-Request-ID"] = marker
    client.headers["User-Agent"] = sent.encode("latin-1")
    make_namespace(client)
    query = f"SELECT {ORIGIN}, job_id FROM changes WHERE request_id = %s"
    assert server.database.query(query, marker) == [
        ("anonymous", None, "anonymous", None, "127.0.0.1", kept, None)
    ]


def test_a_job_acts_for_whoever_asked(server: TestServer, client: Client, namespace: str) -> None:
    assert server.database is not None
    marker = unique_name("request")
    make_table(client, namespace)
    headers = {"X-Request-ID": marker, "User-Agent": "tidy/2"}
    answer = ok(client.delete(f"{management_path(namespace)}?recursive=true", headers=headers), 202)
    job_of(client, answer)
    query = f"SELECT action, {ORIGIN}, job_id FROM changes WHERE request_id = %s ORDER BY id"
    who = ("anonymous", None, "anonymous", None, "127.0.0.1", "tidy/2")
    assert server.database.query(query, marker) == [
        ("namespace.drop-requested", *who, None),
        ("table.dropped", *who, answer["job-id"]),
        ("namespace.dropped", *who, answer["job-id"]),
    ]


def test_a_job_that_nobody_asked_for(holding: TestServer) -> None:
    assert holding.database is not None
    with Client(holding.url) as client:
        item = drop(make_table(client, make_namespace(client)))
        end_hold(holding, client, item)
    query = (
        f"SELECT {ORIGIN}, request_id, job_id FROM changes WHERE object_id = %s AND action = 'table.expired'"
    )
    ((*who, request_id, job_id),) = holding.database.query(query, item["id"])
    assert who == ["system", None, "system", None, None, None]
    assert request_id == f"job-{job_id}"


def test_a_job_that_an_older_version_was_asked_for(
    server: TestServer, client: Client, namespace: str
) -> None:
    """It kept only who asked and under which request id."""
    assert server.database is not None
    query = "SELECT warehouse_id, id FROM namespaces WHERE levels = %s"
    ((warehouse_id, namespace_id),) = server.database.query(query, [namespace])
    marker = unique_name("request")
    (row,) = server.database.query(
        """INSERT INTO jobs (kind, payload) VALUES ('drop-namespace', jsonb_build_object(
            'warehouse_id', %s::bigint, 'namespace_id', %s::bigint, 'purge', false, 'force', false,
            'principal', 'anonymous', 'request_id', %s::text)) RETURNING id""",
        warehouse_id,
        namespace_id,
        marker,
    )
    job = job_of(client, {"job-id": row[0]})
    assert job["status"] == "completed", job
    assert client.head(namespace_path(namespace)).status_code == 404
    query = f"SELECT {ORIGIN}, job_id FROM changes WHERE request_id = %s"
    assert server.database.query(query, marker) == [
        ("anonymous", None, "anonymous", None, None, None, row[0])
    ]


def test_a_purge_is_done_for_whoever_dropped(server: TestServer, client: Client, table: Tabular) -> None:
    assert server.database is not None
    marker = unique_name("request")
    last = table.load()["metadata-location"]
    headers = {"X-Request-ID": marker, "User-Agent": "tidy/3"}
    no_content(client.delete(f"{table.path}?purgeRequested=true", headers=headers))
    purged(server)
    columns = f"action, before_pointer, name, {ORIGIN}, job_id IS NULL"
    query = f"SELECT {columns} FROM changes WHERE request_id = %s ORDER BY id"
    who = ("anonymous", None, "anonymous", None, "127.0.0.1", "tidy/3")
    assert server.database.query(query, marker) == [
        ("table.dropped", last, table.name, *who, True),
        ("table.purged", last, table.name, *who, False),
    ]
    query = """SELECT j.kind, count(DISTINCT c.object_id) FROM changes c LEFT JOIN jobs j ON j.id = c.job_id
        WHERE c.request_id = %s GROUP BY j.kind ORDER BY j.kind"""
    assert server.database.query(query, marker) == [("purge", 1), (None, 1)]
