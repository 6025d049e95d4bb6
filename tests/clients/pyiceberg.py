"""PyIceberg in this process."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pyarrow as pa
from pyiceberg.catalog import Catalog

from tests.clients.page import configuration
from tests.clients.people import Row, RowPeer, plain
from tests.support.server import TestServer

SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("name", pa.string()),
        ("price", pa.decimal128(10, 2)),
        ("day", pa.date32()),
        ("ok", pa.bool_()),
    ]
)


def connect(server: TestServer) -> Catalog:
    """Return the catalog that the lines of docs/clients.md make."""
    scope: dict[str, Catalog] = {}
    exec(configuration("pyiceberg", server), scope)
    return scope["catalog"]


class PyIceberg(RowPeer):
    name = "PyIceberg"

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def create(self, namespace: str, table: str) -> None:
        self.catalog.create_table((namespace, table), SCHEMA)

    def insert(self, namespace: str, table: str, rows: Sequence[Row]) -> None:
        typed = [(n, name, Decimal(price), date.fromisoformat(day), ok) for n, name, price, day, ok in rows]
        columns = [
            pa.array(values, kind)
            for values, kind in zip(zip(*typed, strict=True), SCHEMA.types, strict=True)
        ]
        self.catalog.load_table((namespace, table)).append(pa.table(columns, schema=SCHEMA))

    def read(self, namespace: str, table: str) -> list[Row]:
        scanned = self.catalog.load_table((namespace, table)).scan().to_arrow().sort_by("id")
        return [plain(tuple(row.values())) for row in scanned.to_pylist()]

    def tables(self, namespace: str) -> set[str]:
        return {name for _, name in self.catalog.list_tables(namespace)}
