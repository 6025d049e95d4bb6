"""Large metadata documents lie compressed in the database, and nobody who reads them can tell."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2.errors
import pytest

from app.catalog import held, namespaces, tables
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.packing import LEAST_PACKED, pack, unpack
from app.catalog.storages import WarehouseStorages
from app.catalog.table_requests import NewTable
from app.catalog.tables import LoadedTable
from app.catalog.warehouses import ensure_default_warehouse, load_warehouse
from app.changes.origin import Origin
from app.config import Settings
from app.db import Database, migrations
from app.identifiers import Namespace, TableIdentifier
from app.storage.executor import DirectExecutor
from tests.support.postgres import DatabaseAddress, Postgres
from tests.support.server import TestServer
from tests.support.warehouses import LocalWarehouse

TABLE = TableIdentifier(Namespace(["space"]), "t")
SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "c", "type": "long", "required": False}]}
LARGE = dict.fromkeys(("p1", "p2", "p3"), "größer " * (LEAST_PACKED // 14))
FORM = """
SELECT document IS NULL, packed IS NULL FROM tabulars
UNION ALL SELECT document IS NULL, packed IS NULL FROM held_tabulars
"""
TEXT, PACKED = [(False, True)], [(True, False)]


class Service(NamedTuple):
    catalog: Catalog
    warehouse: Warehouse
    address: DatabaseAddress

    def act(self, call: Any, *arguments: Any, **options: Any) -> Any:
        caller = Caller(
            Origin(principal="p", principal_kind="service", request_id="r"), time.monotonic() + 30
        )
        return call(self.catalog, caller, self.warehouse, *arguments, **options)

    def put(self, properties: dict[str, str], *removed: str) -> LoadedTable:
        updates: list[Any] = [{"action": "set-properties", "updates": properties}]
        if removed:
            updates.append({"action": "remove-properties", "removals": list(removed)})
        committed: LoadedTable = self.act(tables.update_table, TABLE, [], updates)
        return committed

    def load(self) -> LoadedTable:
        return tables.load_table(self.catalog, self.warehouse, TABLE)

    def form(self) -> list[tuple[Any, ...]]:
        return self.address.query(FORM)


@pytest.fixture
def service(postgres: Postgres, template: DatabaseAddress) -> Iterator[Service]:
    """The use cases, with one small table."""
    place, address = LocalWarehouse(), postgres.clone(template)
    node = TestServer(place, address)
    settings = Settings.load(environ=node.environment())
    db = Database(settings, pool_size=1)
    ensure_default_warehouse(db, settings)
    catalog = Catalog(settings, db, WarehouseStorages(settings), DirectExecutor())
    made = Service(catalog, load_warehouse(db, 1), address)
    made.act(namespaces.create_namespace, TABLE.namespace, {})
    made.act(tables.create_table, NewTable(identifier=TABLE, schema=SCHEMA))
    yield made
    db.close()
    node.remove()
    postgres.drop(address)
    place.remove()


def file_at(location: str) -> Any:
    return json.loads(Path(location.removeprefix("file://")).read_bytes())


def test_packing_gives_back_what_it_got() -> None:
    assert unpack(pack('{"a":"größer"}')) == '{"a":"größer"}'
    assert len(pack("x" * 1_000_000)) < 1_000


def test_a_document_is_stored_as_its_size_asks(service: Service) -> None:
    assert service.form() == TEXT
    committed = service.put(LARGE)
    assert service.form() == PACKED
    assert service.load() == committed
    assert json.loads(committed.document) == file_at(committed.metadata_location)
    assert service.put({"q": "1"}) == service.load()
    assert service.form() == PACKED
    service.put({}, *LARGE)
    assert service.form() == TEXT
    assert json.loads(service.load().document)["properties"]["q"] == "1"


def test_a_commit_of_nothing_answers_with_the_document(service: Service) -> None:
    committed = service.put(LARGE)
    assert service.act(tables.update_table, TABLE, [], []) == committed


def test_what_is_held_keeps_its_form(service: Service) -> None:
    committed = service.put(LARGE)
    service.address.query("UPDATE warehouses SET soft_delete_seconds = 3600")
    service.act(tables.drop_table, TABLE, purge=False)
    assert service.form() == PACKED
    ((held_id,),) = service.address.query("SELECT id FROM held_tabulars")
    service.act(held.undrop, held_id)
    assert service.load() == committed


def test_a_packed_table_is_dropped_with_its_files(service: Service) -> None:
    committed = service.put(LARGE)
    service.act(tables.drop_table, TABLE, purge=True)
    ((payload,),) = service.address.query("SELECT payload FROM jobs WHERE kind = 'purge'")
    assert payload["location"] == json.loads(committed.document)["location"]


def test_nothing_is_packed_while_older_programs_may_run(service: Service) -> None:
    service.address.query("UPDATE document_storage SET packs = false")
    service.put(LARGE)
    assert service.form() == TEXT
    service.catalog.db.execute("finish_migrations")
    committed = service.put({"q": "1"})
    assert service.form() == PACKED
    assert service.load() == committed


def test_an_older_program_cannot_half_change_a_packed_row(service: Service) -> None:
    service.put(LARGE)
    with pytest.raises(psycopg2.errors.CheckViolation):
        service.address.query("UPDATE tabulars SET document = '{}'")


@pytest.mark.parametrize("served", [False, True])
def test_an_upgrade_packs_nothing_yet(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, served: bool
) -> None:
    address = postgres.create_database()
    settings = Settings.load(environ={**address.environment(), "HOME": "/nonexistent"})
    every = migrations.known_migrations()
    before = [migration for migration in every if migration.number < 11]
    monkeypatch.setattr(migrations, "known_migrations", lambda: before)
    migrations.migrate(settings, "0.1.0")
    if served:
        address.query("INSERT INTO warehouses (name, prefix, root_location) VALUES ('w', 'w', 'file:///w')")
    monkeypatch.setattr(migrations, "known_migrations", lambda: every)
    migrations.migrate(settings, "0.1.0")
    assert address.query("SELECT packs FROM document_storage") == [(not served,)]
    postgres.drop(address)
