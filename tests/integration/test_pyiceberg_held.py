"""Tables that PyIceberg drops, brought back with all their rows."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchTableError

from tests.contract.calls import ok
from tests.contract.holding import DAY, dropped, end_hold, purged, set_hold, undrop
from tests.integration.shapes import PEOPLE
from tests.support.server import Client, TestServer


@pytest.fixture
def client(any_server: TestServer) -> Iterator[Client]:
    """A session to a server that holds what is dropped for the time of a test."""
    set_hold(any_server, DAY)
    with Client(any_server.url) as session:
        yield session
    set_hold(any_server, None)


@pytest.mark.parametrize("drop", ["drop_table", "purge_table"])
def test_a_dropped_table_comes_back(
    client: Client, catalog: Catalog, space: str, people: pa.Table, drop: str
) -> None:
    table = catalog.create_table((space, "t"), PEOPLE)
    table.append(people)
    getattr(catalog, drop)((space, "t"))
    with pytest.raises(NoSuchTableError):
        catalog.load_table((space, "t"))
    again = catalog.create_table((space, "t"), PEOPLE)
    (item,) = (each for each in dropped(client) if each["uuid"] == str(table.metadata.table_uuid))
    assert item["purge"] == (drop == "purge_table")
    ok(undrop(client, item, name="back"))
    back = catalog.load_table((space, "back"))
    assert back.scan().to_arrow().equals(people.cast(back.scan().to_arrow().schema))
    back.append(people)
    assert catalog.load_table((space, "back")).scan().count() == 6
    assert again.scan().count() == 0


def test_a_purge_at_the_end_of_a_hold(
    any_server: TestServer, client: Client, catalog: Catalog, space: str, people: pa.Table
) -> None:
    """All files go, data too; not before."""
    table = catalog.create_table((space, "t"), PEOPLE)
    table.append(people)

    def left() -> set[str]:
        place = table.location().removeprefix("file://")
        return {file for file in any_server.warehouse.files() if place in file}

    files = left()
    catalog.purge_table((space, "t"))
    (item,) = (each for each in dropped(client) if each["uuid"] == str(table.metadata.table_uuid))
    assert left() == files
    end_hold(any_server, client, item)
    purged(any_server)
    assert left() == set()
