"""How often a write waits for the database: every message to the server is counted, whatever it holds."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from app.catalog import namespaces, tables
from app.catalog.context import Caller, Catalog, IdempotencyKey, Warehouse
from app.catalog.storages import WarehouseStorages
from app.catalog.table_requests import NewTable
from app.catalog.warehouses import ensure_default_warehouse, load_warehouse
from app.changes.origin import Origin
from app.config import Settings
from app.db import Database
from app.db.statements import Statements
from app.identifiers import Namespace, TableIdentifier
from app.storage.executor import DirectExecutor
from tests.support.postgres import DatabaseAddress, Postgres
from tests.support.server import TestServer
from tests.support.warehouses import LocalWarehouse

SPACE = Namespace(["space"])
SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "c", "type": "long", "required": False}]}
ORIGIN = Origin(principal="somebody", principal_kind="service", request_id="r")


class Service(NamedTuple):
    catalog: Catalog
    warehouse: Warehouse
    sent: list[object]
    address: DatabaseAddress

    def cost(self, call: Any, *arguments: Any, caller: Caller | None = None) -> int:
        """Return how many messages a use case sends."""
        before = len(self.sent)
        call(self.catalog, caller or Caller(ORIGIN, time.monotonic() + 30), self.warehouse, *arguments)
        return len(self.sent) - before


@pytest.fixture
def service(
    postgres: Postgres, template: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    place, address = LocalWarehouse(), postgres.clone(template)
    node = TestServer(place, address)
    settings = Settings.load(environ=node.environment())
    db = Database(settings, pool_size=1)
    ensure_default_warehouse(db, settings)
    catalog = Catalog(settings, db, WarehouseStorages(settings), DirectExecutor())
    sent: list[object] = []
    run = Statements.run

    def counted(*arguments: Any) -> Any:
        sent.append(arguments)
        return run(*arguments)

    monkeypatch.setattr(Statements, "run", counted)
    made = Service(catalog, load_warehouse(db, 1), sent, address)
    warm(made)
    yield made
    db.close()
    node.remove()
    postgres.drop(address)
    place.remove()


def warm(service: Service) -> None:
    """Let the connection know the prepared queries."""
    service.cost(namespaces.create_namespace, SPACE, {})
    service.cost(namespaces.create_namespace, Namespace([*SPACE, "first"]), {})
    service.cost(tables.create_table, new_table("first"))
    service.cost(tables.update_table, named("first"), [], [setting("a", "1")])


def named(name: str) -> TableIdentifier:
    return TableIdentifier(SPACE, name)


def new_table(name: str) -> NewTable:
    return NewTable(
        identifier=named(name),
        schema=SCHEMA,
        location=None,
        partition_spec=None,
        write_order=None,
        properties={},
    )


def setting(key: str, value: str) -> dict[str, Any]:
    return {"action": "set-properties", "updates": {key: value}}


def test_messages_of_each_write(service: Service) -> None:
    table = named("first")
    costs = {
        "create a namespace": service.cost(namespaces.create_namespace, Namespace(["other"]), {"k": "v"}),
        "create one in another": service.cost(namespaces.create_namespace, Namespace([*SPACE, "n"]), {}),
        "drop a namespace": service.cost(namespaces.drop_namespace, Namespace(["other"])),
        "create a table": service.cost(tables.create_table, new_table("second")),
        "commit": service.cost(tables.update_table, table, [], [setting("a", "2")]),
        "commit nothing": service.cost(tables.update_table, table, [], []),
    }
    assert costs == {
        "create a namespace": 2,
        "create one in another": 3,
        "drop a namespace": 2,
        "create a table": 4,
        "commit": 3,
        "commit nothing": 3,
    }


def test_what_travelled_with_commit_is_there(service: Service) -> None:
    service.cost(tables.update_table, named("first"), [], [setting("b", "3")])
    loaded = tables.load_table(service.catalog, service.warehouse, named("first"))
    assert '"b":"3"' in loaded.document
    (change,) = service.address.query(
        "SELECT action, after_pointer, xid::text::bigint > 0 FROM changes ORDER BY id DESC LIMIT 1"
    )
    assert change == ("table.committed", loaded.metadata_location, True)


def test_a_key_costs_one_more(service: Service) -> None:
    caller = Caller(ORIGIN, time.monotonic() + 30)
    plain = service.cost(tables.update_table, named("first"), [], [setting("c", "4")], caller=caller)
    keyed = replace(caller, idempotency=IdempotencyKey("0190a5a0-0000-7000-8000-000000000000", b"f"))
    service.cost(tables.update_table, named("first"), [], [setting("c", "5")], caller=keyed)
    keyed = replace(caller, idempotency=IdempotencyKey("0190a5a0-0000-7000-8000-000000000001", b"f"))
    assert (
        service.cost(tables.update_table, named("first"), [], [setting("c", "6")], caller=keyed) == plain + 1
    )
