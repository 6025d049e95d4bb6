"""Credentials for a table's files, and renewing them."""

from typing import NoReturn
from urllib.parse import urlsplit

from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.delegation import StorageCredential, delegate
from app.catalog.tables import load_table_location
from app.errors import BadRequestException
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


def refuse_signing(catalog: Catalog, warehouse: Warehouse, table: TableIdentifier, provider: str) -> NoReturn:
    """
    :raises NoSuchTableException: when it, or its namespace, does not exist
    :raises BadRequestException: otherwise, as no storage offers remote signing
    """
    scheme = urlsplit(load_table_location(catalog, warehouse, table)).scheme or "file"
    raise BadRequestException(
        f"Cannot sign a request to {provider} for table {table}: its storage ({scheme}) has no remote signing"
    )
