"""Objects that contract tests start from."""

from collections.abc import Iterator

import pytest

from tests.conftest import SHARED, MakeServer
from tests.contract.bodies import append, set_ref
from tests.contract.calls import Tabular, make_table, make_view
from tests.contract.holding import DAY, set_hold
from tests.support.server import Client, TestServer


@pytest.fixture(scope="session")
def holding(make_server: MakeServer) -> Iterator[TestServer]:
    """A server whose default warehouse holds what is dropped for a day."""
    with make_server() as running:
        set_hold(running, DAY)
        SHARED.append(running)
        yield running
        SHARED.remove(running)


@pytest.fixture
def table(client: Client, namespace: str) -> Tabular:
    """A new table with the columns ``id`` and ``name``."""
    return make_table(client, namespace)


@pytest.fixture
def view(client: Client, namespace: str) -> Tabular:
    """A new view with one query in the dialect ``spark``."""
    return make_view(client, namespace)


@pytest.fixture
def busy(client: Client, namespace: str) -> Tabular:
    """A table with snapshots, a branch and a tag."""
    table = make_table(client, namespace)
    table.commit(*append(1, 1), set_ref(1, "b"), set_ref(1, "t", "tag"))
    return table
