"""The audit: what is recorded of requests that were refused."""

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.contract.calls import assert_error, make_namespace, namespace_path, ok
from tests.contract.managed import Grounds, create
from tests.factories import unique_name
from tests.support.postgres import DatabaseAddress
from tests.support.process import eventually
from tests.support.server import Client, TestServer

pytestmark = pytest.mark.once("each refusal is an event")
WAREHOUSES = "/management/v1/warehouses"
EVENT = "action, outcome, status, operation, object_kind, namespace, name"
WHO = "principal, principal_kind, address, user_agent"
Stored = Callable[[str, int], list[tuple[Any, ...]]]


@pytest.fixture
def stored(managed: TestServer) -> Stored:
    """Return the events of requests with an id, once there are so many."""
    database = managed.database
    assert database is not None
    query = f"SELECT {EVENT}, {WHO}, details::jsonb FROM audit_events WHERE request_id = %s ORDER BY at"

    def wait(request_id: str, count: int) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []

        def complete() -> bool:
            found[:] = database.query(query, request_id)
            return len(found) >= count

        eventually(complete, 10, "the events are stored")
        return found

    return wait


@pytest.fixture
def closed(manager: Client, grounds: Grounds) -> dict[str, Any]:
    """A warehouse that refuses everything: it is deactivated."""
    made = create(manager, grounds.local())
    return ok(manager.patch(f"{WAREHOUSES}/{made['name']}", json={"active": False}))


def test_a_refused_request_is_recorded(manager: Client, closed: dict[str, Any], stored: Stored) -> None:
    marker = unique_name("request")
    headers = {"X-Request-ID": marker, "User-Agent": "engine/3"}
    path = namespace_path("a", "b", prefix=f"/v1/{closed['prefix']}")
    assert_error(manager.get(path, headers=headers), 403, "ForbiddenException")
    assert manager.head(path, headers=headers).status_code == 403
    who = ("anonymous", "anonymous", "127.0.0.1", "engine/3")
    why = {"message": f"Warehouse is deactivated: {closed['name']}"}
    route = "/v1/{prefix}/namespaces/{namespace}"
    assert stored(marker, 2) == [
        ("access.denied", "denied", 403, f"{method} {route}", "warehouse", [], closed["name"], *who, why)
        for method in ("GET", "HEAD")
    ]


def test_what_was_not_refused_is_not_recorded(manager: Client, managed: TestServer) -> None:
    """Neither success nor any other failure is."""
    marker = unique_name("request")
    manager.headers["X-Request-ID"] = marker
    name = make_namespace(manager)
    codes = [
        manager.post("/v1/namespaces", json={"namespace": [name]}).status_code,
        manager.get(namespace_path("nobody")).status_code,
        manager.post("/v1/namespaces", data="x").status_code,
    ]
    assert codes == [409, 404, 400]
    assert managed.database is not None
    query = "SELECT action FROM audit_events WHERE request_id = %s"
    assert managed.database.query(query, marker) == []


OLD = """
    SELECT create_day_partition('audit_events', current_date - 50), create_changes_partition(current_date - 50);
    INSERT INTO audit_events (id, at, action, outcome, status, principal, principal_kind, request_id)
    SELECT gen_random_uuid(), now() - make_interval(days => age), 'access.denied', 'denied', 403, 'p', 'user', age::text
    FROM unnest(ARRAY[60, 50, 32, 28, 10]) AS age;
    INSERT INTO changes (
        at, commit_id, warehouse_id, action, object_kind, object_id, namespace, principal, request_id
    )
    SELECT now() - make_interval(days => age), gen_random_uuid(), 1, 'table.committed', 'table', 1, '{}', 'p', age::text
    FROM unnest(ARRAY[60, 50, 32, 28, 10]) AS age
"""
AGES = "SELECT array_agg(request_id::int ORDER BY at DESC) FROM {}"


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        ({"audit.retention_days": 30}, [10, 28]),
        ({"audit.retention_days": 30, "changes.retention": "960h"}, [10, 28, 32]),
        ({"audit.retention_days": 30, "audit.enabled": False}, None),
    ],
    ids=["as long as the audit", "longer", "without the audit"],
)
def test_retention(
    make_server: MakeServer,
    database: DatabaseAddress,
    settings: dict[str, object],
    changes: list[int] | None,
) -> None:
    """A day at a time, those in the partition of their day and those that had none."""
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(OLD)
    connection.close()
    with make_server(database=database, workers=1, settings=settings):
        events, log = AGES.format("audit_events"), AGES.format("changes WHERE request_id ~ '^[0-9]+$'")
        eventually(lambda: database.query(events) == [([10, 28],)], 20, "old events are gone")
        eventually(lambda: database.query(log) == [(changes,)], 20, "old changes are gone")
        gone = "SELECT to_regclass(name || to_char(current_date - 50, '_YYYYMMDD')) FROM unnest(%s) AS name"
        assert database.query(gone, ["audit_events", "changes"]) == [(None,), (None,)]


def test_off_nothing_is_recorded(make_server: MakeServer) -> None:
    with make_server(workers=1, settings={"audit.enabled": False}) as server, Client(server.url) as client:
        assert server.database is not None
        ok(client.patch(f"{WAREHOUSES}/default", json={"active": False}))
        for _ in range(3):
            assert client.get("/v1/namespaces").status_code == 403
        name = "bingsan_audit_events_total"
        eventually(lambda: server.metric(name, outcome="denied") == 3, 10, "they are counted all the same")
        assert server.stop(signal.SIGTERM) == 0
        assert server.database.query("SELECT count(*) FROM audit_events") == [(0,)]
        made = "SELECT action FROM changes WHERE principal <> 'settings'"
        assert server.database.query(made) == [("warehouse.deactivated",)]


def test_refusals_of_the_last_moment_are_stored(make_server: MakeServer) -> None:
    """SIGTERM comes before the buffer was written."""
    with make_server(workers=2) as server:
        assert server.database is not None
        with Client(server.url) as client:
            ok(client.patch(f"{WAREHOUSES}/default", json={"active": False}))
            for _ in range(40):
                assert client.get("/v1/namespaces").status_code == 403
        assert server.stop(signal.SIGTERM) == 0
        assert server.database.query("SELECT count(*) FROM audit_events") == [(40,)]


def test_a_database_that_takes_nothing_holds_no_refusal_up(make_server: MakeServer) -> None:
    settings = {"database.statement_timeout": "500ms"}
    with make_server(workers=1, settings=settings) as server, Client(server.url) as client:
        assert server.database is not None
        ok(client.patch(f"{WAREHOUSES}/default", json={"active": False}))
        lock = server.database.connect()
        with lock, lock.cursor() as cursor:
            cursor.execute("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE")
            began = time.monotonic()
            for _ in range(300):
                assert client.get("/v1/namespaces").status_code == 403
            assert time.monotonic() - began < 10
        lock.close()
        count = "SELECT count(*) FROM audit_events"
        eventually(lambda: server.database.query(count) == [(300,)], 20, "all are stored once it does again")
