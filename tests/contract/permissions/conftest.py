"""One world for all cells; each is asked on it as it was at first."""

from collections.abc import Iterator

import pytest

from tests.conftest import SHARED, MakeServer
from tests.contract.managed import Grounds
from tests.contract.permissions.table import Table, read_table
from tests.contract.permissions.world import World

TABLE = read_table()
# Without a jobs process: what is asked for stays to be seen.
SETTINGS: dict[str, object] = {
    "auth.enabled": True,
    "auth.api_key.enabled": True,
    "auth.acl.enabled": True,
}


@pytest.fixture(scope="session")
def table() -> Table:
    return TABLE


@pytest.fixture(scope="session")
def world(make_server: MakeServer) -> Iterator[World]:
    grounds = Grounds()
    settings = {**grounds.settings(), **SETTINGS}
    with make_server(entry="gunicorn", workers=1, settings=settings) as server:
        SHARED.append(server)
        made = World(server, grounds, TABLE)
        yield made
        made.state.close()
        SHARED.remove(server)
    grounds.remove()
