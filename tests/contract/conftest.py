"""Objects that contract tests start from."""

import pytest

from tests.contract.bodies import append, set_ref
from tests.contract.calls import Tabular, make_table, make_view
from tests.support.server import Client


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
