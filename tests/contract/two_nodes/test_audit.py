"""Whatever node refuses a request: every node lists it."""

from collections import Counter

import pytest

from tests.contract.calls import ok
from tests.factories import unique_name
from tests.support.nodes import Nodes
from tests.support.process import eventually
from tests.support.server import Client

WAREHOUSES = "/management/v1/warehouses"


@pytest.mark.once("each refusal is an event")
def test_refusals_of_every_node(nodes: Nodes) -> None:
    name, storage = (
        unique_name("closed"),
        {"type": "local", "root-location": f"file://{nodes.folder}/{unique_name()}"},
    )
    first, second = (Client(server.url) for server in nodes.servers)
    made = ok(first.post(WAREHOUSES, json={"name": name, "storage-profile": storage}), 201)
    ok(first.patch(f"{WAREHOUSES}/{name}", json={"active": False}))
    path = f"/v1/{made['prefix']}/namespaces"
    for client in (first, second):
        eventually(lambda client=client: client.get(path).status_code == 403, 10, "the node knows")
        client.headers["User-Agent"] = f"of {client.url}"
        for _ in range(10):
            assert client.get(path).status_code == 403
    query = {"warehouse": name, "outcome": "denied"}

    def agents(client: Client) -> Counter[str]:
        events = ok(client.get("/management/v1/audit", params=query))["events"]
        return Counter(event["user-agent"] for event in events if event["user-agent"].startswith("of "))

    expected = {f"of {server.url}": 10 for server in nodes.servers}
    for client in (first, second):
        eventually(lambda client=client: agents(client) == expected, 10, "all are listed")
        client.close()
