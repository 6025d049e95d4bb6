"""The two ways to an answer."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from tests.conftest import SHARED, MakeServer
from tests.http.world import Ways, furnished
from tests.support.identities import secured_settings
from tests.support.postgres import DatabaseAddress, Postgres
from tests.support.process import eventually
from tests.support.warehouses import LocalWarehouse

MakeWays = Callable[..., AbstractContextManager[Ways]]


@pytest.fixture(scope="session")
def make_ways(make_server: MakeServer, postgres: Postgres, template: DatabaseAddress) -> MakeWays:
    """Start two nodes of one worker each on one database: ``with make_ways(server__keep_alive="1s") as ways``."""

    @contextmanager
    def make(**more: object) -> Iterator[Ways]:
        warehouse, database = LocalWarehouse(), postgres.clone(template)
        settings = secured_settings(**more)
        options: dict[str, Any] = {"warehouse": warehouse, "database": database, "workers": 1}
        with (
            make_server(settings={**settings, "server.hot_path": True}, **options) as hot,
            make_server(settings={**settings, "server.hot_path": False}, **options) as stock,
        ):
            yield furnished(hot, stock)
        eventually(lambda: not postgres.connections(database), 5, "no connection is left open")
        postgres.drop(database)
        warehouse.remove()

    return make


@pytest.fixture(scope="session")
def ways(make_ways: MakeWays) -> Iterator[Ways]:
    """The pair that tests share."""
    with make_ways() as running:
        SHARED.extend([running.hot, running.stock])
        yield running
        SHARED.remove(running.hot)
        SHARED.remove(running.stock)
