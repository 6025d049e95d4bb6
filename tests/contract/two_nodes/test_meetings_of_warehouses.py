"""Warehouses that are made, renamed and deleted while somebody else does so, or works in them, on two nodes."""

from typing import Any
from uuid import uuid4

import pytest

from tests.contract.calls import no_content, ok
from tests.contract.managed import WAREHOUSES, create, path_of
from tests.contract.racing import CREATED, GONE, LOST, TAKEN
from tests.contract.two_nodes.meetings import Request, Way, delete, outcomes, post
from tests.factories import unique_name
from tests.support.nodes import Nodes
from tests.support.process import eventually
from tests.support.server import Client

MADE, CONFLICT = (201, None), (409, "ConflictException")
NO_WAREHOUSE = (404, "NoSuchWarehouseException")


def profile(nodes: Nodes, name: str | None = None) -> dict[str, Any]:
    return {"type": "local", "root-location": f"file://{nodes.folder}/{name or unique_name('root')}"}


@pytest.fixture
def warehouse(nodes: Nodes, client: Client) -> dict[str, Any]:
    return create(client, profile(nodes))


def patch(warehouse: dict[str, Any], **members: Any) -> Request:
    return lambda client: client.patch(path_of(warehouse), json=members)


@pytest.mark.parametrize("with_key", [False, True])
def test_new_namespace_and_deletion(
    nodes: Nodes, way: Way, client: Client, warehouse: dict[str, Any], *, with_key: bool
) -> None:
    headers = {"Idempotency-Key": str(uuid4())} if with_key else {}
    path = f"/v1/{warehouse['prefix']}/namespaces"

    def creation(client: Client) -> Any:
        return client.post(path, json={"namespace": ["x"]}, headers=headers)

    found = outcomes(nodes, way, creation, delete(path_of(warehouse)))
    assert found == ((CREATED, CONFLICT) if way.first == 0 else (NO_WAREHOUSE, GONE))
    code = 200 if way.first == 0 else 404
    eventually(lambda: client.get(path).status_code == code, 5, "every worker knows of it")


def test_two_of_one_name(nodes: Nodes, way: Way, client: Client) -> None:
    name = unique_name("warehouse")
    pair = [post(WAREHOUSES, {"name": name, "storage-profile": profile(nodes)}) for _ in range(2)]
    assert outcomes(nodes, way, *pair) == way.in_order(MADE, TAKEN)


def test_two_at_one_place(nodes: Nodes, way: Way, client: Client) -> None:
    place = profile(nodes)
    pair = [post(WAREHOUSES, {"name": unique_name("warehouse"), "storage-profile": place}) for _ in range(2)]
    winner, loser = outcomes(nodes, way, *pair)[:: 1 if way.first == 0 else -1]
    assert winner == MADE
    assert loser[0] in {400, 409}, loser


def test_two_renames_onto_one_name(nodes: Nodes, way: Way, client: Client) -> None:
    name = unique_name("warehouse")
    both = [create(client, profile(nodes)) for _ in range(2)]
    pair = [patch(each, name=name) for each in both]
    assert outcomes(nodes, way, *pair) == way.in_order(CREATED, TAKEN)
    assert ok(client.get(path_of(name)))["prefix"] == both[way.first]["prefix"]


def test_rename_and_deletion(nodes: Nodes, way: Way, client: Client, warehouse: dict[str, Any]) -> None:
    new = unique_name("warehouse")
    pair = patch(warehouse, name=new), delete(path_of(warehouse))
    found = outcomes(nodes, way, *pair)
    assert found == ((CREATED, NO_WAREHOUSE) if way.first == 0 else (LOST, GONE))
    if way.first == 0:
        no_content(client.delete(path_of(new)))
