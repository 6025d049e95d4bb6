"""An answer that a worker is about to remember while what it says changes: it must not be given again.

The answer is held between the reads for it and the moment it is kept. What the others do meanwhile is done at the other
node.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from tests.conftest import MakeNodes
from tests.contract.calls import (
    Tabular,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    rename_request,
    table_path,
    view_version,
)
from tests.contract.holding import management_path
from tests.factories import commit_request, set_properties, unique_name
from tests.support.lines import Line, Reply, line_to_every_worker
from tests.support.nodes import Nodes
from tests.support.process import eventually
from tests.support.server import HOT_WAY, Client, is_hot

PLACE = "reply.keep"


class Crew(NamedTuple):
    """``first`` and ``second`` lead to the same worker, ``elsewhere`` and ``client`` to the other node."""

    nodes: Nodes
    first: Line
    second: Line
    elsewhere: Line
    client: Client

    @contextmanager
    def about_to_keep(self, method: str, path: str) -> Iterator[Future[Reply]]:
        """Have the worker asked, and stop it before it remembers the answer, for the time of the block."""
        for line in (self.first, self.second, self.elsewhere):
            # Answers are kept after they were sent. This one never is, and comes when all before it are.
            assert line.ask("GET", "/ready", {}).status == 200
        with ThreadPoolExecutor(1) as pool, self.nodes.stopped_at(PLACE) as arrived:
            asked = pool.submit(self.first.ask, method, path, {})
            eventually(arrived, 15, "the answer is about to be kept")
            yield asked

    def look(self) -> None:
        """Have the worker look at what has changed."""
        assert self.second.ask("GET", "/v1/config", {}).status == 200

    def hot_answers(self) -> float:
        return self.nodes.servers[0].metric("bingsan_hot_answers_total")


@pytest.fixture(scope="module")
def nodes(nodes: Nodes, make_nodes: MakeNodes) -> Iterator[Nodes]:
    """The shared nodes, or two of our own where the shared ones have the hot way off."""
    if is_hot():
        yield nodes
        return
    with make_nodes(settings=HOT_WAY) as running:
        yield running


@pytest.fixture(scope="module")
def crew(nodes: Nodes) -> Iterator[Crew]:
    here, there = nodes.servers
    with (
        line_to_every_worker(here) as lines,
        line_to_every_worker(here) as others,
        line_to_every_worker(there) as elsewhere,
        Client(there.url) as client,
    ):
        (same,) = (line for line in others if line.worker() == lines[0].worker())
        yield Crew(nodes, lines[0], same, elsewhere[0], client)


class Case(NamedTuple):
    """What is asked, and what changes the answer."""

    method: str
    path: str
    change: Callable[[], object]


def committed(table: Tabular) -> Case:
    return Case("GET", table.path, lambda: table.commit(set_properties(a="1")))


def replaced(table: Tabular) -> Case:
    view = make_view(table.client, table.namespace)
    updates = (
        {"action": "add-view-version", "view-version": view_version("SELECT 2")},
        {"action": "set-current-view-version", "view-version-id": -1},
    )
    return Case("GET", view.path, lambda: ok(table.client.post(view.path, json=commit_request(*updates))))


def dropped(table: Tabular) -> Case:
    return Case("HEAD", table.path, lambda: no_content(table.client.delete(table.path)))


def created(table: Tabular) -> Case:
    """What is not there is remembered as well."""
    name = unique_name("late")
    path = table_path(table.namespace, name)
    return Case("GET", path, lambda: make_table(table.client, table.namespace, name))


def renamed_away(table: Tabular) -> Case:
    return Case("GET", table.path, lambda: _rename(table, unique_name("other")))


def renamed_hither(table: Tabular) -> Case:
    name = unique_name("other")
    return Case("GET", table_path(table.namespace, name), lambda: _rename(table, name))


def listed(table: Tabular) -> Case:
    path = f"{namespace_path(table.namespace)}/tables"
    return Case("GET", path, lambda: make_table(table.client, table.namespace))


def listed_no_more(table: Tabular) -> Case:
    path = f"{namespace_path(table.namespace)}/tables"
    return Case("GET", path, lambda: no_content(table.client.delete(table.path)))


def listed_below(table: Tabular) -> Case:
    path = f"/v1/namespaces?parent={table.namespace}"
    return Case("GET", path, lambda: make_namespace(table.client, table.namespace))


def namespace_updated(table: Tabular) -> Case:
    path = namespace_path(table.namespace)
    change = {"updates": {"a": "1"}}
    return Case("GET", path, lambda: ok(table.client.post(f"{path}/properties", json=change)))


def namespace_dropped(table: Tabular) -> Case:
    path = namespace_path(make_namespace(table.client))
    return Case("HEAD", path, lambda: no_content(table.client.delete(path)))


def namespace_renamed(table: Tabular) -> Case:
    path = management_path(table.namespace, below="/rename")
    body = {"destination": [unique_name("other")]}
    return Case("GET", table.path, lambda: no_content(table.client.post(path, json=body)))


CASES = [
    *(committed, replaced, dropped, created, renamed_away, renamed_hither),
    *(listed, listed_no_more, listed_below, namespace_updated, namespace_dropped, namespace_renamed),
]


def _rename(table: Tabular, name: str) -> None:
    body = rename_request((table.namespace, table.name), (table.namespace, name))
    no_content(table.client.post("/v1/tables/rename", json=body))


@pytest.fixture
def table(crew: Crew) -> Tabular:
    return make_table(crew.client, make_namespace(crew.client))


@pytest.mark.parametrize("looks", [True, False], ids=["the worker has looked", "it looks later"])
@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_it_is_not_given_again(
    crew: Crew, table: Tabular, make: Callable[[Tabular], Case], looks: bool
) -> None:
    method, path, change = make(table)
    with crew.about_to_keep(method, path) as asked:
        change()
        if looks:
            crew.look()
    before = asked.result(30)
    after = crew.elsewhere.ask(method, path, {})
    assert (after.status, after.body) != (before.status, before.body)
    assert [crew.first.ask(method, path, {}) for _ in range(3)] == [after] * 3


@pytest.mark.parametrize("looks", [True, False], ids=["the worker has looked", "it looks later"])
def test_it_is_given_again_when_something_else_has_changed(crew: Crew, table: Tabular, looks: bool) -> None:
    """Else nothing could ever be remembered while others commit."""
    other = make_table(crew.client, table.namespace)
    crew.look()
    with crew.about_to_keep("GET", table.path) as asked:
        for number in range(3):
            other.commit(set_properties(a=str(number)))
            if looks:
                crew.look()
    before, hot = asked.result(30), crew.hot_answers()
    assert crew.first.ask("GET", table.path, {}) == before
    eventually(lambda: crew.hot_answers() > hot, 10, "it was answered from what is remembered")
