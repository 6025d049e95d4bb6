"""``gunicorn wsgi:application`` without the supervisor."""

from tests.support.postgres import Postgres
from tests.support.server import TestServer
from tests.support.warehouses import LocalWarehouse


def test_it_migrates_an_empty_database_and_serves(postgres: Postgres) -> None:
    database, warehouse = postgres.create_database(), LocalWarehouse()
    with TestServer(warehouse, database, entry="gunicorn") as server:
        assert server.client().get("/v1/namespaces").json()["namespaces"] == []
        assert any("no jobs process" in line["msg"] for line in server.logs())
    warehouse.remove()
    postgres.drop(database)


def test_it_ends_with_the_migration_s_status_when_there_is_no_database(postgres: Postgres) -> None:
    database, warehouse = postgres.create_database(), LocalWarehouse()
    postgres.drop(database)
    server = TestServer(
        warehouse, database, entry="gunicorn", settings={"database.startup_timeout": "100ms"}
    ).start()
    assert server.process is not None
    assert server.process.wait(60) == 7
    warehouse.remove()
