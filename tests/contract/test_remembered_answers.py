"""Answers that workers remember: the same as those that are made anew, whatever has happened in between."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
import requests

from tests.conftest import MakeServer
from tests.contract.calls import (
    Tabular,
    create_view_request,
    namespace_path,
    no_content,
    ok,
    rename_request,
    table_path,
    view_path,
)
from tests.contract.holding import DAY, drop, job_of, management_path, set_hold
from tests.contract.holding import undrop as bring_back
from tests.contract.rights import grant, on_namespace, on_table, person_with, revoke
from tests.factories import commit_request, create_table_request, set_properties, unique_name
from tests.support.identities import Identities
from tests.support.process import eventually
from tests.support.server import HOT_WAY, Client, TestServer, is_hot

CONNECTIONS = 8
ANEW = {"Range": "bytes=0-"}
"""No read of ours knows ranges, and no request with one is answered from memory."""
VARYING = {"Date", "X-Request-ID"}


class Ground(NamedTuple):
    """A namespace with a table, a view and a namespace below, and a name that nothing has."""

    client: Client
    namespace: str
    other: str

    @property
    def reads(self) -> list[str]:
        places = [(self.namespace,), (self.other,), (self.namespace, "below"), (self.namespace, "new")]
        paths = [namespace_path(*place) + kind for place in places for kind in ("", "/tables", "/views")]
        for space in (self.namespace, self.other):
            paths += [table_path(space, name) for name in ("t", "new", "v")]
            paths += [view_path(space, name) for name in ("v", "new", "t")]
        return [*paths, f"/v1/namespaces?parent={self.namespace}", "/v1/namespaces?pageSize=1", "/v1/config"]


@pytest.fixture(scope="module")
def holding(holding: TestServer, make_server: MakeServer) -> Iterator[TestServer]:
    """The shared server, or one of our own where the shared ones have the hot way off."""
    if is_hot():
        yield holding
        return
    with make_server(settings=HOT_WAY) as running:
        set_hold(running, DAY)
        yield running


@pytest.fixture
def ground(holding: TestServer) -> Iterator[Ground]:
    with Client(holding.url) as client:
        made = Ground(client, unique_name("remembered"), unique_name("other"))
        for levels in ([made.namespace], [made.other], [made.namespace, "below"]):
            ok(client.post("/v1/namespaces", json={"namespace": levels}))
        ok(client.post(namespace_path(made.namespace) + "/tables", json=create_table_request("t")))
        ok(client.post(namespace_path(made.namespace) + "/views", json=create_view_request("v")))
        yield made


def shown(answer: requests.Response) -> tuple[Any, ...]:
    headers = {name: value for name, value in answer.headers.items() if name not in VARYING}
    return answer.status_code, headers, answer.content


def commit(at: Ground) -> None:
    ok(at.client.post(table_path(at.namespace, "t"), json=commit_request(set_properties(a="b"))))


def update_namespace(at: Ground) -> None:
    ok(at.client.post(f"{namespace_path(at.namespace)}/properties", json={"updates": {"a": "b"}}))


def create_table(at: Ground) -> None:
    ok(at.client.post(namespace_path(at.namespace) + "/tables", json=create_table_request("new")))


def create_view(at: Ground) -> None:
    ok(at.client.post(namespace_path(at.other) + "/views", json=create_view_request("new")))


def create_namespace(at: Ground) -> None:
    ok(at.client.post("/v1/namespaces", json={"namespace": [at.namespace, "new"]}))


def drop_table(at: Ground) -> None:
    no_content(at.client.delete(table_path(at.namespace, "t")))


def drop_view(at: Ground) -> None:
    no_content(at.client.delete(view_path(at.namespace, "v")))


def drop_namespace(at: Ground) -> None:
    no_content(at.client.delete(namespace_path(at.other)))


def drop_and_create_again(at: Ground) -> None:
    drop_table(at)
    ok(at.client.post(namespace_path(at.namespace) + "/tables", json=create_table_request("t")))


def undrop(at: Ground) -> None:
    table = Tabular(at.client, at.namespace, "t", table_path(at.namespace, "t"))
    ok(bring_back(at.client, drop(table), name="new"))


def rename_table(at: Ground) -> None:
    body = rename_request((at.namespace, "t"), (at.other, "new"))
    no_content(at.client.post("/v1/tables/rename", json=body))


def rename_view(at: Ground) -> None:
    body = rename_request((at.namespace, "v"), (at.namespace, "new"))
    no_content(at.client.post("/v1/views/rename", json=body))


def unregister_and_register(at: Ground) -> None:
    gone = ok(at.client.post(table_path(at.namespace, "t") + "/unregister"))
    body = {"name": "new", "metadata-location": gone["metadata-location"]}
    ok(at.client.post(namespace_path(at.namespace) + "/register", json=body))


def transaction(at: Ground) -> None:
    ok(at.client.post(namespace_path(at.other) + "/tables", json=create_table_request("new")))
    changes = [
        {"identifier": {"namespace": [space], "name": name}, **commit_request(set_properties(x=space))}
        for space, name in ((at.namespace, "t"), (at.other, "new"))
    ]
    no_content(at.client.post("/v1/transactions/commit", json={"table-changes": changes}))


def rename_namespace(at: Ground) -> None:
    path = management_path(at.namespace, "below", below="/rename")
    no_content(at.client.post(path, json={"destination": [at.namespace, "new"]}))


def protect(at: Ground) -> None:
    ok(at.client.put(management_path(at.namespace, below="/protection"), json={"protected": True}))


def drop_recursively(at: Ground) -> None:
    job_of(at.client, ok(at.client.delete(f"{management_path(at.namespace)}?recursive=true"), 202))


MUTATIONS = [
    commit,
    update_namespace,
    create_table,
    create_view,
    create_namespace,
    drop_table,
    drop_view,
    drop_namespace,
    drop_and_create_again,
    undrop,
    rename_table,
    rename_view,
    unregister_and_register,
    transaction,
    rename_namespace,
    protect,
    drop_recursively,
]


@pytest.mark.parametrize("mutate", MUTATIONS)
def test_nothing_stale_is_remembered(
    holding: TestServer, ground: Ground, mutate: Callable[[Ground], None]
) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(holding.url)) for _ in range(CONNECTIONS)]
        for _ in range(2):
            for path in ground.reads:
                answers = [shown(client.get(path)) for client in clients]
                assert answers == [answers[0]] * CONNECTIONS, path
        mutate(ground)
        for _ in range(2):
            for path in ground.reads:
                expected = shown(ground.client.get(path, headers=ANEW))
                assert [shown(client.get(path)) for client in clients] == [expected] * CONNECTIONS, path


def hot(server: TestServer) -> float:
    return server.metric("bingsan_hot_answers_total")


def test_reads_are_answered_from_memory(holding: TestServer, ground: Ground) -> None:
    with Client(holding.url) as client:
        for path in ground.reads:
            for _ in range(2):
                client.get(path)
        before = hot(holding)
        for path in ground.reads:
            client.get(path)
        eventually(lambda: hot(holding) >= before + len(ground.reads), 10, "all of them are counted")


def test_commits_elsewhere_leave_them(holding: TestServer, ground: Ground) -> None:
    """Many changes between two reads, none of them about the table."""
    create_view(ground)
    ok(ground.client.post(namespace_path(ground.other) + "/tables", json=create_table_request("busy")))
    path, busy = table_path(ground.namespace, "t"), table_path(ground.other, "busy")
    with Client(holding.url) as client:
        client.get(path)
        before, misses = hot(holding), holding.metric("bingsan_cache_misses_total")
        for number in range(20):
            ok(ground.client.post(busy, json=commit_request(set_properties(a=str(number)))))
            ok(client.get(path))
        eventually(lambda: hot(holding) >= before + 20, 10, "all of them came from memory")
        assert holding.metric("bingsan_cache_misses_total") <= misses + 10  # some were not counted before


def test_unmodified_from_memory(holding: TestServer, ground: Ground) -> None:
    path = table_path(ground.namespace, "t")
    with Client(holding.url) as client:
        tag = client.get(path).headers["ETag"]
        for _ in range(3):
            answer = client.get(path, headers={"If-None-Match": tag})
            assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
        commit(ground)
        for _ in range(3):
            assert client.get(path, headers={"If-None-Match": tag}).status_code == 200
        newer = client.get(path).headers["ETag"]
        assert client.get(path, headers={"If-None-Match": f'"x", W/{newer}'}).status_code == 304
        drop_table(ground)
        assert client.get(path, headers={"If-None-Match": "*"}).status_code == 404


def test_rights_are_those_of_now(identities: Identities, admin: Client) -> None:
    """Two people, one path: what one may see the other does not get, and a right taken back is gone at once."""
    namespace = unique_name("rights")
    ok(admin.post("/v1/namespaces", json={"namespace": [namespace]}))
    ok(admin.post(namespace_path(namespace) + "/tables", json=create_table_request("t")))
    reader, may = person_with(identities, on_table(namespace, "t"))
    _, may_not = person_with(identities, on_table(namespace, "t"))
    path, everybody = table_path(namespace, "t"), (may, may_not, admin)
    for _ in range(3):
        for _ in range(4):
            assert [one.get(path).status_code for one in everybody] == [404, 404, 200]
        grant(admin, on_table(namespace, "t"), reader.name, "read-metadata")
        for _ in range(4):
            assert [one.get(path).status_code for one in everybody] == [200, 404, 200]
        revoke(admin, on_table(namespace, "t"), reader.name, "read-metadata")


def test_what_is_listed_for_whom(identities: Identities, admin: Client) -> None:
    """Somebody with rights on single tables: what others create and drop shows in the lists at once."""
    namespace = unique_name("rights")
    ok(admin.post("/v1/namespaces", json={"namespace": [namespace]}))
    tables = namespace_path(namespace) + "/tables"
    ok(admin.post(tables, json=create_table_request("mine")))
    _, client = person_with(identities, on_table(namespace, "mine"), "list")
    _, creator = person_with(identities, on_namespace(namespace), "create")
    for number in range(4):
        assert names(client.get(tables)) == names(client.get(tables)) == ["mine"]
        own = [f"t{before}" for before in range(number)]
        assert names(creator.get(tables)) == names(creator.get(tables)) == ["mine", *own]
        ok(creator.post(tables, json=create_table_request(f"t{number}")))
    no_content(admin.delete(f"{tables}/mine"))
    assert client.get(tables).status_code == 404
    assert names(creator.get(tables)) == [f"t{number}" for number in range(4)]


def names(answer: requests.Response) -> list[str]:
    return [identifier["name"] for identifier in ok(answer)["identifiers"]]
