"""Very many tables at once: rows made by SQL after the model of one that the service made.

Their metadata files are not there; nothing that the benchmark asks of them reads one.
"""

from contextlib import closing
from typing import Any

from tests.benchmark.site import Site
from tests.factories import create_table_request

NAMESPACES = "/v1/namespaces"
BULK = "bulk"
COLUMNS = """SELECT column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s AND column_name <> 'id' ORDER BY ordinal_position"""
SPACES = 200
# Half of the tables in one namespace, the others in namespaces of a hundred; of these there are SPACES at least.
OF_NAMESPACES = {
    "levels": "ARRAY['s' || i]",
    "location": "n.location || '-' || i",
}
OF_TABLES = {
    "namespace_id": "coalesce(own.id, n.id)",
    "name": "'t' || i",
    "uuid": "new.uuid",
    "location": "t.location || '-' || i",
    "location_key": "t.location_key || '-' || i",
    "metadata_location": "replace(t.metadata_location, t.location, t.location || '-' || i)",
    "document": "replace(replace(t.document, t.location, t.location || '-' || i), t.uuid::text, new.uuid::text)",
}
FILL_NAMESPACES = """INSERT INTO namespaces ({columns}) SELECT {values}
    FROM namespaces n, generate_series(1, greatest(%(half)s / 100, %(spaces)s)) i WHERE n.levels = ARRAY['bulk']"""
FILL_TABLES = """INSERT INTO tabulars ({columns}) SELECT {values}
    FROM generate_series(1, %(half)s * 2) i
    CROSS JOIN LATERAL (SELECT gen_random_uuid() AS uuid WHERE i > 0) new
    JOIN namespaces n ON n.levels = ARRAY['bulk']
    LEFT JOIN namespaces own ON i > %(half)s AND own.levels = ARRAY['s' || (i - %(half)s + 99) / 100]
    JOIN tabulars t ON t.name = 'model'"""


def fill(site: Site, size: int) -> None:
    """Make ``size`` tables and as many namespaces as hold half of them by hundreds."""
    with site.client() as client:
        done(client.post(NAMESPACES, json={"namespace": [BULK]}))
        done(client.post(f"{NAMESPACES}/{BULK}/tables", json=create_table_request("model")))
    database = site.server.database
    assert database is not None
    with closing(database.connect()) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for table, alias, statement, own in (
                ("namespaces", "n", FILL_NAMESPACES, OF_NAMESPACES),
                ("tabulars", "t", FILL_TABLES, OF_TABLES),
            ):
                cursor.execute(COLUMNS, [table])
                columns = [name for (name,) in cursor.fetchall()]
                values = ", ".join(own.get(name, f"{alias}.{name}") for name in columns)
                cursor.execute(
                    statement.format(columns=", ".join(columns), values=values),
                    {"half": size // 2, "spaces": SPACES},
                )
            cursor.execute("VACUUM ANALYZE")


def done(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, f"{answer.request.url}: {answer.status_code} {answer.text[:500]}"
    return answer.json() if status == 200 else None
