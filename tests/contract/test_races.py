"""Races of commits (section 10.2): each has one outcome that makes sense, none leaves rubbish."""

import requests

from tests.contract.bodies import (
    add_snapshot,
    append,
    assert_ref,
    assert_uuid,
    set_ref,
)
from tests.contract.calls import (
    Tabular,
    at_once,
    local,
    make_table,
    namespace_path,
    ok,
    rename_request,
    table_path,
)
from tests.contract.racing import CREATED, GONE, LOST, NO_TABLE, ROUNDS, Call, call, commit, outcome, outcomes
from tests.factories import create_table_request, set_properties, unique_name
from tests.support.server import Client, TestServer


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
