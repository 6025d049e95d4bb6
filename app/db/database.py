"""Statements and transactions on the pool.

Every connection is in autocommit mode and BEGIN and COMMIT are sent by us, so that it is always known whether COMMIT
was on its way when a connection broke.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import extensions, extras

from app.config import Settings
from app.db import connection as connections
from app.db.connection import Connection
from app.db.errors import (
    ConnectionLost,
    DatabaseUnavailable,
    QueryTimedOut,
    TransactionOutcomeUnknown,
    from_driver,
)
from app.db.pool import Pool, PoolStatistics
from app.db.queries import load_queries

# Named tuples whose members are the columns of the query.
Row = Any
# The server's own timeout should fire first: it leaves the connection usable.
CLIENT_GRACE_SECONDS = 2.0
RESOLVE_SECONDS = 5.0


class Database:
    """The catalog's database as one process sees it. Safe to share between greenlets or threads."""

    def __init__(
        self, settings: Settings, *, pool_size: int, max_idle: int = 1, application_name: str = "bingsan"
    ) -> None:
        connections.install_wait_callback()
        self._queries = load_queries()
        self._statement_timeout = settings.database.statement_timeout
        self._pool = Pool(
            lambda: connections.connect(
                settings.database,
                application_name=application_name,
                lock_timeout=settings.catalog.lock_timeout,
            ),
            settings.database,
            size=pool_size,
            max_idle=max_idle,
        )

    @classmethod
    def for_worker(cls, settings: Settings) -> "Database":
        """The share of the node's connections that one gunicorn worker gets."""
        workers, database = settings.server.workers, settings.database
        return cls(
            settings,
            pool_size=max(1, database.max_open_conns // workers),
            max_idle=max(1, database.max_idle_conns // workers),
        )

    def fetch_one(self, query: str, /, **parameters: Any) -> Row:
        """Run one statement on its own and return its first row as a named tuple, or None."""
        rows = self.fetch_all(query, **parameters)
        return rows[0] if rows else None

    def fetch_all(self, query: str, /, **parameters: Any) -> list[Row]:
        """Run one statement on its own and return all its rows as named tuples."""
        with self._pool.connection() as connection, _translated(connection):
            return self._run(connection, self._queries[query], parameters, self._statement_timeout)[0]

    def execute(self, query: str, /, **parameters: Any) -> int:
        """Run one statement on its own and return the number of rows it touched."""
        with self._pool.connection() as connection, _translated(connection):
            return self._run(connection, self._queries[query], parameters, self._statement_timeout)[1]

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """Run the block in one READ COMMITTED transaction: COMMIT at its end, ROLLBACK when it raises.

        :raises TransactionOutcomeUnknown: when the connection broke at COMMIT and nobody knows what became of it
        """
        transaction = None
        try:
            with self._pool.connection() as connection, _translated(connection):
                transaction = Transaction(self, connection)
                transaction.begin()
                try:
                    yield transaction
                except BaseException:
                    transaction.rollback()
                    raise
                transaction.commit()
        except (ConnectionLost, QueryTimedOut) as error:
            if transaction is None or not transaction.commit_sent:
                raise
            self._resolve(transaction, error)

    def statistics(self) -> PoolStatistics:
        return self._pool.statistics()

    def close(self) -> None:
        self._pool.close()

    def _run(
        self, connection: Connection, text: str, parameters: dict[str, Any], seconds: float
    ) -> tuple[list[Row], int]:
        connection.deadline = time.monotonic() + seconds + CLIENT_GRACE_SECONDS
        cursor: extensions.cursor = connection.cursor(cursor_factory=extras.NamedTupleCursor)
        with cursor:
            cursor.execute(text, parameters)
            return (cursor.fetchall() if cursor.description else []), cursor.rowcount

    def _resolve(self, transaction: "Transaction", error: Exception) -> None:
        """Find out what became of a transaction whose COMMIT got no answer.

        Our change row is proof that it was applied. Without it, only the server's word that the transaction was
        aborted proves that it was not: after a failover a transaction id may have been given out again.
        """
        deadline = time.monotonic() + RESOLVE_SECONDS
        while transaction.xid is not None and time.monotonic() < deadline:
            try:
                row = self.fetch_one(
                    "resolve_transaction", xid=transaction.xid, commit_id=transaction.commit_id
                )
            except psycopg2.DataError:
                # The id lies in this server's future: it is not the server that we sent the COMMIT to.
                break
            except DatabaseUnavailable:
                time.sleep(0.2)
                continue
            if row.applied:
                return
            if row.status == "aborted":
                raise error
            if row.status != "in progress":
                break
            time.sleep(0.05)
        raise TransactionOutcomeUnknown(
            "The connection to the database was lost while the change was being committed; it may have been applied"
        ) from error


class Transaction:
    """An open transaction. ``commit_id`` marks its change rows, so that its outcome can be looked up."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection
        self.commit_id = str(uuid.uuid4())
        self.xid: int | None = None
        self.commit_sent = False

    def fetch_one(self, query: str, /, **parameters: Any) -> Row:
        rows = self.fetch_all(query, **parameters)
        return rows[0] if rows else None

    def fetch_all(self, query: str, /, **parameters: Any) -> list[Row]:
        return self._statement(query, parameters)[0]

    def execute(self, query: str, /, **parameters: Any) -> int:
        return self._statement(query, parameters)[1]

    def begin(self) -> None:
        self._command("BEGIN")

    def commit(self) -> None:
        self.commit_sent = True
        self._command("COMMIT")

    def rollback(self) -> None:
        """Undo everything; a connection that cannot even do that is closed, which undoes it as well."""
        if self._connection.closed:
            return
        try:
            self._command("ROLLBACK")
        except (psycopg2.Error, QueryTimedOut):
            self._connection.close()

    def _statement(self, query: str, parameters: dict[str, Any]) -> tuple[list[Row], int]:
        with _translated(self._connection):
            return self._database._run(
                self._connection,
                self._database._queries[query],
                parameters,
                self._database._statement_timeout,
            )

    def _command(self, text: str) -> None:
        self._database._run(self._connection, text, {}, self._database._statement_timeout)


@contextmanager
def _translated(connection: Connection) -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        translated = from_driver(error, connection_closed=bool(connection.closed))
        if translated is error:
            raise
        raise translated from error
