"""All that a service keeps in its database: to see that nothing changed, and to put back what did."""

import psycopg2.extensions

from tests.support.postgres import DatabaseAddress

# What is written aside, for the record or for speed, and is no part of what anybody may change.
ASIDE = ("schema_migrations", "idempotency_keys", "security_version")
TABLES = """SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relispartition
    AND relnamespace = 'public'::regnamespace AND relname <> ALL(%s) AND relname NOT LIKE 'audit%%'
    ORDER BY relname"""
# That a key was used is no change.
DIGEST = """SELECT '{0}', md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), ''))
    FROM (SELECT to_jsonb(one) - 'last_used_at' AS t FROM "{0}" one) rows"""
Digest = dict[str, str]


class State:
    """``saved`` is what it was when this was made."""

    def __init__(self, database: DatabaseAddress) -> None:
        self._connection: psycopg2.extensions.connection = database.connect()
        self._connection.autocommit = True
        self._tables = [name for (name,) in self._query(TABLES, list(ASIDE))]
        self._digest = " UNION ALL ".join(DIGEST.format(name) for name in self._tables)
        self._query("CREATE SCHEMA saved")
        for name in self._tables:
            self._query(f'CREATE TABLE saved."{name}" AS TABLE "{name}"')
        self.saved = self.now()

    def now(self) -> Digest:
        """A digest of each table, and how far the log of changes has come."""
        last = self._query("SELECT coalesce(max(id), 0) FROM changes")[0][0]
        return {**dict(self._query(self._digest)), "changes": str(last)}

    def restore(self) -> None:
        """Put back all that changed; the log of changes goes on."""
        now = self.now()
        changed = [name for name in self._tables if now[name] != self.saved[name]]
        if changed:
            statements = ["BEGIN", "SET LOCAL session_replication_role = replica"]
            for name in changed:
                statements.append(f'DELETE FROM "{name}"')
                statements.append(
                    f'INSERT INTO "{name}" OVERRIDING SYSTEM VALUE SELECT * FROM saved."{name}"'
                )
            statements += ["UPDATE security_version SET version = version + 1", "COMMIT"]
            self._query("; ".join(statements))
        self.saved = self.now()

    def _query(self, statement: str, *parameters: object) -> list[tuple]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        self._connection.close()
