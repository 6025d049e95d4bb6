"""Commands for whoever runs the catalog: they work on the configured database itself, and nobody has to log in."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.cli.exits import CommandError, exit_code_of
from app.cli.settings import load_settings
from app.observability.state import build

if TYPE_CHECKING:
    from app.catalog.context import Caller, Catalog, Warehouse

NAME = "operator"
"""Who is said to have done it."""
_SECONDS = 60.0
Row = Mapping[str, Any]
Act = Callable[[argparse.Namespace, "Operator"], int]


@dataclass(frozen=True)
class Operator:
    """What use cases ask for; ``realm`` is the default warehouse."""

    catalog: "Catalog"
    realm: "Warehouse"

    def caller(self) -> "Caller":
        from app.catalog.context import Caller
        from app.changes.origin import SYSTEM, Origin
        from app.observability.request_ids import new_request_id

        origin = Origin(principal=NAME, principal_kind=SYSTEM, request_id=new_request_id())
        return Caller(origin, time.monotonic() + _SECONDS)


def add_action(
    actions: Any, common: argparse.ArgumentParser, name: str, text: str, act: Act
) -> argparse.ArgumentParser:
    """Add a command that needs an operator; ``act`` gets the arguments and one."""
    parser: argparse.ArgumentParser = actions.add_parser(name, parents=[common], help=text)
    parser.add_argument("--format", choices=("table", "json"), help="table on a terminal, else json")
    parser.set_defaults(run=lambda arguments: _run(act, arguments))
    return parser


def show(arguments: argparse.Namespace, rows: Sequence[Row], columns: Sequence[str]) -> int:
    """Print rows with all their members as JSON, or some of them as a table."""
    if _format(arguments) == "json":
        print(json.dumps(list(rows), indent=2, ensure_ascii=False))
        return 0
    lines = [[_cell(column, row.get(column)) for column in columns] for row in rows]
    _print_table([column.removesuffix("-ms").upper() for column in columns], lines)
    return 0


def show_one(arguments: argparse.Namespace, row: Row) -> int:
    """Print the members of one object, those of a table one to a line."""
    if _format(arguments) == "json":
        print(json.dumps(row, indent=2, ensure_ascii=False))
        return 0
    width = max(map(len, row))
    for name, value in row.items():
        print(f"{name.removesuffix('-ms'):{width}}  {_cell(name, value)}")
    return 0


def say(text: str) -> None:
    """Print something that is no data."""
    print(text, file=sys.stderr)


def _run(act: Act, arguments: argparse.Namespace) -> int:
    from app.db import migrations
    from app.errors import ServiceError

    try:
        return act(arguments, _operator())
    except migrations.SchemaError as error:
        raise CommandError(str(error)) from None
    except ServiceError as error:
        raise CommandError(error.message, exit_code_of(error.code)) from None


def _operator() -> Operator:
    from app.catalog.context import Catalog
    from app.catalog.storages import WarehouseStorages
    from app.catalog.warehouses import Warehouses
    from app.cli.embedded.cluster import connected_settings
    from app.db import Database, migrations
    from app.storage.executor import DirectExecutor

    settings = connected_settings(load_settings(embedded_fallback=True))
    if migrations.pending(settings, build().version):
        raise CommandError("the database is not up to date; `bingsan migrate` brings it there")
    db = Database(settings, pool_size=2, application_name="bingsan operator")
    catalog = Catalog(settings, db, WarehouseStorages(settings), DirectExecutor())
    return Operator(catalog, Warehouses(catalog).named(None))


def _format(arguments: argparse.Namespace) -> str:
    return str(arguments.format or ("table" if sys.stdout.isatty() else "json"))


def _print_table(head: list[str], lines: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    for line in (head, *lines):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name.endswith("-ms"):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list):
        return " ".join(map(str, value))
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "".join(character if character.isprintable() else "?" for character in text)
