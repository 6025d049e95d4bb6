"""Several tables changed in one step: all of them or none."""

from collections.abc import Sequence

from app.catalog.commits import commit
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import no_result, once
from app.catalog.table_requests import TableCommit
from app.catalog.tables import table_intent
from app.errors import BadRequestException
from app.identifiers import TableIdentifier


@once(no_result)
def commit_transaction(
    catalog: Catalog, caller: Caller, warehouse: Warehouse, changes: Sequence[TableCommit]
) -> None:
    """Commit to several tables. Changes to the same table follow each other and end in one metadata file.

    :raises CommitFailedException: when a requirement of any table does not hold; nothing is applied
    :raises NoSuchTableException: when any table is gone; nothing is applied
    :raises CommitStateUnknownException: when all of it or none of it may be applied
    """
    limit = catalog.settings.limits.max_transaction_changes
    if len(changes) > limit:
        raise BadRequestException(
            f"Invalid table-changes: {len(changes)} exceed limits.max_transaction_changes ({limit})"
        )
    by_table: dict[TableIdentifier, list[TableCommit]] = {}
    for change in changes:
        by_table.setdefault(change.table, []).append(change)
    commit(catalog, caller, warehouse, [table_intent(catalog, caller, steps) for steps in by_table.values()])
