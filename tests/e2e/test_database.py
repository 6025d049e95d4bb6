"""The database layer against a real PostgreSQL: limits, lost connections, unknown outcomes."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from uuid import uuid4

import pytest

from app.changes.log import Change, record_change
from app.changes.origin import Origin
from app.config import Settings
from app.db import (
    ConnectionLost,
    ConstraintViolated,
    Database,
    LockNotAvailable,
    PoolExhausted,
    QueryTimedOut,
    Row,
    Transaction,
    TransactionOutcomeUnknown,
    migrations,
)
from app.db import connection as connections
from app.db.probe import Probe
from app.identifiers import Namespace
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import DatabaseAddress, Postgres
from tests.support.process import eventually
from tests.support.proxy import Proxy


def settings_for(address: DatabaseAddress, **environ: str) -> Settings:
    return Settings.load(environ={**address.environment(), "HOME": "/nonexistent", **environ})


@pytest.fixture
def settings(database: DatabaseAddress) -> Settings:
    return settings_for(
        database,
        ICEBERG_DATABASE_ACQUIRE_TIMEOUT="200ms",
        ICEBERG_DATABASE_STATEMENT_TIMEOUT="500ms",
        ICEBERG_CATALOG_LOCK_TIMEOUT="200ms",
    )


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    opened = Database(settings, pool_size=2, max_idle=2)
    yield opened
    opened.close()


@pytest.fixture
def warehouse(db: Database) -> Row:
    return db.fetch_one("load_default_warehouse")


def insert_namespace(tx: Transaction, warehouse: Row, name: str) -> Row:
    return tx.fetch_one(
        "create_namespace",
        warehouse_id=warehouse.id,
        root_location=warehouse.root_location,
        levels=[name],
        location=f"file:///w/{name}",
        properties="{}",
        owner_id=None,
    )


def create_namespace(db: Database, warehouse: Row, name: str) -> None:
    """A namespace and its change row, as the catalog writes them."""
    with db.transaction() as tx:
        row = insert_namespace(tx, warehouse, name)
        change = Change(
            action="namespace.created",
            warehouse_id=warehouse.id,
            object_id=row.id,
            namespace=Namespace([name]),
        )
        record_change(
            tx, change, Origin(principal="test", principal_kind="anonymous", request_id=str(uuid4()))
        )


def exists(db: Database, warehouse: Row, name: str) -> bool:
    return db.fetch_one("namespace_exists", warehouse_id=warehouse.id, levels=[name]) is not None


def test_an_exhausted_pool_refuses_and_recovers(db: Database) -> None:
    with db.transaction(), db.transaction(), pytest.raises(PoolExhausted, match=r"database\.max_open_conns"):
        db.fetch_one("ping")
    assert db.fetch_one("ping").alive == 1
    assert db.statistics().active == 0
    assert db.statistics().idle == 2


def test_connections_are_reused_last_in_first_out(db: Database) -> None:
    first = db.fetch_one("backend_pid").pid
    assert {db.fetch_one("backend_pid").pid for _ in range(5)} == {first}


def test_a_connection_that_the_server_closed_is_replaced(db: Database, postgres: Postgres) -> None:
    pid = db.fetch_one("backend_pid").pid
    postgres.admin("SELECT pg_terminate_backend(%s, 5000)", pid)
    assert db.fetch_one("backend_pid").pid != pid


def test_old_connections_are_replaced(database: DatabaseAddress) -> None:
    settings = settings_for(database, ICEBERG_DATABASE_CONN_MAX_LIFETIME="1ms")
    db = Database(settings, pool_size=2, max_idle=2)
    pid = db.fetch_one("backend_pid").pid
    eventually(lambda: db.fetch_one("backend_pid").pid != pid, 5, "another connection is used")
    db.close()


def test_a_failing_block_rolls_back(db: Database, warehouse: Row) -> None:
    def create_twice() -> None:
        with db.transaction() as tx:
            for _ in range(2):
                insert_namespace(tx, warehouse, "twice")

    with pytest.raises(ConstraintViolated, match="namespaces_levels_key"):
        create_twice()
    assert not exists(db, warehouse, "twice")
    assert db.statistics().active == 0


def test_waiting_for_a_row_lock_ends(db: Database, warehouse: Row) -> None:
    create_namespace(db, warehouse, "locked")
    with db.transaction() as holder:
        holder.fetch_one("lock_namespace", warehouse_id=warehouse.id, levels=["locked"])
        with pytest.raises(LockNotAvailable), db.transaction() as waiter:
            waiter.fetch_one("lock_namespace", warehouse_id=warehouse.id, levels=["locked"])


def test_a_frozen_server_does_not_hold_a_caller(database: DatabaseAddress, postgres: Postgres) -> None:
    with Proxy(postgres.port) as proxy:
        settings = settings_for(
            replace(database, port=proxy.port), ICEBERG_DATABASE_STATEMENT_TIMEOUT="100ms"
        )
        db = Database(settings, pool_size=2)
        db.fetch_one("ping")
        with proxy.frozen(), pytest.raises(QueryTimedOut):
            db.fetch_one("ping")
        assert db.fetch_one("ping").alive == 1
        db.close()


def test_the_probe_tells_a_frozen_server(database: DatabaseAddress, postgres: Postgres) -> None:
    with Proxy(postgres.port) as proxy:
        probe = Probe(settings_for(replace(database, port=proxy.port)))
        eventually(probe.is_alive, 5, "the probe finds the server")
        with proxy.frozen():
            eventually(lambda: not probe.is_alive(), 5, "the probe notices")
        eventually(probe.is_alive, 5, "the probe recovers")
        probe.close()


def test_commit_delivered_but_answer_lost_is_a_success(
    database: DatabaseAddress, postgres: Postgres, warehouse: Row
) -> None:
    with Proxy(postgres.port) as proxy:
        db = Database(settings_for(replace(database, port=proxy.port)), pool_size=2)
        with proxy.cutting(b"COMMIT\0", delivered=True) as cut:
            create_namespace(db, warehouse, "delivered")
        assert cut.happened
        assert exists(db, warehouse, "delivered")
        db.close()


def test_commit_that_never_arrived_is_a_failure(
    database: DatabaseAddress, postgres: Postgres, warehouse: Row
) -> None:
    with Proxy(postgres.port) as proxy:
        db = Database(settings_for(replace(database, port=proxy.port)), pool_size=2)
        with proxy.cutting(b"COMMIT\0", delivered=False) as cut, pytest.raises(ConnectionLost):
            create_namespace(db, warehouse, "undelivered")
        assert cut.happened
        assert not exists(db, warehouse, "undelivered")
        db.close()


def test_commit_that_nobody_can_be_asked_about_is_unknown(
    database: DatabaseAddress, postgres: Postgres, warehouse: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.database.RESOLVE_SECONDS", 0.3)
    with Proxy(postgres.port) as proxy:
        db = Database(settings_for(replace(database, port=proxy.port)), pool_size=2)
        with proxy.cutting(b"COMMIT\0", delivered=True) as cut:
            cut.and_then = proxy.refuse
            with pytest.raises(TransactionOutcomeUnknown):
                create_namespace(db, warehouse, "unknown")
        db.close()


def test_migrations_run_once_when_nodes_start_together(postgres: Postgres) -> None:
    empty = postgres.create_database()
    settings = settings_for(empty)
    applied: list[int] = []
    nodes = [
        threading.Thread(target=lambda: applied.append(len(migrations.migrate(settings, "0.1.0"))))
        for _ in range(4)
    ]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join(60)
    known = len(migrations.known_migrations())
    assert sorted(applied) == [0, 0, 0, known]
    assert migrations.pending(settings, "0.1.0") == []
    postgres.drop(empty)


def test_an_older_program_refuses_only_what_it_cannot_run_on(
    settings: Settings, database: DatabaseAddress
) -> None:
    database.query("INSERT INTO schema_migrations VALUES (9000, 'later', '0.1.0')")
    assert migrations.pending(settings, "0.1.0") == []
    database.query("INSERT INTO schema_migrations VALUES (9001, 'contract', '7.0.0')")
    with pytest.raises(migrations.SchemaError, match=r"needs Bingsan 7\.0\.0 or newer"):
        migrations.pending(settings, "0.1.0")


def test_a_pooler_in_transaction_mode_is_refused(database: DatabaseAddress) -> None:
    with PgBouncer(database, "transaction") as pooler:
        settings = settings_for(pooler.address)
        with pytest.raises(migrations.SchemaError, match="pool_mode=session"):
            migrations.pending(settings, "0.1.0")


def test_a_pooler_in_session_mode_keeps_the_session_settings(database: DatabaseAddress) -> None:
    with PgBouncer(database, "session") as pooler:
        settings = settings_for(pooler.address, ICEBERG_DATABASE_STATEMENT_TIMEOUT="1234ms")
        assert migrations.pending(settings, "0.1.0") == []
        opened = connections.connect(settings.database, application_name="test", lock_timeout=0.5)
        with closing(opened), opened.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("1234ms",)
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() == ("500ms",)
