"""A namespace that is created while somebody else drops it: between two statements of the drop, by a trigger."""

from collections.abc import Iterator

import pytest

from app.catalog.context import Caller, Catalog
from app.catalog.namespaces import drop_namespace
from app.catalog.storages import WarehouseStorages
from app.catalog.warehouses import ensure_default_warehouse, load_warehouse
from app.changes.origin import Origin
from app.config import Settings
from app.db import Database
from app.errors import ConflictException, NoSuchNamespaceException
from app.identifiers import Namespace
from app.storage.executor import DirectExecutor
from tests.support.postgres import DatabaseAddress
from tests.support.server import TestServer
from tests.support.warehouses import LocalWarehouse

LATE = Namespace(["late"])
TRIGGER = """
CREATE FUNCTION create_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO namespaces (warehouse_id, levels, location, protected) VALUES (1, '{{late}}', 'file:///late', {});
    RETURN NULL;
END $$;
CREATE TRIGGER late AFTER DELETE ON namespaces FOR EACH STATEMENT EXECUTE FUNCTION create_it()"""
CALLER = Caller(Origin(principal="test", principal_kind="service", request_id="1"), deadline=float("inf"))


@pytest.fixture
def catalog(database: DatabaseAddress) -> Iterator[Catalog]:
    place = LocalWarehouse()
    node = TestServer(place, database)
    settings = Settings.load(environ=node.environment())
    db = Database(settings, pool_size=1)
    ensure_default_warehouse(db, settings)
    yield Catalog(settings, db, WarehouseStorages(settings), DirectExecutor())
    db.close()
    node.remove()
    place.remove()


@pytest.mark.parametrize(
    ("protected", "refusal"), [("false", NoSuchNamespaceException), ("true", ConflictException)]
)
def test_it_is_not_there_yet(
    catalog: Catalog, database: DatabaseAddress, protected: str, refusal: type[Exception]
) -> None:
    """Nobody had protected it, so nobody is told so."""
    database.query(TRIGGER.format(protected))
    warehouse = load_warehouse(catalog.db, 1)
    with pytest.raises(refusal):
        drop_namespace(catalog, CALLER, warehouse, LATE)
    assert database.query("SELECT count(*) FROM namespaces") == [(0,)]


def test_force_does_not_find_what_is_not_there(catalog: Catalog, database: DatabaseAddress) -> None:
    database.query(TRIGGER.format("false"))
    with pytest.raises(NoSuchNamespaceException):
        drop_namespace(catalog, CALLER, load_warehouse(catalog.db, 1), LATE, force=True)
