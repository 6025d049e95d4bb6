"""DELETE with purgeRequested: the name is gone at once, the files soon after."""

import pytest

from tests.contract.bodies import append
from tests.contract.calls import Tabular, assert_error, local, no_content
from tests.factories import set_properties
from tests.support.process import eventually
from tests.support.server import Client


@pytest.mark.lenient("Python clients send True")
@pytest.mark.parametrize("flag", ["true", "True", "TRUE"])
def test_purge_deletes_the_files_afterwards(client: Client, table: Tabular, flag: str) -> None:
    table.commit(set_properties(a="1"))
    table.commit(*append(1, 1))
    folder = local(table.metadata["location"])
    assert len(list(folder.rglob("*.json"))) == 3
    no_content(client.delete(f"{table.path}?purgeRequested={flag}"))
    assert_error(client.get(table.path), 404, "NoSuchTableException")
    eventually(lambda: not list(folder.rglob("*.json")), 20, "all metadata files are purged")
