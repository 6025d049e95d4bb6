"""Races of commits (section 10.2): each has one outcome that makes sense, none leaves rubbish."""

from tests.contract.bodies import (
    add_snapshot,
    assert_ref,
    assert_uuid,
    set_ref,
)
from tests.contract.calls import (
    Tabular,
    at_once,
    local,
    ok,
)
from tests.contract.racing import CREATED, LOST, ROUNDS, Call, call, commit, outcomes
from tests.factories import set_properties
from tests.support.server import TestServer


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


def test_each_answer_describes_its_own_commit(server: TestServer, table: Tabular) -> None:
    answers = at_once([commit(server, table.path, set_properties(mine=str(n))) for n in range(6)])
    bodies = [ok(answer) for answer in answers]
    assert {body["metadata"]["properties"]["mine"] for body in bodies} == set("012345")
    locations = {body["metadata-location"] for body in bodies}
    assert len(locations) == 6
    assert len({body["metadata"]["last-updated-ms"] for body in bodies}) == 6
    assert table.location in locations


def test_load_during_commits_is_never_mixed(server: TestServer, table: Tabular) -> None:
    """Location and metadata are of one version: the log of a load names all files before its own."""
    calls: list[Call] = [commit(server, table.path, set_properties(n=str(n))) for n in range(8)]
    calls += [call(server, "GET", table.path) for _ in range(16)]
    for answer in at_once(calls):
        body = ok(answer)
        version = int(body["metadata-location"].rpartition("/")[2][:5])
        assert len(body["metadata"]["metadata-log"]) == version
