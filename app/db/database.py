"""Statements and transactions on the pool.

Every connection is in autocommit mode and BEGIN and COMMIT are sent by us, so that it is always known whether COMMIT
was on its way when a connection broke. BEGIN shares the message of the first statement, COMMIT that of the last one
where nobody waits for its answer.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2

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
from app.db.statements import Result, Row, Statements, Step

RESOLVE_SECONDS = 5.0


class Database:
    """The catalog's database as one process sees it. Safe to share between greenlets or threads."""

    def __init__(
        self, settings: Settings, *, pool_size: int, max_idle: int = 1, application_name: str = "bingsan"
    ) -> None:
        connections.install_wait_callback()
        self._statements = Statements(settings.database.statement_timeout)
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
        return self._run(Step(query, parameters)).rows

    def execute(self, query: str, /, **parameters: Any) -> int:
        """Run one statement on its own and return the number of rows it touched."""
        return self._run(Step(query, parameters)).touched

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """Run the block in one READ COMMITTED transaction: COMMIT at its end, ROLLBACK when it raises.

        :raises TransactionOutcomeUnknown: when the connection broke at COMMIT and nobody knows what became of it
        """
        transaction = None
        try:
            with self._pool.connection() as connection, _translated(connection):
                transaction = Transaction(self._statements, connection)
                try:
                    yield transaction
                    transaction.commit()
                except BaseException:
                    transaction.rollback()
                    raise
        except (ConnectionLost, QueryTimedOut) as error:
            if transaction is None or not transaction.commit_sent:
                raise
            self._resolve(transaction, error)

    def statistics(self) -> PoolStatistics:
        return self._pool.statistics()

    def close(self) -> None:
        self._pool.close()

    def _run(self, step: Step) -> Result:
        with self._pool.connection() as connection, _translated(connection):
            return self._statements.run(connection, step)

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
    """An open transaction. ``commit_id`` marks its change rows, so that its outcome can be looked up.

    ``xid`` is its number once a query has returned it, in a column of that name.
    """

    def __init__(self, statements: Statements, connection: Connection) -> None:
        self._statements = statements
        self._connection = connection
        self._has_begun = False
        self._queued: list[Step] = []
        self.commit_id = str(uuid.uuid4())
        self.xid: int | None = None
        self.commit_sent = False

    def fetch_one(self, query: str, /, **parameters: Any) -> Row:
        rows = self.fetch_all(query, **parameters)
        return rows[0] if rows else None

    def fetch_all(self, query: str, /, **parameters: Any) -> list[Row]:
        rows = self._run(Step(query, parameters)).rows
        if rows and self.xid is None:
            self.xid = getattr(rows[0], "xid", None)
        return rows

    def execute(self, query: str, /, **parameters: Any) -> int:
        return self._run(Step(query, parameters)).touched

    def queue(self, query: str, /, **parameters: Any) -> None:
        """Run a statement in the message of the next one, or of COMMIT; what it refuses is raised there."""
        self._queued.append(Step(query, parameters))

    def commit(self) -> None:
        """Without any statement there is nothing to commit."""
        if self._has_begun or self._queued:
            self.commit_sent = True
            self._run("COMMIT")

    def rollback(self) -> None:
        """Undo everything; a connection that cannot even do that is closed, which undoes it as well."""
        if self._connection.closed or not self._has_begun:
            return
        try:
            self._statements.run(self._connection, "ROLLBACK")
        except (psycopg2.Error, QueryTimedOut):
            self._connection.close()

    def _run(self, step: Step | str) -> Result:
        steps = [*([] if self._has_begun else ["BEGIN"]), *self._queued, step]
        self._has_begun, self._queued = True, []
        with _translated(self._connection):
            return self._statements.run(self._connection, *steps)


@contextmanager
def _translated(connection: Connection) -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        translated = from_driver(error, connection_closed=bool(connection.closed))
        if translated is error:
            raise
        raise translated from error
