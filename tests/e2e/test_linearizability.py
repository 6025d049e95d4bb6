"""Two nodes of two workers each, asked by a crowd: everybody was answered as one catalog that does one thing after the
other, without copies or caches, could have answered."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

import pytest

from tests.conftest import MakeServer
from tests.support.identities import secured_settings
from tests.support.linear.crowd import CONTENT, record
from tests.support.linear.events import Event
from tests.support.linear.founding import found
from tests.support.linear.judge import mixed_answers, refute_history
from tests.support.linear.spoil import with_lost_commit, with_stale_load
from tests.support.linear.world import World
from tests.support.postgres import Postgres
from tests.support.process import eventually
from tests.support.server import TestServer
from tests.support.warehouses import LocalWarehouse

COUNT = 350
Pair = tuple[TestServer, TestServer]
MakePair = Callable[..., AbstractContextManager[Pair]]
SEEN = {
    *(("load", 200), ("load", 304), ("load", 404), ("has", 204), ("list", 200), ("list", 404)),
    *(("load_space", 200), ("load_space", 404), ("has_space", 204), ("list_spaces", 200)),
    *(("create", 200), ("create", 409), ("commit", 200), ("append", 200), ("transact", 204)),
    *(
        ("rename", 204),
        ("create_space", 200),
        ("rename_space", 204),
        ("drop_space", 204),
        ("update_space", 200),
    ),
    *(("grant", 200), ("revoke", 200), ("join", 204)),
}


@pytest.fixture(scope="module")
def make_pair(make_server: MakeServer, postgres: Postgres, template) -> MakePair:
    """Start two nodes on one database, which want to know who asks."""

    @contextmanager
    def make(**settings: object) -> Iterator[Pair]:
        warehouse, database = LocalWarehouse(), postgres.clone(template)
        options = {"warehouse": warehouse, "database": database, "settings": secured_settings(**settings)}
        with make_server(**options) as first, make_server(**options) as second:
            yield first, second
        postgres.drop(database)
        warehouse.remove()

    return make


def hot_answers(server: TestServer) -> float:
    """How many answers its workers gave from what they remember."""
    return server.metric("bingsan_hot_answers_total")


class Recorded(NamedTuple):
    """A history, and how many of its answers each node gave from what its workers remembered."""

    events: list[Event]
    hot_answers: list[float]


@pytest.fixture(scope="module")
def recorded(make_pair: MakePair) -> Recorded:
    with make_pair() as pair:
        crowd = found(pair)._replace(count=COUNT)
        events = record(crowd) + record(crowd._replace(actions=CONTENT, first=crowd.clients))
        return Recorded(events, list(map(hot_answers, pair)))


def test_one_order_explains_all_answers(recorded: Recorded) -> None:
    refuted = refute_history(recorded.events, World())
    assert refuted is None, str(refuted)
    assert mixed_answers(recorded.events) == []


def test_there_is_something_to_judge(recorded: Recorded) -> None:
    """Everybody was answered, much of it from memory, and all that can happen did."""
    happened = Counter((event.asked.action, event.status) for event in recorded.events)
    assert set(happened) >= SEEN, SEEN - set(happened)
    assert not [str(event) for event in recorded.events if event.is_unknown]
    assert all(answers > 100 for answers in recorded.hot_answers), recorded.hot_answers


def test_it_would_have_been_noticed(recorded: Recorded) -> None:
    """The same history with one answer that is stale, or without a commit whose effect was seen."""
    assert refute_history(with_stale_load(recorded.events), World()) is not None
    assert refute_history(with_lost_commit(recorded.events), World()) is not None


def test_workers_that_go_on_giving_what_has_changed_are_noticed(make_pair: MakePair) -> None:
    with make_pair(testing__enabled=True, testing__cache_invalidation=False) as pair:
        events = record(found(pair)._replace(count=100, actions=CONTENT))
        eventually(lambda: sum(map(hot_answers, pair)) > 0, 10, "something was answered from memory")
    assert refute_history(events, World()) is not None
