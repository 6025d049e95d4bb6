"""How much the catalog holds."""

from collections import Counter

from app.db import Database
from app.observability.scrape import EntityCounts


def count_entities(db: Database) -> EntityCounts:
    """Count namespaces, and tables and views by dotted namespace name, over all warehouses."""
    tables: Counter[str] = Counter()
    views: Counter[str] = Counter()
    rows = db.fetch_all("count_entities")
    for row in rows:
        tables[row.namespace] += row.tables
        views[row.namespace] += row.views
    return EntityCounts(len(rows), tables, views)
