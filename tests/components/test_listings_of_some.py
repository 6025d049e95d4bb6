"""What somebody may see of 10,000 tables and 2,000 namespaces: right in every page, by one statement each."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from app.auth.access import Access, Wanted
from app.auth.authority import Viewer, load_authority
from app.auth.decide import Need, Policy, Verdict
from app.auth.names import AuthorizedNames
from app.auth.principals import Principal
from app.auth.privileges import Privilege
from app.auth.sessions import Session
from app.catalog import namespaces, tables
from app.catalog.context import Catalog, Warehouse
from app.catalog.storages import WarehouseStorages
from app.catalog.warehouses import ensure_default_warehouse, load_warehouse
from app.config import Settings
from app.db import Database
from app.identifiers import Namespace
from app.storage.executor import DirectExecutor
from tests.support.postgres import DatabaseAddress, Postgres
from tests.support.server import TestServer
from tests.support.warehouses import LocalWarehouse

TABLES, NAMESPACES = 10_000, 2_000
SPACE = Namespace(["space"])
FILL = """
INSERT INTO namespaces (warehouse_id, levels, location) VALUES (1, '{space}', 'file:///s');
INSERT INTO namespaces (warehouse_id, parent_id, levels, location)
SELECT 1, n.id, n.levels || ('n' || lpad(i::text, 5, '0')), 'file:///s/n' || i
FROM namespaces n, generate_series(0, 1999) i;
INSERT INTO tabulars (
    warehouse_id, namespace_id, name, kind, uuid, location, location_key, metadata_location, document
)
SELECT 1, n.id, 't' || lpad(i::text, 5, '0'), 'table', gen_random_uuid(), 'file:///s/' || i, 'file:///s/' || i,
    'file:///s/' || i || '/m', '{}'
FROM namespaces n, generate_series(0, 9999) i
WHERE n.levels = '{space}';
INSERT INTO principals (name, kind, created_by) SELECT 'p' || every, 'service', 'test'
FROM unnest('{1,2,2500}'::int[]) every;
INSERT INTO principals (name, kind, created_by) VALUES ('owner', 'service', 'test'), ('reader', 'service', 'test');
INSERT INTO grants (principal_id, privilege, object_kind, object_id, warehouse_id, granted_by)
SELECT p.id, 'list', t.kind, t.id, 1, 'test' FROM principals p, tabulars t
WHERE p.name ~ '^p[0-9]' AND substr(t.name, 2)::int % substr(p.name, 2)::int = 0;
INSERT INTO grants (principal_id, privilege, object_kind, object_id, warehouse_id, granted_by)
SELECT p.id, 'list', 'namespace', n.id, 1, 'test' FROM principals p, namespaces n
WHERE p.name ~ '^p[0-9]' AND cardinality(n.levels) = 2
    AND substr(n.levels[2], 2)::int % substr(p.name, 2)::int = 0;
UPDATE tabulars SET owner_id = (SELECT id FROM principals WHERE name = 'owner') WHERE name LIKE '%7';
INSERT INTO grants (principal_id, privilege, object_kind, object_id, warehouse_id, granted_by)
SELECT p.id, 'list', 'namespace', n.id, 1, 'test' FROM principals p, namespaces n
WHERE p.name = 'reader' AND n.levels = '{space}';
SELECT 1
"""
SEEN = {
    "p2500": lambda number: number % 2500 == 0,
    "p2": lambda number: number % 2 == 0,
    "p1": lambda _: True,
    "owner": lambda number: number % 10 == 7,
    "reader": lambda _: True,
}


class Counted(Database):
    """Counts its statements."""

    statements = 0

    def fetch_all(self, query: str, /, **parameters: Any) -> list[Any]:
        self.statements += 1
        return super().fetch_all(query, **parameters)


class Filled(NamedTuple):
    catalog: Catalog
    db: Counted
    warehouse: Warehouse

    def access(self, name: str) -> Access:
        """Return what a principal without a credential's limits may do."""
        row = self.db.fetch_one("load_principal", name=name)
        session = Session(Principal(row.id, name, "service"))
        return Access(self.db, session, load_authority(self.db, row.id), Policy(), AuthorizedNames())

    def viewer(self, name: str) -> Viewer | None:
        return self.access(name).viewer(self.warehouse.id)


@pytest.fixture(scope="module")
def filled(postgres: Postgres, template: DatabaseAddress) -> Iterator[Filled]:
    place, address = LocalWarehouse(), postgres.clone(template)
    node = TestServer(place, address)
    settings = Settings.load(environ=node.environment())
    db = Counted(settings, pool_size=1)
    ensure_default_warehouse(db, settings)
    address.query(FILL)
    address.query("ANALYZE; SELECT 1")
    yield Filled(
        Catalog(settings, db, WarehouseStorages(settings), DirectExecutor()), db, load_warehouse(db, 1)
    )
    db.close()
    node.remove()
    postgres.drop(address)
    place.remove()


def pages(db: Counted, size: int, page: Callable[[str | None], list[str]]) -> list[list[str]]:
    """Read pages to the end, each by one statement."""
    found: list[list[str]] = []
    while not found or len(found[-1]) == size:
        before = db.statements
        found.append(page(found[-1][-1] if found else None))
        assert db.statements == before + 1 or not found[-1]
    return found


@pytest.mark.parametrize("name", SEEN)
def test_tables(filled: Filled, name: str) -> None:
    viewer = filled.viewer(name)
    assert viewer is not None
    expected = [f"t{number:05}" for number in range(TABLES) if SEEN[name](number)]

    def page(after: str | None) -> list[str]:
        return tables.list_tables(filled.catalog, filled.warehouse, SPACE, after, 100, viewer)

    read = pages(filled.db, 100, page)
    assert [each for one in read for each in one] == expected
    assert all(len(one) == 100 for one in read[:-1])
    assert tables.list_tables(filled.catalog, filled.warehouse, SPACE, None, None, viewer) == expected


@pytest.mark.parametrize("name", ["p2500", "p2", "p1", "reader"])
def test_namespaces(filled: Filled, name: str) -> None:
    viewer = filled.viewer(name)
    expected = [f"n{number:05}" for number in range(NAMESPACES) if SEEN[name](number)]

    def page(after: str | None) -> list[str]:
        found = namespaces.list_namespaces(filled.catalog, filled.warehouse, SPACE, after, 100, viewer)
        return [levels[-1] for levels in found]

    assert [each for one in pages(filled.db, 100, page) for each in one] == expected
    assert namespaces.list_namespaces(filled.catalog, filled.warehouse, None, None, None, viewer) == [SPACE]


def test_owner_of_tables_sees_their_namespace_and_no_other(filled: Filled) -> None:
    viewer = filled.viewer("owner")
    assert namespaces.list_namespaces(filled.catalog, filled.warehouse, None, None, None, viewer) == [SPACE]
    assert namespaces.list_namespaces(filled.catalog, filled.warehouse, SPACE, None, None, viewer) == []


def test_decisions_about_many_tables_take_one_statement(filled: Filled) -> None:
    access = filled.access("p2")
    need = Need((Privilege.LIST,), "table")
    wanted = [Wanted(need, SPACE, f"t{number:05}") for number in range(1000)]
    before = filled.db.statements
    verdicts = [found.verdict for found in access.judge(filled.warehouse.id, wanted)]
    assert filled.db.statements == before + 1
    assert verdicts == [Verdict.ALLOWED, Verdict.HIDDEN] * 500


def test_rights_at_large_need_no_statement(filled: Filled) -> None:
    row = filled.db.fetch_one("load_principal", name="owner")
    authority = load_authority(filled.db, row.id)._replace(server=frozenset(Privilege))
    session = Session(Principal(row.id, "owner", "service"))
    access = Access(filled.db, session, authority, Policy(), AuthorizedNames())
    before = filled.db.statements
    (found,) = access.judge(filled.warehouse.id, [Wanted(Need((Privilege.DROP,), "table"), SPACE, "t00000")])
    assert (found.verdict, access.viewer(filled.warehouse.id)) == (Verdict.ALLOWED, None)
    assert filled.db.statements == before
