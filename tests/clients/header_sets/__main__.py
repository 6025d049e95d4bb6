"""Record anew what PyIceberg and Iceberg's Java library (in Spark) put into the heads of their requests."""

import re
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pyarrow as pa

from tests.clients.header_sets import FOLDER, HOST, TOKEN, HeaderSet, write
from tests.clients.login import login
from tests.clients.page import configuration
from tests.clients.spark import Engine, catalog_options, running_spark
from tests.factories import unique_name
from tests.support.contract import Contract
from tests.support.identities import configured, secured_settings
from tests.support.own_document import own_document
from tests.support.postgres import Postgres
from tests.support.server import TestServer
from tests.support.warehouses import LocalWarehouse

HEAD = re.compile(rb"((?:GET|HEAD|POST|DELETE) [^\r\n]* HTTP/1\.1)\r\n((?:[^\r\n]+\r\n)+)\r\n")
BEARER = re.compile(r"(?<=^Bearer ).*")
DIFFERENT = {"content-length", "idempotency-key"}  # from request to request


class Tap:
    """Forwards a port to the service and keeps what clients send."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.sent: list[bytearray] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            server = socket.create_connection(("127.0.0.1", self._target))
            kept = bytearray()
            self.sent.append(kept)
            threading.Thread(target=carry, args=(client, server, kept.extend), daemon=True).start()
            threading.Thread(target=carry, args=(server, client, len), daemon=True).start()

    def heads(self) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """Return method, path and headers of every request."""
        found = []
        for kept in self.sent:
            for first, rest in HEAD.findall(bytes(kept)):
                method, target, _ = first.decode().split(" ")
                lines = (line.partition(": ") for line in rest.decode("latin-1").splitlines())
                found.append((method, target.partition("?")[0], [(name, value) for name, _, value in lines]))
        return found


def carry(source: socket.socket, target: socket.socket, keep: Callable[[bytes], Any]) -> None:
    while data := source.recv(65536):
        keep(data)
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


def recorded(tap: Tap) -> list[HeaderSet]:
    """Return one head of each operation, and one more where the client asks whether something has changed."""
    contract, found = Contract(own_document()), {}
    for method, path, headers in tap.heads():
        operation = contract.find(method, path)
        assert operation is not None, path
        one = HeaderSet(operation.name, tuple(general(name, value, tap) for name, value in headers))
        found[one.operation, one.is_conditional] = one._replace(
            headers=tuple(pair for pair in one.headers if pair[0].lower() not in DIFFERENT)
        )
    return [found[key] for key in sorted(found)]


def general(name: str, value: str, tap: Tap) -> tuple[str, str]:
    """Return a header without what belongs to this run; tags of answers stay, as an example."""
    return name, BEARER.sub(TOKEN, value).replace(f"127.0.0.1:{tap.port}", HOST)


def use_pyiceberg(server: Any, space: str) -> None:
    scope: dict[str, Any] = {}
    exec(login("PyIceberg", server, configured(server)), scope)
    catalog = scope["catalog"]
    catalog.create_namespace(space)
    table = catalog.create_table((space, "t"), pa.schema([("id", pa.int64())]))
    table.append(pa.table({"id": [1]}))
    catalog.load_table((space, "t")).scan().to_arrow()
    assert catalog.table_exists((space, "t"))
    assert catalog.namespace_exists(space)
    catalog.load_namespace_properties(space)
    catalog.list_namespaces()
    catalog.list_tables(space)
    catalog.list_views(space)
    assert not catalog.view_exists((space, "v"))


def use_java(server: Any, space: str) -> None:
    with running_spark() as session:
        page = configuration("spark", server) + login("Spark", server, configured(server))
        for key, value in catalog_options("cat", page).items():
            session.conf.set(key, value)
        spark = Engine(session, "cat")
        spark.sql(f"CREATE NAMESPACE cat.{space}")
        spark.sql(f"CREATE TABLE cat.{space}.t (id BIGINT) USING iceberg")
        spark.sql(f"INSERT INTO cat.{space}.t VALUES (1)")
        for _ in range(2):
            assert spark.value(f"SELECT count(*) FROM cat.{space}.t") == 1
        spark.sql(f"CREATE VIEW cat.{space}.v AS SELECT id FROM cat.{space}.t")
        spark.rows(f"SELECT * FROM cat.{space}.v")
        spark.sql(f"DESCRIBE NAMESPACE cat.{space}")
        spark.sql("SHOW NAMESPACES IN cat")
        spark.sql(f"SHOW TABLES IN cat.{space}")
        spark.sql(f"SHOW VIEWS IN cat.{space}")
        iceberg = session._jvm.org.apache.iceberg
        catalog = iceberg.spark.Spark3Util.loadIcebergCatalog(session._jsparkSession, "cat")
        assert catalog.tableExists(iceberg.catalog.TableIdentifier.parse(f"{space}.t"))


def main() -> None:
    """Write the files anew."""
    for client, use in {"pyiceberg": use_pyiceberg, "java": use_java}.items():
        with ExitStack() as opened:
            database = opened.enter_context(Postgres()).create_database()
            running = opened.enter_context(
                TestServer(LocalWarehouse(), database, settings=secured_settings())
            )
            tap = Tap(running.port)
            tapped = SimpleNamespace(
                url=f"http://127.0.0.1:{tap.port}", settings=running.settings, warehouse=running.warehouse
            )
            use(tapped, unique_name("ns"))
            (FOLDER / f"{client}.txt").write_text(write(recorded(tap)) + "\n")


main()
