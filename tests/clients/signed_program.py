"""PyIceberg with s3fs behind a line-by-line protocol; the argument is a file that makes ``catalog``."""

import json
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("name", pa.string()),
        ("price", pa.decimal128(10, 2)),
        ("day", pa.date32()),
        ("ok", pa.bool_()),
    ]
)
scope: dict[str, Any] = {}
exec(Path(sys.argv[1]).read_text(), scope)
catalog = scope["catalog"]


def create(namespace: str, table: str) -> None:
    catalog.create_table((namespace, table), SCHEMA)


def insert(namespace: str, table: str, rows: list[list[Any]]) -> None:
    typed = [
        {"id": n, "name": name, "price": Decimal(price), "day": date.fromisoformat(day), "ok": ok}
        for n, name, price, day, ok in rows
    ]
    catalog.load_table((namespace, table)).append(pa.Table.from_pylist(typed, SCHEMA))


def read(namespace: str, table: str) -> list[list[Any]]:
    found = catalog.load_table((namespace, table)).scan().to_arrow().sort_by("id").to_pylist()
    return [[row["id"], row["name"], str(row["price"]), row["day"].isoformat(), row["ok"]] for row in found]


def counts(namespace: str, *names: str) -> list[int]:
    """Load all tables, then read them in this order."""
    loaded = [catalog.load_table((namespace, name)) for name in names]
    return [len(table.scan().to_arrow()) for table in loaded + loaded]


def tables(namespace: str) -> list[str]:
    return [name for _, name in catalog.list_tables(namespace)]


def upload(namespace: str, table: str, size: int) -> list[int]:
    loaded = catalog.load_table((namespace, table))
    location = f"{loaded.location()}/data/large"
    with loaded.io.new_output(location).create() as file:
        file.write(b"\1" * size)
    with loaded.io.new_input(location).open() as file:
        return [len(loaded.io.new_input(location)), sum(file.read())]


COMMANDS = {
    "counts": counts,
    "create": create,
    "insert": insert,
    "read": read,
    "tables": tables,
    "upload": upload,
}


for line in sys.stdin:
    name, *arguments = json.loads(line)
    try:
        answer = {"result": COMMANDS[name](*arguments)}
    except Exception as error:  # noqa: BLE001 - told to the one who asked
        answer = {"error": {"message": f"{type(error).__name__}: {error}"}}
    print(json.dumps(answer), flush=True)
