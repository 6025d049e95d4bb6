"""Two nodes of two workers each, asked by a crowd: everybody was answered as one catalog that does one thing after the
other, without copies or caches, could have answered."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.conftest import MakeServer
from tests.support.identities import secured_settings
from tests.support.linear.crowd import record
from tests.support.linear.events import Event
from tests.support.linear.founding import found
from tests.support.linear.judge import mixed_answers, refute_history
from tests.support.linear.spoil import with_lost_commit, with_stale_load
from tests.support.linear.world import World
from tests.support.postgres import Postgres
from tests.support.server import TestServer
from tests.support.warehouses import LocalWarehouse

WORLDS, CLIENTS, COUNT = 4, 8, 500
Pair = tuple[TestServer, TestServer]
MakePair = Callable[..., AbstractContextManager[Pair]]
SEEN = {
    *(("load", 200), ("load", 304), ("load", 404), ("has", 204), ("list", 200), ("list", 404)),
    *(("load_space", 200), ("load_space", 404), ("has_space", 204), ("list_spaces", 200)),
    *(("create", 200), ("create", 409), ("commit", 200), ("append", 200), ("append", 409), ("drop", 204)),
    *(
        ("rename", 204),
        ("create_space", 200),
        ("rename_space", 204),
        ("drop_space", 204),
        ("update_space", 200),
    ),
    *(("grant", 200), ("revoke", 200), ("join", 204), ("leave", 204)),
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


@pytest.fixture(scope="module")
def history(make_pair: MakePair) -> list[Event]:
    with make_pair() as pair:
        return record(found(pair, WORLDS, CLIENTS, COUNT, seed=6))


def test_one_order_explains_all_answers(history: list[Event]) -> None:
    refuted = refute_history(history, World())
    assert refuted is None, str(refuted)
    assert mixed_answers(history) == []


def test_there_is_something_to_judge(history: list[Event]) -> None:
    """Everybody was answered, and all that can happen did."""
    happened = Counter((event.asked.action, event.status) for event in history)
    assert sum(happened.values()) == CLIENTS * COUNT
    assert set(happened) >= SEEN, SEEN - set(happened)
    assert not [str(event) for event in history if event.is_unknown]


def test_it_would_have_been_noticed(history: list[Event]) -> None:
    """The same history with one answer that is stale, or without a commit whose effect was seen."""
    assert refute_history(with_stale_load(history), World()) is not None
    assert refute_history(with_lost_commit(history), World()) is not None
