"""One table as every client makes it, fills it and sees it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from tests.clients.program import Program

COLUMNS = ("id", "name", "price", "day", "ok")
KINDS = ("long", "string", "decimal(10,2)", "date", "boolean")
Row = tuple[int, str | None, str, str, bool]
ROWS: list[Row] = [
    (1, "Ada", "18.15", "1815-12-10", True),
    (2, "größe 你好 😀", "-0.01", "1906-12-09", False),
    (3, None, "99999999.99", "2038-01-19", True),
]


class Peer(ABC):
    """A client among others; ``name`` is for people."""

    name: str

    @abstractmethod
    def create(self, namespace: str, table: str) -> None:
        """Create an empty table with the columns of a ``Row``: long, string, decimal(10, 2), date, boolean."""

    @abstractmethod
    def tables(self, namespace: str) -> set[str]:
        """Return the names of the namespace's tables."""


class RowPeer(Peer):
    """A client that handles rows."""

    @abstractmethod
    def insert(self, namespace: str, table: str, rows: Sequence[Row]) -> None:
        """Append rows in one commit."""

    @abstractmethod
    def read(self, namespace: str, table: str) -> list[Row]:
        """Return all rows by id."""


class DefinitionPeer(Peer):
    """A client that handles definitions only."""

    @abstractmethod
    def count(self, namespace: str, table: str) -> int:
        """Return the number of rows as the table's metadata has it."""


class SqlPeer(RowPeer):
    """A client that speaks SQL: ``run`` a statement, get the ``rows`` of a query."""

    catalog = "bingsan"
    string = "VARCHAR"
    suffix = ""  # of CREATE TABLE
    mark = '"'  # around names

    @abstractmethod
    def rows(self, statement: str) -> list[tuple]:
        """Run a statement and return the rows of its result."""

    def qualified(self, namespace: str, table: str) -> str:
        return ".".join(self.marked(name) for name in (self.catalog, namespace, table))

    def marked(self, name: str) -> str:
        return f"{self.mark}{name}{self.mark}"

    def create(self, namespace: str, table: str) -> None:
        kinds = ("BIGINT", self.string, "DECIMAL(10, 2)", "DATE", "BOOLEAN")
        columns = ", ".join(f"{self.marked(name)} {kind}" for name, kind in zip(COLUMNS, kinds, strict=True))
        self.rows(f"CREATE TABLE {self.qualified(namespace, table)} ({columns}) {self.suffix}")

    def insert(self, namespace: str, table: str, rows: Sequence[Row]) -> None:
        values = ", ".join(f"({', '.join(self.literals(row))})" for row in rows)
        self.rows(f"INSERT INTO {self.qualified(namespace, table)} VALUES {values}")

    def literals(self, row: Row) -> list[str]:
        number, name, price, day, ok = row
        text = f"CAST({'NULL' if name is None else quoted(name)} AS {self.string})"
        return [str(number), text, f"CAST({price} AS DECIMAL(10, 2))", f"DATE '{day}'", str(ok).upper()]

    def read(self, namespace: str, table: str) -> list[Row]:
        columns = ", ".join(map(self.marked, COLUMNS))
        query = f"SELECT {columns} FROM {self.qualified(namespace, table)} ORDER BY id"
        return [plain(row) for row in self.rows(query)]


class ProgramPeer(SqlPeer):
    """A client in a process of its own."""

    def __init__(self, program: Program, catalog: str) -> None:
        self.program, self.catalog = program, catalog

    def rows(self, statement: str) -> list[tuple]:
        """Run a statement.

        :raises ClientError: with name and message of what the client raised
        """
        return [tuple(row) for row in self.program.ask(statement)]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def plain(values: Sequence[Any]) -> Row:
    """Return a row with decimal and date as text, as clients hand them out in different types."""
    number, name, price, day, ok = values
    return int(number), name, f"{price}", f"{day}", ok in (True, "true", "TRUE")
