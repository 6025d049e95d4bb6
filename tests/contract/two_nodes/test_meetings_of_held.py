"""Drops, undrops, expiries and what takes their names and places, meeting on two nodes."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.contract.calls import (
    Tabular,
    at_once,
    local,
    make_table,
    namespace_path,
    ok,
    table_path,
)
from tests.contract.holding import (
    DAY,
    ROOT,
    Dropped,
    drop,
    dropped,
    hasten,
    is_held,
    job_message,
    purged,
    set_hold,
)
from tests.contract.racing import CREATED, GONE, NO_TABLE, NOT_EMPTY, TAKEN, outcome
from tests.contract.two_nodes.meetings import (
    Request,
    Way,
    commit,
    create,
    delete,
    meet,
    outcomes,
    post,
    send,
)
from tests.factories import set_properties
from tests.support.nodes import Nodes
from tests.support.process import eventually
from tests.support.server import Client

NOT_HELD = (404, "NotFoundException")
CONFLICT = (409, "ConflictException")
REFUSED = (400, "IllegalArgumentException")


@pytest.fixture(autouse=True, scope="module")
def hold(nodes: Nodes) -> Iterator[None]:
    set_hold(nodes.servers[0], DAY)
    yield
    set_hold(nodes.servers[0], None)


@pytest.fixture
def item(table: Tabular) -> Dropped:
    """A table that is held."""
    return drop(table)


def undrop(item: Dropped, **body: object) -> Request:
    return post(f"{ROOT}/dropped/{item['id']}/undrop", body)


def expire(item: Dropped, query: str = "") -> Request:
    return delete(f"{ROOT}/dropped/{item['id']}{query}")


def register(namespace: str, item: Dropped, name: str = "r") -> Request:
    body = {"name": name, "metadata-location": item["metadata-location"]}
    return post(f"{namespace_path(namespace)}/register", body)


def test_drop_and_drop(nodes: Nodes, way: Way, client: Client, table: Tabular) -> None:
    pair = delete(table.path), delete(table.path)
    assert outcomes(nodes, way, *pair) == way.in_order(GONE, NO_TABLE)
    assert len([each for each in dropped(client) if each["name"] == table.name]) == 1


def test_drop_and_commit(nodes: Nodes, way: Way, client: Client, table: Tabular) -> None:
    """What is held is what was committed last."""
    before = table.location
    committed, gone = meet(nodes, way, commit(table.path, set_properties(a="1")), delete(table.path))
    assert outcome(gone) == GONE
    assert outcome(committed) == (CREATED if way.first == 0 else NO_TABLE)
    (held,) = (each for each in dropped(client) if each["name"] == table.name)
    expected = committed.json()["metadata-location"] if way.first == 0 else before
    assert held["metadata-location"] == expected


def test_drop_and_undrop_under_one_name(nodes: Nodes, way: Way, client: Client, item: Dropped) -> None:
    """The name is taken until the other table is dropped."""
    table = make_table(client, item["namespace"][0], item["name"])
    pair = delete(table.path), undrop(item)
    assert outcomes(nodes, way, *pair) == (GONE, CREATED if way.first == 0 else TAKEN)
    assert is_held(client, item) == (way.first == 1)


def test_undrop_and_undrop(nodes: Nodes, way: Way, client: Client, item: Dropped) -> None:
    pair = undrop(item, name="a"), undrop(item, name="b")
    assert outcomes(nodes, way, *pair) == way.in_order(CREATED, NOT_HELD)
    found = [client.head(table_path(item["namespace"][0], name)).status_code for name in "ab"]
    assert found == ([204, 404] if way.first == 0 else [404, 204])


def test_undrop_and_create(nodes: Nodes, way: Way, client: Client, item: Dropped) -> None:
    namespace, name = item["namespace"][0], item["name"]
    pair = undrop(item), create(namespace, name)
    assert outcomes(nodes, way, *pair) == way.in_order(CREATED, TAKEN)
    uuid = ok(client.get(table_path(namespace, name)))["metadata"]["table-uuid"]
    assert (uuid == item["uuid"]) == (way.first == 0)
    assert is_held(client, item) == (way.first == 1)


def test_undrop_and_register(nodes: Nodes, way: Way, client: Client, item: Dropped) -> None:
    """One table of this uuid, whoever comes first."""
    pair = undrop(item), register(item["namespace"][0], item)
    assert outcomes(nodes, way, *pair) == way.in_order(CREATED, TAKEN)
    assert is_held(client, item) == (way.first == 1)


def test_undrop_and_create_at_its_place(nodes: Nodes, way: Way, namespace: str, item: Dropped) -> None:
    """The place is never free."""
    pair = undrop(item), create(namespace, "x", location=f"{item['location']}/x")
    assert outcomes(nodes, way, *pair) == (CREATED, REFUSED)


def test_undrop_and_drop_of_its_namespace(nodes: Nodes, way: Way, client: Client, item: Dropped) -> None:
    pair = undrop(item), delete(namespace_path(*item["namespace"]))
    expected = (CREATED, NOT_EMPTY) if way.first == 0 else (CONFLICT, GONE)
    assert outcomes(nodes, way, *pair) == expected
    assert is_held(client, item) == (way.first == 1)


def test_undrop_and_expire(nodes: Nodes, way: Way, client: Client, item: Dropped) -> None:
    pair = undrop(item), expire(item, "?purge=true")
    expected = (CREATED, NOT_HELD) if way.first == 0 else (NOT_HELD, GONE)
    assert outcomes(nodes, way, *pair) == expected
    assert not is_held(client, item)
    purged(nodes.servers[0])
    assert local(item["metadata-location"]).exists() == (way.first == 0)


def test_expire_and_expire(nodes: Nodes, way: Way, item: Dropped) -> None:
    assert outcomes(nodes, way, expire(item), expire(item)) == way.in_order(GONE, NOT_HELD)


@pytest.mark.parametrize("name", ["r", None])
def test_expire_with_purge_and_register(
    nodes: Nodes, way: Way, client: Client, item: Dropped, name: str | None
) -> None:
    """A table that could be registered has its file; the files go only if it could not."""
    namespace = item["namespace"][0]
    chosen = name or item["name"]
    pair = expire(item, "?purge=true"), register(namespace, item, chosen)
    gone, registered = outcomes(nodes, way, *pair)
    assert gone == GONE
    if way.first == 0:
        assert registered in {REFUSED, NOT_HELD}
    else:
        assert registered == CREATED
    purged(nodes.servers[0])
    lives = registered == CREATED
    assert local(item["metadata-location"]).exists() == lives
    assert (client.head(table_path(namespace, chosen)).status_code == 204) == lives


def test_expire_and_create_at_its_place(nodes: Nodes, way: Way, namespace: str, item: Dropped) -> None:
    pair = expire(item), create(namespace, "x", location=item["location"])
    assert outcomes(nodes, way, *pair) == (GONE, CREATED if way.first == 0 else REFUSED)


def test_the_job_passes_by_what_is_being_brought_back(nodes: Nodes, client: Client, item: Dropped) -> None:
    """Its time is over, but somebody was faster; the job neither waits nor takes it."""
    end = "UPDATE held_tabulars SET expires_at = now() - interval '1 day' WHERE id = %s"
    nodes.database.query(end, item["id"])
    runs = "SELECT count(*) FROM jobs WHERE kind = 'expire-held' AND status = 'completed'"
    with nodes.held("mutation.end", lambda: send(nodes.servers[1], undrop(item))) as stopped:
        ((before,),) = nodes.database.query(runs)

        def ran() -> bool:
            hasten(nodes.servers[0], "expire-held")
            ((now,),) = nodes.database.query(runs)
            return bool(now > before)

        eventually(ran, 20, "the job has run")
        assert job_message(nodes.servers[0], "expire-held", "completed") == "0 rows expired"
    assert outcome(stopped.result()) == CREATED
    assert not is_held(client, item)


def test_every_hold_ends_once(nodes: Nodes, client: Client, namespace: str) -> None:
    """The job and two nodes that are asked to end holds now: one change row each, one purge each."""
    items = [drop(make_table(client, namespace), purge=True) for _ in range(12)]
    ids = [item["id"] for item in items]
    nodes.database.query("UPDATE held_tabulars SET expires_at = now() WHERE id = ANY(%s)", ids)
    hasten(nodes.servers[0], "expire-held")
    calls = [partial(send, server, expire(item)) for item in items for server in nodes.servers]
    assert {outcome(answer) for answer in at_once(calls)} <= {GONE, NOT_HELD}
    assert not {each["id"] for each in dropped(client)} & set(ids)
    ends = "SELECT object_id FROM changes WHERE action = 'table.expired' AND object_id = ANY(%s)"
    assert sorted(number for (number,) in nodes.database.query(ends, ids)) == sorted(ids)
    jobs = "SELECT payload ->> 'location' FROM jobs WHERE kind = 'purge' AND payload ->> 'location' = ANY(%s)"
    places = [item["location"] for item in items]
    found = nodes.database.query(jobs, places)
    assert sorted(place for (place,) in found) == sorted(places)
    purged(nodes.servers[0])
    assert not any(local(place).exists() for place in places)
