"""Two nodes on one database."""

from collections.abc import Iterator

import pytest

from tests.contract.two_nodes.meetings import WAYS, Way
from tests.support.nodes import Nodes
from tests.support.server import Client


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    """How the two requests of the test meet."""
    found: Way = request.param
    return found


@pytest.fixture
def client(nodes: Nodes) -> Iterator[Client]:
    """An HTTP session to the first node."""
    with Client(nodes.servers[0].url) as session:
        yield session
