"""Two nodes on one database: what is done to a warehouse on one holds on the other."""

import time
from collections.abc import Iterator

import pytest

from tests.conftest import MakeServer
from tests.contract.calls import assert_error, no_content, ok
from tests.contract.managed import Grounds, change, create, path_of
from tests.factories import create_table_request, unique_name
from tests.support.process import eventually
from tests.support.server import Client, TestServer
from tests.support.warehouses import LocalWarehouse

SOON = 3.0  # seconds: a row is trusted for one, twenty requests take a while


@pytest.fixture(scope="module")
def grounds() -> Iterator[Grounds]:
    given = Grounds()
    yield given
    given.remove()


@pytest.fixture(scope="module")
def nodes(make_server: MakeServer, grounds: Grounds) -> Iterator[tuple[Client, Client]]:
    settings = grounds.settings()
    with make_server(settings=settings) as one:
        options = {"warehouse": one.warehouse, "database": one.database, "settings": settings}
        with make_server(entry="gunicorn", **options) as two:
            yield one.client(), two.client()


@pytest.fixture(scope="module")
def bare() -> Iterator[TestServer]:
    """A node that is not started, for its commands."""
    warehouse = LocalWarehouse()
    node = TestServer(warehouse, env={"ICEBERG_DATABASE_HOST": "127.0.0.1"})
    yield node
    node.remove()
    warehouse.remove()


def warm(client: Client, path: str) -> None:
    """Have every worker know the warehouse."""
    for _ in range(20):
        ok(client.get(path))


def statuses(client: Client, path: str) -> set[int]:
    return {client.get(path).status_code for _ in range(20)}


def test_deactivation_reaches_the_other_node_within_about_a_second(
    nodes: tuple[Client, Client], grounds: Grounds
) -> None:
    one, two = nodes
    made = create(one, grounds.local())
    path = f"/v1/{made['prefix']}/namespaces"
    for active, expected in ((False, {403}), (True, {200})):
        started = time.monotonic()
        ok(change(one, made, active=active))
        eventually(lambda expected=expected: statuses(two, path) == expected, 5, "the other node knows")  # type: ignore[misc]
        assert time.monotonic() - started < SOON


def test_a_deactivated_warehouse_takes_no_change_on_any_node(
    nodes: tuple[Client, Client], grounds: Grounds
) -> None:
    one, two = nodes
    made = create(one, grounds.local())
    spaces = f"/v1/{made['prefix']}/namespaces"
    ok(two.post(spaces, json={"namespace": ["a"]}))
    warm(two, spaces)
    ok(change(one, made, active=False))
    eventually(lambda: statuses(two, spaces) == {403}, 5, "the other node knows")
    answer = two.post(f"{spaces}/a/tables", json=create_table_request("t"))
    assert_error(answer, 403, "ForbiddenException", f"Warehouse is deactivated: {made['name']}")


def test_creation_and_rename_are_seen_at_once(nodes: tuple[Client, Client], grounds: Grounds) -> None:
    one, two = nodes
    made = create(one, grounds.local())
    config = ok(two.get("/v1/config", params={"warehouse": made["name"]}))
    assert config["overrides"]["prefix"] == made["prefix"]
    name = unique_name("renamed")
    ok(change(two, made, name=name))
    assert ok(one.get(path_of(name)))["prefix"] == made["prefix"]
    assert_error(one.get("/v1/config", params={"warehouse": made["name"]}), 404, "NoSuchWarehouseException")


def test_a_changed_profile_is_used_by_the_other_node(nodes: tuple[Client, Client], grounds: Grounds) -> None:
    one, two = nodes
    profile = grounds.local()
    made = create(one, profile)
    spaces = f"/v1/{made['prefix']}/namespaces"
    ok(two.post(spaces, json={"namespace": ["a"]}))
    more = grounds.local()["root-location"]

    def create_there() -> int:
        body = create_table_request(unique_name("t"), location=f"{more}/{unique_name('t')}")
        return two.post(f"{spaces}/a/tables", json=body).status_code

    assert create_there() == 400
    ok(change(one, made, storage_profile={**profile, "allowed-locations": [more]}))
    eventually(
        lambda: {create_there() for _ in range(6)} == {200},
        5,
        "all workers of the other node may write there",
    )


def test_deletion_on_one_node_and_creation_on_the_other(
    nodes: tuple[Client, Client], grounds: Grounds
) -> None:
    one, two = nodes
    made = create(one, grounds.local())
    spaces = f"/v1/{made['prefix']}/namespaces"
    warm(two, spaces)
    no_content(one.delete(path_of(made)))
    answer = two.post(spaces, json={"namespace": ["late"]})
    assert_error(answer, 404, "NoSuchWarehouseException")
    eventually(lambda: statuses(two, spaces) == {404}, 5, "the other node knows")


def test_the_settings_cannot_take_what_another_warehouse_has(
    make_server: MakeServer, grounds: Grounds
) -> None:
    with make_server(settings=grounds.settings()) as server:
        made = create(server.client(), grounds.local())
        root = made["storage-profile"]["root-location"]
        for variable, value, message in (
            (
                "ICEBERG_CATALOG_DEFAULT_WAREHOUSE",
                made["name"],
                f"another warehouse is called {made['name']}",
            ),
            ("ICEBERG_STORAGE_WAREHOUSE", f"{root}/below", f"the root of warehouse {made['name']}, {root}"),
        ):
            outcome = server.cli("migrate", env={variable: value})
            assert outcome.code == 1, outcome
            assert message in outcome.err
        assert server.cli("migrate").code == 0


def test_a_reserved_name_for_the_default_warehouse_is_a_fault(bare: TestServer) -> None:
    outcome = bare.cli("config", "check", env={"ICEBERG_CATALOG_DEFAULT_WAREHOUSE": "Config"})
    assert outcome.code == 78
    assert "catalog.default_warehouse: not a warehouse name" in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("secrets.key", "c2hvcnQ="),
        ("secrets.folder", "/nowhere/at/all"),
        ("storage.local.allowed_roots", "relative"),
        ("storage.allowed_endpoints", "minio:9000"),
        ("storage.allowed_endpoints", "http://me:pw@minio"),
    ],
)
def test_faults_of_settings(bare: TestServer, key: str, value: str) -> None:
    outcome = bare.cli("config", "check", env={"ICEBERG_" + key.replace(".", "_").upper(): value})
    assert outcome.code == 78, outcome
    assert f"{key}: " in outcome.out + outcome.err
    if key == "secrets.key":
        assert value not in outcome.out + outcome.err
    assert "me:pw" not in outcome.out + outcome.err
