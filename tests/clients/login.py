"""Clients that show who they are, as docs/clients.md says."""

from tests.clients.page import URL, blocks, fill
from tests.support.identities import Person
from tests.support.server import TestServer

LOGIN = {
    "PyIceberg": "pyiceberg-login",
    "PyIceberg with a key": "pyiceberg-key",
    "Spark": "spark-login",
    "DuckDB": "duckdb-login",
    "iceberg-go": "iceberg-go-login",
    "Trino": "trino-login",
    "Flink": "flink-login",
    "iceberg-js with a key": "iceberg-js-key",
}


def login(client: str, server: TestServer, person: Person | None = None, key: str = "") -> str:
    """Return what the page says for a client that logs in, filled in."""
    stand_ins = {URL: server.url, "KEY": key}
    if person is not None:
        stand_ins |= {"ID:SECRET": f"{person.name}:{person.secret}", "'ID'": f"'{person.name}'"}
        stand_ins |= {"'SECRET'": f"'{person.secret}'"}
    return fill(blocks()[LOGIN[client]], stand_ins)
