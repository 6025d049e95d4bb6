"""The audit: requests that were refused."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.calls import assert_error, make_namespace, namespace_path, ok
from tests.contract.managed import Grounds, create
from tests.factories import unique_name
from tests.support.process import eventually
from tests.support.server import Client, TestServer

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
