"""Schema migrations: numbered files of ``sql/migrations``, each applied once in a transaction of its own.

Migrations expand first and contract later. Each records the oldest program that may run on it in a line
``-- oldest-program: X.Y.Z``, so that during a rolling upgrade nodes of the previous version go on working on a newer
schema unless a migration says otherwise.
"""

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from packaging.version import Version

from app.config import Settings
from app.db import connection as connections
from app.db.connection import Connection
from app.db.errors import ConnectionLost
from app.db.queries import SQL_FOLDER, load_queries

MINIMUM_SERVER = 150000
MIGRATION_SECONDS = 24 * 3600
_FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_OLDEST_PROGRAM = re.compile(r"^-- oldest-program: (\S+)$", re.MULTILINE)


class SchemaError(Exception):
    """The database cannot be used by this program; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    oldest_program: str
    text: str


def known_migrations(folder: Path = SQL_FOLDER / "migrations") -> list[Migration]:
    """Return the migrations this program brings along, in order."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match, text = _FILE_NAME.fullmatch(path.name), path.read_text("utf-8")
        oldest = _OLDEST_PROGRAM.search(text)
        if match is None or oldest is None:
            raise SchemaError(
                f"{path.name}: needs a name NNNN_slug.sql and a line '-- oldest-program: X.Y.Z'"
            )
        found.append(Migration(int(match[1]), match[2], oldest[1], text))
    return found


def pending(settings: Settings, program_version: str) -> list[Migration]:
    """Return the migrations that the database still lacks.

    :raises SchemaError: when the server or the schema cannot be used by this program
    :raises ConnectionLost: when the database cannot be reached
    """
    with _session(settings) as connection:
        return _pending(connection, program_version)


def migrate(settings: Settings, program_version: str) -> list[Migration]:
    """Apply what is missing and return it; several nodes may call this at once, one of them does the work.

    :raises SchemaError: when the server or the schema cannot be used by this program
    :raises ConnectionLost: when the database cannot be reached
    """
    queries = load_queries()
    with _session(settings) as connection, connection.cursor() as cursor:
        cursor.execute(queries["lock_migrations"])
        try:
            cursor.execute(queries["create_schema_migrations"])
            missing = _pending(connection, program_version)
            for migration in missing:
                _apply(connection, migration)
        finally:
            if not connection.closed:
                cursor.execute(queries["unlock_migrations"])
    return missing


@contextmanager
def _session(settings: Settings) -> Iterator[Connection]:
    connections.install_wait_callback()
    try:
        connection = connections.connect(
            settings.database, application_name="bingsan migrate", lock_timeout=0
        )
    except psycopg2.Error as error:
        raise ConnectionLost(str(error).strip()) from error
    # A node may have to wait for another one's migrations, which may rewrite tables.
    connection.deadline = time.monotonic() + MIGRATION_SECONDS
    try:
        with connection.cursor() as cursor:
            cursor.execute(load_queries()["disable_statement_timeout"])
        _check_server(connection, settings)
        yield connection
    finally:
        connection.close()


def _check_server(connection: Connection, settings: Settings) -> None:
    version = connection.info.server_version
    if version < MINIMUM_SERVER:
        raise SchemaError(
            f"PostgreSQL {version // 10000} at {connection.info.host}:{connection.info.port} is too old: "
            "Bingsan needs PostgreSQL 15 or newer"
        )
    _check_pooler(connection, settings)


def _check_pooler(connection: Connection, settings: Settings) -> None:
    """Refuse a pooler that hands out another server session for every transaction: session state would get lost."""
    queries, probe = load_queries(), str(uuid.uuid4())
    with connection.cursor() as cursor:
        cursor.execute(queries["backend_pid"])
        (pid,) = cursor.fetchone() or (None,)
        if pid == connection.info.backend_pid:
            return
        cursor.execute(queries["set_probe"], {"value": probe})
        other = connections.connect(settings.database, application_name="bingsan migrate", lock_timeout=0)
        try:
            with other.cursor() as second:
                second.execute(queries["set_probe"], {"value": "another session"})
            cursor.execute(queries["read_probe"])
            (seen,) = cursor.fetchone() or (None,)
        finally:
            other.close()
    if seen != probe:
        raise SchemaError(
            "The database is reached through a pooler in transaction mode (PgBouncer pool_mode=transaction), which "
            "loses session state; connect to PostgreSQL itself or set pool_mode=session"
        )


def _pending(connection: Connection, program_version: str) -> list[Migration]:
    queries = load_queries()
    known = {migration.number: migration for migration in known_migrations()}
    with connection.cursor() as cursor:
        cursor.execute(queries["has_schema_migrations"])
        (exists,) = cursor.fetchone() or (False,)
        if not exists:
            return list(known.values())
        cursor.execute(queries["list_schema_migrations"])
        applied = dict(cursor.fetchall())
    for number, oldest in applied.items():
        if number not in known and Version(oldest) > Version(program_version):
            raise SchemaError(
                f"The database schema is at migration {max(applied)}, which needs Bingsan {oldest} or newer; "
                f"this is Bingsan {program_version}: upgrade it"
            )
    return [migration for number, migration in known.items() if number not in applied]


def _apply(connection: Connection, migration: Migration) -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            cursor.execute(migration.text.replace("%", "%%"), {})
            cursor.execute(
                load_queries()["record_schema_migration"],
                {
                    "number": migration.number,
                    "name": migration.name,
                    "oldest_program": migration.oldest_program,
                },
            )
            cursor.execute("COMMIT")
        except BaseException:
            if not connection.closed:
                cursor.execute("ROLLBACK")
            raise
