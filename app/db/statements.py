"""Named queries on their way to the server: several can share one message, and so one round trip.

Queries marked as prepared are planned once per connection; the others anew each time, for the values at hand.
"""

import time
from collections import namedtuple
from typing import Any, NamedTuple

from psycopg2 import extensions

from app.db.connection import Connection
from app.db.queries import load_prepared, load_queries

# Named tuples whose members are the columns of the query.
Row = Any
# The server's own timeout should fire first: it leaves the connection usable.
CLIENT_GRACE_SECONDS = 2.0


class Step(NamedTuple):
    """A named query and its parameters."""

    query: str
    parameters: dict[str, Any]


class Result(NamedTuple):
    """The rows of a statement, and how many it touched."""

    rows: list[Row]
    touched: int


class Statements:
    """
    :param seconds: what the server may take for a message, ``database.statement_timeout``
    """

    def __init__(self, seconds: float) -> None:
        self._queries = load_queries()
        self._prepared = load_prepared()
        self._row_types: dict[str, Any] = {}
        self._seconds = seconds + CLIENT_GRACE_SECONDS

    def run(self, connection: Connection, *steps: Step | str) -> Result:
        """Send all steps at once and return the result of the last one; none follows one that fails.

        :param steps: named queries, and words of the transaction such as ``BEGIN``
        """
        connection.deadline = time.monotonic() + self._seconds
        with connection.cursor() as cursor:
            cursor.execute(b";".join([self._bound(connection, cursor, step) for step in steps]))
            return Result(self._rows(cursor, steps[-1]), cursor.rowcount)

    def _rows(self, cursor: extensions.cursor, step: Step | str) -> list[Row]:
        if isinstance(step, str) or cursor.description is None:
            return []
        if step.query not in self._row_types:
            # A query returns the same columns always: it names them.
            names = [column.name for column in cursor.description]
            self._row_types[step.query] = namedtuple("Row", names, rename=True)
        make = self._row_types[step.query]._make
        return [make(row) for row in cursor.fetchall()]

    def _bound(self, connection: Connection, cursor: extensions.cursor, step: Step | str) -> bytes:
        if isinstance(step, str):
            return step.encode()
        prepared = self._prepared.get(step.query)
        if prepared is None:
            return cursor.mogrify(self._queries[step.query], step.parameters)
        if step.query not in connection.prepared:
            cursor.execute(prepared.definition)
            connection.prepared.add(step.query)
        return cursor.mogrify(prepared.execution, step.parameters)
