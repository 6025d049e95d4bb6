"""PostgreSQL: pool, transactions, named queries, migrations. The only package that knows psycopg2."""

from app.db.database import Database, Transaction
from app.db.errors import (
    ConnectionLost,
    ConstraintViolated,
    DatabaseUnavailable,
    LockNotAvailable,
    PoolExhausted,
    QueryTimedOut,
    TransactionConflict,
    TransactionOutcomeUnknown,
)
from app.db.statements import Row

__all__ = [
    "ConnectionLost",
    "ConstraintViolated",
    "Database",
    "DatabaseUnavailable",
    "LockNotAvailable",
    "PoolExhausted",
    "QueryTimedOut",
    "Row",
    "Transaction",
    "TransactionConflict",
    "TransactionOutcomeUnknown",
]
