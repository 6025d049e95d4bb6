"""What was authorized is what is acted on, whatever others rename between the two."""

from collections.abc import Iterator

import pytest
import requests

from tests.conftest import MakeServer
from tests.contract.calls import (
    Tabular,
    assert_error,
    make_namespace,
    make_table,
    namespace_path,
    no_content,
    ok,
    rename_request,
    table_path,
)
from tests.contract.holding import management_path
from tests.contract.rights import grant, on_namespace, on_table, person_with
from tests.contract.two_nodes.meetings import Request, commit, create, delete, post
from tests.factories import set_properties, unique_name
from tests.support.identities import Identities, secured_settings
from tests.support.nodes import Nodes, hold_settings
from tests.support.server import Client


@pytest.fixture(scope="module")
def nodes(make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """One node that wants to know who asks, whose requests can be stopped."""
    folder = tmp_path_factory.mktemp("failpoints")
    with make_server(settings={**secured_settings(), **hold_settings(folder)}) as running:
        yield Nodes(running, running, folder)


@pytest.fixture(scope="module")
def people(nodes: Nodes) -> Identities:
    return Identities(nodes.servers[0])


@pytest.fixture
def root(people: Identities) -> Client:
    return people.admin


@pytest.fixture
def space(root: Client) -> str:
    return make_namespace(root)


def swap(root: Client, space: str, one: str, other: str) -> None:
    """Let two tables have each other's name."""
    between = unique_name("between")
    for source, destination in ((one, between), (other, one), (between, other)):
        no_content(root.post("/v1/tables/rename", json=rename_request((space, source), (space, destination))))


def swap_namespaces(root: Client, one: str, other: str) -> None:
    between = unique_name("between")
    for source, destination in ((one, between), (other, one), (between, other)):
        path = management_path(source, below="/rename")
        no_content(root.post(path, json={"destination": [destination]}))


def uuids(root: Client, space: str, *names: str) -> list[str]:
    return [ok(root.get(table_path(space, name)))["metadata"]["table-uuid"] for name in names]


def held(nodes: Nodes, place: str, client: Client, request: Request, meanwhile: object) -> requests.Response:
    """Send a request, stop it at a place, and let something happen before it goes on."""
    with nodes.held(place, lambda: request(client)) as stopped:
        assert not stopped.done(), stopped.result().text
        meanwhile()  # type: ignore[operator]
    return stopped.result()


REQUESTS = {
    "load": lambda table: lambda client: client.get(table.path),
    "drop": lambda table: delete(table.path),
    "unregister": lambda table: post(f"{table.path}/unregister", {}),
    "commit": lambda table: commit(table.path, set_properties(by="me")),
    "rename": lambda table: post(
        "/v1/tables/rename", rename_request((table.namespace, table.name), (table.namespace, "mine"))
    ),
    "transaction": lambda table: post(
        "/v1/transactions/commit",
        {
            "table-changes": [
                {
                    "identifier": {"namespace": [table.namespace], "name": table.name},
                    "requirements": [],
                    "updates": [set_properties(by="me")],
                }
            ]
        },
    ),
    "protect": lambda table: (
        lambda client: client.put(
            management_path(table.namespace, below=f"/tables/{table.name}/protection"),
            json={"protected": True},
        )
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_another_table_under_the_name(
    nodes: Nodes, people: Identities, root: Client, space: str, name: str
) -> None:
    """The one that was authorized is not there any more; the other one is nobody's business."""
    mine, other = make_table(root, space), make_table(root, space)
    person, client = person_with(people, on_table(space, mine.name), "administer")
    grant(root, on_namespace(space), person.name, "create")
    before = uuids(root, space, mine.name, other.name)
    request = REQUESTS[name](mine)
    answer = held(
        nodes, "request.authorized", client, request, lambda: swap(root, space, mine.name, other.name)
    )
    assert answer.status_code == 403, answer.text
    assert uuids(root, space, other.name, mine.name) == before
    for table in (mine, other):
        loaded = table.load()["metadata"]
        assert "by" not in loaded["properties"]


@pytest.mark.parametrize("place", ["request.authorized", "mutation.begin"])
def test_hidden_table_under_the_name(
    nodes: Nodes, people: Identities, root: Client, space: str, place: str
) -> None:
    mine, other = make_table(root, space), make_table(root, space)
    _, client = person_with(people, on_table(space, mine.name), "administer")
    for request in (delete(mine.path), commit(mine.path, set_properties(by="me"))):
        answer = held(nodes, place, client, request, lambda: swap(root, space, mine.name, other.name))
        message = f"Table does not exist: {space}.{mine.name}"
        assert_error(answer, 404, "NoSuchTableException", message)
        swap(root, space, mine.name, other.name)
    assert "by" not in mine.metadata["properties"]
    assert "by" not in other.metadata["properties"]


def test_another_table_that_is_permitted_too(
    nodes: Nodes, people: Identities, root: Client, space: str
) -> None:
    """It is authorized again, and done."""
    mine, other = make_table(root, space), make_table(root, space)
    person, client = person_with(people, on_table(space, mine.name), "drop")
    grant(root, on_table(space, other.name), person.name, "drop")
    kept = uuids(root, space, mine.name)
    no_content(
        held(
            nodes,
            "request.authorized",
            client,
            delete(mine.path),
            lambda: swap(root, space, mine.name, other.name),
        )
    )
    assert uuids(root, space, other.name) == kept
    assert root.head(mine.path).status_code == 404


@pytest.mark.parametrize("place", ["request.authorized", "mutation.begin"])
def test_another_namespace_under_the_name(
    nodes: Nodes, people: Identities, root: Client, space: str, place: str
) -> None:
    hidden = make_namespace(root)
    _, client = person_with(people, on_namespace(space), "administer")
    below = post("/v1/namespaces", {"namespace": [space, "child"]})
    properties = post(f"{namespace_path(space)}/properties", {"updates": {"by": "me"}, "removals": []})
    for request in (create(space, "t"), below, properties, delete(namespace_path(space))):
        answer = held(nodes, place, client, request, lambda: swap_namespaces(root, space, hidden))
        assert_error(answer, 404, "NoSuchNamespaceException", f"Namespace does not exist: {space}")
        swap_namespaces(root, space, hidden)
    for name in (space, hidden):
        assert "by" not in ok(root.get(namespace_path(name)))["properties"]
        assert ok(root.get(f"{namespace_path(name)}/tables"))["identifiers"] == []
        assert ok(root.get("/v1/namespaces", params={"parent": name}))["namespaces"] == []


def test_a_table_that_comes_under_a_free_name(
    nodes: Nodes, people: Identities, root: Client, space: str
) -> None:
    """Who may create may not overwrite what others have created meanwhile."""
    source = make_table(root, space)
    location = source.location
    no_content(root.delete(source.path))
    _, client = person_with(people, on_namespace(space), "create")
    body = {"name": "t", "metadata-location": location, "overwrite": True}
    answer = held(
        nodes,
        "request.authorized",
        client,
        post(f"{namespace_path(space)}/register", body),
        lambda: make_table(root, space, "t"),
    )
    message = assert_error(answer, 403, "ForbiddenException")
    assert f"does not have the privilege write-data on table {space}.t" in message
    theirs = Tabular(root, space, "t", table_path(space, "t"))
    assert theirs.location != location
