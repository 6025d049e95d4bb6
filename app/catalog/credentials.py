"""Credentials for a table's files, and renewing them."""

from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.delegation import StorageCredential, delegate
from app.catalog.tables import load_table_location
from app.identifiers import TableIdentifier
from app.storage.policy import Access


def load_credentials(
    catalog: Catalog, caller: Caller, warehouse: Warehouse, table: TableIdentifier, access: Access | None
) -> list[StorageCredential]:
    """Return the credentials for a table's files; there may be none.

    :raises NoSuchTableException: when it, or its namespace, does not exist
    :raises ServiceError: when the service that issues them refuses or does not answer
    """
    location = load_table_location(catalog, warehouse, table)
    return list(delegate(catalog, caller, warehouse, table, lambda: location, access).credentials)
