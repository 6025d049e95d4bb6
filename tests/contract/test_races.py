"""Races of two clients on one node (section 10.2): each has one outcome that makes sense, none leaves rubbish."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.contract.bodies import (
    ASSERT_CREATE,
    add_snapshot,
    append,
    assert_ref,
    assert_uuid,
    set_ref,
    staged_updates,
)
from tests.contract.calls import (
    Tabular,
    at_once,
    create_view_request,
    local,
    make_namespace,
    make_table,
    namespace_path,
    ok,
    rename_request,
    table_path,
    view_path,
)
from tests.factories import commit_request, create_table_request, set_properties, unique_name
from tests.support.server import Client, TestServer

ROUNDS = 3
Call = Callable[[], requests.Response]


def call(server: TestServer, method: str, path: str, **options: Any) -> Call:
    """Return a request on a connection of its own, so that both workers get some."""

    def send() -> requests.Response:
        with Client(server.url) as client:
            return client.request(method, path, **options)

    return send


def create(server: TestServer, namespace: str, name: str, **more: Any) -> Call:
    path = f"{namespace_path(namespace)}/tables"
    return call(server, "POST", path, json=create_table_request(name, **more))


def commit(server: TestServer, path: str, *updates: Any, requirements: Any = ()) -> Call:
    return call(server, "POST", path, json=commit_request(*updates, requirements=list(requirements)))


def outcome(answer: requests.Response) -> tuple[int, str | None]:
    """Return the status and the error's type."""
    return answer.status_code, answer.json()["error"]["type"] if answer.status_code >= 400 else None


def outcomes(calls: list[Call]) -> Counter[tuple[int, str | None]]:
    return Counter(outcome(answer) for answer in at_once(calls))


CREATED, GONE = (200, None), (204, None)
TAKEN, LOST = (409, "AlreadyExistsException"), (409, "CommitFailedException")
NO_NAMESPACE, NO_TABLE = (404, "NoSuchNamespaceException"), (404, "NoSuchTableException")
NOT_EMPTY = (409, "NamespaceNotEmptyException")


def metadata_files(client: Client, namespace: str) -> int:
    location = ok(client.get(namespace_path(namespace)))["properties"]["location"]
    return len(list(local(location).rglob("*.metadata.json")))


def test_disjoint_commits_all_succeed(server: TestServer, table: Tabular) -> None:
    uuid = assert_uuid(table.metadata["table-uuid"])
    calls = [
        commit(server, table.path, set_properties(**{f"p{n}": "1"}), requirements=[uuid]) for n in range(12)
    ]
    assert outcomes(calls) == {CREATED: 12}
    metadata = table.metadata
    assert {f"p{n}" for n in range(12)} <= set(metadata["properties"])
    assert len(metadata["metadata-log"]) == 12
    assert len(table.files()) == 13
    logged = [entry["metadata-file"] for entry in metadata["metadata-log"]]
    assert all(local(location).exists() for location in [*logged, table.location])


def test_same_ref_exactly_one_wins(server: TestServer, table: Tabular) -> None:
    for number in range(ROUNDS):
        current = table.metadata["current-snapshot-id"]
        requirement = assert_ref(None if current == -1 else current)
        first = 10 * number + 1
        parent = {} if current == -1 else {"parent-snapshot-id": current}
        calls = [
            commit(
                server,
                table.path,
                add_snapshot(first + n, number + 1, **parent),
                set_ref(first + n),
                requirements=[requirement],
            )
            for n in range(4)
        ]
        assert outcomes(calls) == {CREATED: 1, LOST: 3}
    assert len(table.metadata["snapshots"]) == ROUNDS
    assert len(table.files()) == ROUNDS + 1


def test_appends_to_different_branches(server: TestServer, table: Tabular) -> None:
    """Each asserts its own branch; a stale sequence number is a conflict that the client may retry."""
    table.commit(*append(1, 1))
    calls = [
        commit(
            server,
            table.path,
            add_snapshot(10 + n, 2, **{"parent-snapshot-id": 1}),
            set_ref(10 + n, f"b{n}"),
            requirements=[assert_ref(None, f"b{n}")],
        )
        for n in range(3)
    ]
    assert outcomes(calls) == {CREATED: 1, LOST: 2}


def test_each_answer_describes_its_own_commit(server: TestServer, table: Tabular) -> None:
    answers = at_once([commit(server, table.path, set_properties(mine=str(n))) for n in range(6)])
    bodies = [ok(answer) for answer in answers]
    assert {body["metadata"]["properties"]["mine"] for body in bodies} == set("012345")
    locations = {body["metadata-location"] for body in bodies}
    assert len(locations) == 6
    assert len({body["metadata"]["last-updated-ms"] for body in bodies}) == 6
    assert table.location in locations


def test_create_against_create(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(ROUNDS):
        name = unique_name("t")
        before = metadata_files(client, namespace)
        assert outcomes([create(server, namespace, name) for _ in range(6)]) == {CREATED: 1, TAKEN: 5}
        assert metadata_files(client, namespace) == before + 1


def test_create_at_one_place_under_one_name(server: TestServer, namespace: str) -> None:
    """The loser hears that the name is taken, not that the place is."""
    for _ in range(ROUNDS):
        location = f"{server.warehouse.location}/{unique_name('place')}"
        calls = [create(server, namespace, "t-" + location[-8:], location=location) for _ in range(4)]
        assert outcomes(calls) == {CREATED: 1, TAKEN: 3}
        assert len(list(local(location).rglob("*.json"))) == 1


def test_create_inside_one_another(server: TestServer, namespace: str) -> None:
    for _ in range(ROUNDS):
        area = f"{server.warehouse.location}/{unique_name('area')}"
        places = [area, f"{area}/a", f"{area}/a/b", f"{area}/a/b/c"]
        calls = [create(server, namespace, unique_name("t"), location=place) for place in places]
        assert outcomes(calls) == {CREATED: 1, (400, "IllegalArgumentException"): 3}


def test_table_against_view(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(ROUNDS):
        name = unique_name("x")
        views = f"{namespace_path(namespace)}/views"
        calls = [
            create(server, namespace, name),
            call(server, "POST", views, json=create_view_request(name)),
        ] * 2
        assert outcomes(calls) == {CREATED: 1, TAKEN: 3}
        found = [client.head(path(namespace, name)).status_code for path in (table_path, view_path)]
        assert sorted(found) == [204, 404]


def test_staged_commit_against_create(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(ROUNDS):
        name = unique_name("t")
        body = create_table_request(name, **{"stage-create": True})
        plan = ok(client.post(f"{namespace_path(namespace)}/tables", json=body))["metadata"]
        staged = commit(
            server, table_path(namespace, name), *staged_updates(plan), requirements=[ASSERT_CREATE]
        )
        found = outcomes([staged, create(server, namespace, name)])
        assert found[CREATED] == 1
        assert set(found) - {CREATED} <= {TAKEN, LOST}


def test_namespace_against_namespace(server: TestServer) -> None:
    for _ in range(ROUNDS):
        body = {"namespace": [unique_name("ns")]}
        calls = [call(server, "POST", "/v1/namespaces", json=body) for _ in range(6)]
        assert outcomes(calls) == {CREATED: 1, TAKEN: 5}


@pytest.mark.parametrize("content", ["tables", "views", "namespaces"])
def test_create_against_drop_of_its_namespace(server: TestServer, client: Client, content: str) -> None:
    for _ in range(2 * ROUNDS):
        name = make_namespace(client)
        space = namespace_path(name)
        bodies = {
            "tables": (f"{space}/tables", create_table_request("x")),
            "views": (f"{space}/views", create_view_request("x")),
            "namespaces": ("/v1/namespaces", {"namespace": [name, "x"]}),
        }
        path, body = bodies[content]
        folder = local(ok(client.get(space))["properties"]["location"])
        made, dropped = map(
            outcome, at_once([call(server, "POST", path, json=body), call(server, "DELETE", space)])
        )
        assert (made, dropped) in {(CREATED, NOT_EMPTY), (NO_NAMESPACE, GONE)}
        if made == NO_NAMESPACE:
            assert list(folder.rglob("*.json")) == []


def test_rename_into_a_namespace_that_is_dropped(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(2 * ROUNDS):
        table, target = make_table(client, namespace), make_namespace(client)
        body = rename_request((namespace, table.name), (target, "x"))
        renamed, dropped = map(
            outcome,
            at_once(
                [
                    call(server, "POST", "/v1/tables/rename", json=body),
                    call(server, "DELETE", namespace_path(target)),
                ]
            ),
        )
        assert (renamed, dropped) in {(GONE, NOT_EMPTY), (NO_NAMESPACE, GONE)}


def test_drop_against_commit(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(2 * ROUNDS):
        table = make_table(client, namespace)
        folder = local(table.metadata["location"])
        calls = [commit(server, table.path, set_properties(a="1")), call(server, "DELETE", table.path)]
        committed, dropped = map(outcome, at_once(calls))
        assert dropped == GONE
        assert committed in {CREATED, NO_TABLE}
        assert client.head(table.path).status_code == 404
        assert len(list(folder.rglob("*.json"))) == (2 if committed == CREATED else 1)


def test_drop_against_drop(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(ROUNDS):
        table = make_table(client, namespace)
        assert outcomes([call(server, "DELETE", table.path) for _ in range(4)]) == {GONE: 1, NO_TABLE: 3}


def test_recreation_against_commit_to_the_old_table(
    server: TestServer, client: Client, namespace: str
) -> None:
    for _ in range(ROUNDS):
        table = make_table(client, namespace)
        uuid = table.metadata["table-uuid"]

        def recreate(table: Tabular = table) -> requests.Response:
            with Client(server.url) as other:
                other.delete(table.path)
                body = create_table_request(table.name)
                return other.post(f"{namespace_path(namespace)}/tables", json=body)

        old = commit(server, table.path, set_properties(old="1"), requirements=[assert_uuid(uuid)])
        made, committed = map(outcome, at_once([recreate, old]))
        assert made == CREATED
        assert committed in {CREATED, NO_TABLE, LOST}
        assert "old" not in table.metadata["properties"]


def test_rename_against_commit(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(2 * ROUNDS):
        table, new = make_table(client, namespace), unique_name("new")
        body = rename_request((namespace, table.name), (namespace, new))
        calls = [
            commit(server, table.path, set_properties(a="1")),
            call(server, "POST", "/v1/tables/rename", json=body),
        ]
        committed, renamed = map(outcome, at_once(calls))
        assert renamed == GONE
        assert committed in {CREATED, NO_TABLE}
        assert client.head(table.path).status_code == 404
        properties = ok(client.get(table_path(namespace, new)))["metadata"]["properties"]
        assert ("a" in properties) == (committed == CREATED)


def test_renames_onto_one_name(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(ROUNDS):
        target = unique_name("target")
        tables = [make_table(client, namespace) for _ in range(4)]
        calls = [
            call(
                server,
                "POST",
                "/v1/tables/rename",
                json=rename_request((namespace, table.name), (namespace, target)),
            )
            for table in tables
        ]
        assert outcomes(calls) == {GONE: 1, TAKEN: 3}
        assert client.head(table_path(namespace, target)).status_code == 204


def test_chain_and_swap_of_renames(server: TestServer, client: Client, namespace: str) -> None:
    """a→b and b→c at once, then x→y and y→x: the result equals some order, nothing is lost."""
    for _ in range(ROUNDS):
        a, b, c = make_table(client, namespace), make_table(client, namespace), unique_name("c")
        uuids = {table.metadata["table-uuid"] for table in (a, b)}
        moves = [(a.name, b.name), (b.name, c), (b.name, a.name)]
        calls = [
            call(
                server,
                "POST",
                "/v1/tables/rename",
                json=rename_request((namespace, old), (namespace, new)),
            )
            for old, new in moves
        ]
        assert set(outcomes(calls)) <= {GONE, TAKEN, NO_TABLE}
        left = [client.get(table_path(namespace, name)) for name in (a.name, b.name, c)]
        found = [answer.json()["metadata"]["table-uuid"] for answer in left if answer.status_code == 200]
        assert sorted(found) == sorted(uuids)


def test_property_updates_of_one_namespace(server: TestServer, client: Client, namespace: str) -> None:
    path = f"{namespace_path(namespace)}/properties"
    calls = [call(server, "POST", path, json={"updates": {f"p{n}": str(n)}}) for n in range(10)]
    assert outcomes(calls) == {CREATED: 10}
    properties = ok(client.get(namespace_path(namespace)))["properties"]
    assert {f"p{n}": str(n) for n in range(10)}.items() <= properties.items()


def test_load_during_commits_is_never_mixed(server: TestServer, table: Tabular) -> None:
    """Location and metadata are of one version: the log of a load names all files before its own."""
    calls: list[Call] = [commit(server, table.path, set_properties(n=str(n))) for n in range(8)]
    calls += [call(server, "GET", table.path) for _ in range(16)]
    for answer in at_once(calls):
        body = ok(answer)
        version = int(body["metadata-location"].rpartition("/")[2][:5])
        assert len(body["metadata"]["metadata-log"]) == version


def test_overwriting_registration_against_commit(server: TestServer, client: Client, namespace: str) -> None:
    for _ in range(ROUNDS):
        table, other = make_table(client, namespace), make_table(client, namespace)
        location = other.location
        assert client.delete(other.path).status_code == 204
        body = {"name": table.name, "metadata-location": location, "overwrite": True}
        uuid = assert_uuid(table.metadata["table-uuid"])
        calls = [
            call(server, "POST", f"{namespace_path(namespace)}/register", json=body),
            commit(server, table.path, set_properties(old="1"), requirements=[uuid]),
        ]
        registered, committed = map(outcome, at_once(calls))
        assert registered == CREATED
        assert committed in {CREATED, LOST, NO_TABLE}
        assert table.location == location


class Walk:
    """One client that does random things to a few names, and what it was answered."""

    def __init__(self, server: TestServer, spaces: list[str], seed: int) -> None:
        self.server, self.spaces, self.random = server, spaces, random.Random(seed)
        self.answers: list[requests.Response] = []

    def __call__(self) -> "Walk":
        with Client(self.server.url) as client:
            for _ in range(40):
                method, path, body = self.step()
                self.answers.append(client.request(method, path, json=body))
        return self

    def step(self) -> tuple[str, str, Any]:
        pick = self.random.choice
        space, name = pick(self.spaces), pick("abc")
        there = (pick(self.spaces), pick("abc"))
        kind = pick(["tables", "tables", "views"])
        path = f"{namespace_path(space)}/{kind}"
        bodies = {"tables": create_table_request(name), "views": create_view_request(name)}
        steps: list[tuple[str, str, Any]] = [
            ("POST", path, bodies[kind]),
            ("POST", f"{path}/{name}", commit_request(set_properties(p=str(self.random.random())))),
            ("DELETE", f"{path}/{name}", None),
            ("POST", f"/v1/{kind}/rename", rename_request((space, name), there)),
            ("GET", f"{path}/{name}", None),
            ("GET", path, None),
            ("POST", f"{namespace_path(space)}/properties", {"updates": {"p": name}}),
            ("DELETE", namespace_path(space), None),
            ("POST", "/v1/namespaces", {"namespace": [space]}),
        ]
        weights = [6, 6, 2, 4, 2, 1, 1, 1, 2]
        return self.random.choices(steps, weights)[0]


def test_anything_against_anything(server: TestServer, client: Client) -> None:
    """Eight random walks over six names: no answer but the expected ones, and afterwards all is sound."""
    spaces = [make_namespace(client) for _ in range(2)]
    walks = at_once([Walk(server, spaces, seed) for seed in range(8)])
    answers = [answer for walk in walks for answer in walk.answers]
    odd = [answer.text for answer in answers if answer.status_code not in {200, 204, 404, 409}]
    assert odd == []
    assert sum(answer.status_code < 300 for answer in answers) > len(answers) / 4
    for space in spaces:
        for kind in ("tables", "views"):
            listed = client.get(f"{namespace_path(space)}/{kind}").json().get("identifiers", [])
            for item in listed:
                assert_sound(client, f"{namespace_path(space)}/{kind}/{item['name']}")


def assert_sound(client: Client, path: str) -> None:
    """The file that the catalog names exists and holds what a load answers."""
    loaded = ok(client.get(path))
    data = local(loaded["metadata-location"]).read_bytes()
    document = gzip.decompress(data) if ".gz." in loaded["metadata-location"] else data
    assert json.loads(document) == loaded["metadata"]
