"""What a client gets to reach a table's files with.

No storage of this version has credentials that end by themselves, and the service's own keys never leave it:
clients bring theirs.
"""

from typing import NamedTuple, NoReturn
from urllib.parse import urlsplit

from app.catalog.context import Catalog, Warehouse
from app.catalog.tables import load_table_location
from app.errors import BadRequestException
from app.identifiers import TableIdentifier


class StorageCredential(NamedTuple):
    """``config`` holds client properties that are good for all locations that begin with ``prefix``."""

    prefix: str
    config: dict[str, str]


def load_credentials(
    catalog: Catalog, warehouse: Warehouse, table: TableIdentifier
) -> list[StorageCredential]:
    """Return the credentials for a table's files, of which there are none.

    :raises NoSuchTableException: when it, or its namespace, does not exist
    """
    load_table_location(catalog, warehouse, table)
    return []


def refuse_signing(catalog: Catalog, warehouse: Warehouse, table: TableIdentifier, provider: str) -> NoReturn:
    """
    :raises NoSuchTableException: when it, or its namespace, does not exist
    :raises BadRequestException: otherwise, as no storage offers remote signing
    """
    scheme = urlsplit(load_table_location(catalog, warehouse, table)).scheme or "file"
    raise BadRequestException(
        f"Cannot sign a request to {provider} for table {table}: its storage ({scheme}) has no remote signing"
    )
