"""GET /management/v1/audit: mutations and refused requests as one list."""

import re
import time
from itertools import pairwise
from typing import Any

import pytest

from tests.contract.calls import (
    Tabular,
    assert_error,
    make_namespace,
    make_table,
    namespace_path,
    no_content,
    ok,
    rename_request,
)
from tests.contract.managed import Grounds, create
from tests.factories import set_properties, unique_name
from tests.support.process import eventually
from tests.support.server import Client, TestServer

AUDIT, BAD = "/management/v1/audit", "BadRequestException"
pytestmark = pytest.mark.once("each refusal is an event")
WAREHOUSES = "/management/v1/warehouses"


def listed(client: Client, **filters: Any) -> list[dict[str, Any]]:
    """Return one page of entries; in the names of filters ``_`` stands for ``-``, and ``from_`` for ``from``."""
    parameters = {name.rstrip("_").replace("_", "-"): value for name, value in filters.items()}
    events: list[dict[str, Any]] = ok(client.get(AUDIT, params=parameters))["events"]
    return events


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["event-type"] for event in events]


@pytest.fixture
def story(manager: Client, grounds: Grounds) -> str:
    """The id of requests that made a namespace, a table in it, a commit, and that were then refused twice."""
    marker = unique_name("request")
    headers = {"X-Request-ID": marker, "User-Agent": "story/1"}
    made = create(manager, grounds.local())
    prefix = f"/v1/{made['prefix']}"
    ok(manager.post(f"{prefix}/namespaces", json={"namespace": ["a"]}, headers=headers))
    ok(manager.post(f"{prefix}/namespaces", json={"namespace": ["a", "b"]}, headers=headers))
    ok(manager.post(f"{prefix}/namespaces", json={"namespace": ["ab"]}, headers=headers))
    ok(manager.patch(f"{WAREHOUSES}/{made['name']}", json={"active": False}, headers=headers))
    for name in ("a", "b"):
        assert manager.get(namespace_path(name, prefix=prefix), headers=headers).status_code == 403
    eventually(lambda: len(listed(manager, request_id=marker)) == 6, 10, "everything is listed")
    return marker


STORY = ["access.denied", "access.denied", "warehouse.deactivated", *["namespace.created"] * 3]


def test_both_kinds_newest_first(manager: Client, story: str) -> None:
    events = listed(manager, request_id=story)
    assert types(events) == STORY
    assert [event["at-ms"] for event in events] == sorted((event["at-ms"] for event in events), reverse=True)
    assert len({event["event-id"] for event in events}) == 6
    assert {event["user-agent"] for event in events} == {"story/1"}


def test_a_mutation_in_full(client: Client, table: Tabular) -> None:
    marker = unique_name("request")
    client.headers.update({"X-Request-ID": marker, "User-Agent": "engine/5"})
    before, began = table.location, int(time.time() * 1000)
    table.commit(set_properties(a="1"))
    (event,) = listed(client, request_id=marker)
    assert re.fullmatch("change-[0-9]+", event.pop("event-id"))
    assert began <= event.pop("at-ms") <= time.time() * 1000
    assert event.pop("object-id") > 0
    assert event.pop("warehouse-id") > 0
    assert event == {
        "event-type": "table.committed",
        "outcome": "success",
        "response-code": None,
        "actor": "anonymous",
        "actor-id": None,
        "actor-kind": "anonymous",
        "credential": None,
        "address": "127.0.0.1",
        "user-agent": "engine/5",
        "request-id": marker,
        "job-id": None,
        "operation": None,
        "privilege": None,
        "object-kind": "table",
        "warehouse": "default",
        "namespace": [table.namespace],
        "name": table.name,
        "previous-metadata-location": before,
        "metadata-location": table.location,
        "details": {},
    }


def test_a_refusal_in_full(manager: Client, grounds: Grounds) -> None:
    made = create(manager, grounds.local())
    ok(manager.patch(f"{WAREHOUSES}/{made['name']}", json={"active": False}))
    marker = unique_name("request")
    body, headers = {"namespace": ["a"]}, {"X-Request-ID": marker}
    assert manager.post(f"/v1/{made['prefix']}/namespaces", json=body, headers=headers).status_code == 403
    eventually(lambda: listed(manager, request_id=marker), 10, "the refusal is listed")
    (event,) = listed(manager, request_id=marker)
    assert re.fullmatch("event-[0-9a-f-]{36}", event.pop("event-id"))
    assert {name: event[name] for name in ("event-type", "outcome", "response-code", "operation")} == {
        "event-type": "access.denied",
        "outcome": "denied",
        "response-code": 403,
        "operation": "POST /v1/{prefix}/namespaces",
    }
    assert (event["object-kind"], event["warehouse"]) == ("warehouse", made["name"])
    assert event["details"] == {"message": f"Warehouse is deactivated: {made['name']}"}


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7])
def test_pages(manager: Client, story: str, size: int) -> None:
    seen, token, pages = [], "", 0
    while token is not None:
        query = {"request-id": story, "pageSize": size, "pageToken": token}
        answer = ok(manager.get(AUDIT, params=query))
        seen += answer["events"]
        token = answer["next-page-token"]
        pages += 1
    assert seen == listed(manager, request_id=story)
    assert pages == -(-6 // size)


def test_at_one_time_pages_lose_nothing(server: TestServer, client: Client) -> None:
    """Three entries of each kind have the same time."""
    assert server.database is not None
    marker = unique_name("request")
    server.database.query(
        """INSERT INTO changes
            (at, commit_id, warehouse_id, action, object_kind, object_id, namespace, principal, request_id)
        SELECT now(), gen_random_uuid(), 1, 'table.committed', 'table', 1, '{}', 'p', %s FROM generate_series(1, 3)""",
        marker,
    )
    server.database.query(
        """INSERT INTO audit_events (id, at, action, outcome, status, principal, principal_kind, request_id)
        SELECT gen_random_uuid(), (SELECT max(at) FROM changes WHERE request_id = %s), 'access.denied', 'denied', 403,
            'p', 'user', %s FROM generate_series(1, 3)""",
        marker,
        marker,
    )
    whole = listed(client, request_id=marker)
    assert types(whole) == ["access.denied"] * 3 + ["table.committed"] * 3
    for size in (1, 2, 4):
        seen, token = [], ""
        while token is not None:
            answer = ok(
                client.get(AUDIT, params={"request-id": marker, "pageSize": size, "pageToken": token})
            )
            seen += answer["events"]
            token = answer["next-page-token"]
        assert seen == whole


def test_filters(manager: Client, story: str) -> None:
    only = {"request_id": story}
    whole = listed(manager, **only)
    warehouse = whole[0]["warehouse"]

    def count(**filters: str) -> int:
        return len(listed(manager, **filters))

    assert count(**only, outcome="denied") == 2
    assert count(**only, outcome="success") == 4
    assert count(**only, event_type="namespace.created") == 3
    assert count(**only, event_type="table.created") == 0
    assert count(**only, actor="anonymous") == 6
    assert count(**only, actor="nobody") == 0
    assert count(**only, address="127.0.0.1") == 6
    assert count(**only, address="127.0.0.2") == 0
    assert count(**only, name=warehouse) == 3
    assert count(warehouse=warehouse) == 7
    assert count(**only, warehouse="default") == 0
    assert count(warehouse=warehouse, namespace="a") == 2
    assert count(warehouse=warehouse, namespace="a\x1fb") == 1
    assert count(warehouse=warehouse, namespace="ab") == 1
    assert count(warehouse=warehouse, namespace="b") == 0


def test_times(manager: Client, story: str) -> None:
    whole = listed(manager, request_id=story)
    at = whole[2]["at-ms"]
    later = listed(manager, request_id=story, from_=at)
    earlier = listed(manager, request_id=story, to=at)
    assert later + earlier == whole
    assert whole[2] in later
    assert listed(manager, request_id=story, from_=at, to=at + 1) == [e for e in whole if e["at-ms"] == at]


def test_a_deleted_warehouse_is_found_by_its_name(manager: Client, grounds: Grounds) -> None:
    made = create(manager, grounds.local())
    no_content(manager.delete(f"{WAREHOUSES}/{made['name']}"))
    events = listed(manager, warehouse=made["name"])
    assert types(events) == ["warehouse.deleted", "warehouse.created"]
    assert {event["warehouse"] for event in events} == {None}


def test_a_page_has_at_most_a_thousand_and_by_itself_a_hundred(client: Client, namespace: str) -> None:
    marker = unique_name("request")
    client.headers["X-Request-ID"] = marker
    table = make_table(client, namespace)
    names = [table.name, *(unique_name("t") for _ in range(110))]
    for old, new in pairwise(names):
        request = rename_request((namespace, old), (namespace, new))
        no_content(client.post("/v1/tables/rename", json=request))
    answer = ok(client.get(AUDIT, params={"request-id": marker}))
    assert len(answer["events"]) == 100
    assert answer["next-page-token"]
    assert len(listed(client, request_id=marker, pageSize=1_000_000)) == 111


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("principal=a", "Unknown parameter 'principal'"),
        ("actor=", "Invalid actor ''"),
        ("actor=a%00", "Invalid actor"),
        ("event-type=Table", "Invalid event-type 'Table'"),
        ("outcome=failed", "Invalid outcome 'failed': expected success or denied"),
        ("namespace=a", "Invalid namespace: needs the warehouse"),
        ("address=here", "Invalid address 'here'"),
        ("from=yesterday", "Invalid from 'yesterday'"),
        ("from=2&to=1", "Invalid from 2: must be before to, 1"),
        ("to=-1", "Invalid to '-1'"),
        ("pageToken=x", "Invalid pageToken"),
        ("pageSize=0", "Invalid pageSize '0'"),
    ],
)
def test_bad_filters(client: Client, query: str, message: str) -> None:
    assert_error(client.get(f"{AUDIT}?{query}"), 400, BAD, re.compile(re.escape(message)))


def test_a_token_belongs_to_its_filters(client: Client, namespace: str) -> None:
    make_namespace(client)
    token = ok(client.get(AUDIT, params={"pageSize": 1}))["next-page-token"]
    other = client.get(AUDIT, params={"pageSize": 1, "pageToken": token, "outcome": "success"})
    assert_error(other, 400, BAD, re.compile("Invalid pageToken"))
