"""DuckDB in this process, with the extensions that come as Python packages."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import duckdb

from tests.clients.page import configuration
from tests.clients.people import SqlPeer
from tests.support.server import TestServer

EXTENSIONS = ("avro", "httpfs", "iceberg")  # in this order: the last needs the others


class DuckDB(SqlPeer):
    """One connection, with the server attached as ``bingsan``."""

    name = "DuckDB"

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def rows(self, statement: str) -> list[tuple]:
        return self.connection.execute(statement).fetchall()

    def tables(self, namespace: str) -> set[str]:
        names = "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'bingsan' AND table_schema = "
        return {name for (name,) in self.rows(f"{names}'{namespace}'")}


@contextmanager
def running_duckdb(server: TestServer) -> Iterator[DuckDB]:
    """DuckDB set up as docs/clients.md says."""
    with duckdb.connect() as connection:
        load_extensions(connection)
        connection.execute(configuration("duckdb", server))
        yield DuckDB(connection)


def load_extensions(connection: duckdb.DuckDBPyConnection) -> None:
    for extension in EXTENSIONS:
        connection.load_extension(str(extension_file(extension)))


def extension_file(name: str) -> Path:
    folder = Path(str(files(f"duckdb_extension_{name}")))
    (file,) = folder.rglob(f"{name}.duckdb_extension")
    return file
