"""What can go wrong in the database, and the one place where driver errors become ours.

Mapped by constraint name first, then by SQLSTATE (PostgreSQL, Appendix A); everything else is a fault of ours.
"""

import psycopg2
from psycopg2 import errorcodes

from app.errors import CommitStateUnknownException, InternalServerError, ServiceUnavailableException

RETRY_SOON = {"Retry-After": "1"}


class DatabaseUnavailable(ServiceUnavailableException):
    """Nothing was applied: the statement was not run, or its transaction is rolled back."""

    def __init__(self, message: str) -> None:
        super().__init__(message, headers=dict(RETRY_SOON))


class PoolExhausted(DatabaseUnavailable):
    """No connection became free within ``database.acquire_timeout``."""


class ConnectionLost(DatabaseUnavailable):
    """The server closed or refused the connection."""


class QueryTimedOut(DatabaseUnavailable):
    """The statement ran into ``database.statement_timeout`` or the server does not answer."""


class LockNotAvailable(DatabaseUnavailable):
    """Another transaction held the row for longer than ``catalog.lock_timeout``."""


class TransactionConflict(DatabaseUnavailable):
    """Deadlock or serialization failure: the transaction may be run again."""


class ConstraintViolated(InternalServerError):
    """A named constraint refused the row; callers turn the names they expect into errors of their own."""

    def __init__(self, constraint: str) -> None:
        super().__init__(f"The database refused the change: constraint {constraint}")
        self.constraint = constraint


class TransactionOutcomeUnknown(CommitStateUnknownException):
    """The connection was lost at COMMIT and the outcome could not be found out."""


_BY_SQLSTATE: dict[str, type[DatabaseUnavailable]] = {
    errorcodes.QUERY_CANCELED: QueryTimedOut,
    errorcodes.LOCK_NOT_AVAILABLE: LockNotAvailable,
    errorcodes.DEADLOCK_DETECTED: TransactionConflict,
    errorcodes.SERIALIZATION_FAILURE: TransactionConflict,
    errorcodes.ADMIN_SHUTDOWN: ConnectionLost,
    errorcodes.CRASH_SHUTDOWN: ConnectionLost,
    errorcodes.CANNOT_CONNECT_NOW: ConnectionLost,
    errorcodes.TOO_MANY_CONNECTIONS: ConnectionLost,
    errorcodes.IDLE_IN_TRANSACTION_SESSION_TIMEOUT: ConnectionLost,
    errorcodes.READ_ONLY_SQL_TRANSACTION: ConnectionLost,
}

_MESSAGES: dict[type[DatabaseUnavailable], str] = {
    QueryTimedOut: "The database did not answer in time",
    LockNotAvailable: "Another transaction holds the lock; try again",
    TransactionConflict: "The transaction conflicted with another one; try again",
    ConnectionLost: "The database is not available",
}


def from_driver(error: psycopg2.Error, *, connection_closed: bool) -> Exception:
    """Translate a psycopg2 error; an error that can only be a fault of ours is returned as it is."""
    constraint = getattr(error.diag, "constraint_name", None)
    if constraint:
        return ConstraintViolated(constraint)
    kind = _BY_SQLSTATE.get(error.pgcode or "")
    if kind is None and (
        connection_closed or isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    ):
        kind = ConnectionLost
    if kind is None:
        return error
    return kind(_MESSAGES[kind])
