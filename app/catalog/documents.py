"""Results that are a metadata document, kept as the name of its file."""

import msgspec

from app.catalog.context import Catalog, Warehouse
from app.catalog.metadata_files import read_metadata_file
from app.metadata.shapes import JsonObject


def document_result(metadata_location: str) -> JsonObject:
    """What to keep of a result for :func:`revive_document`."""
    return {"metadata-location": metadata_location}


def revive_document(catalog: Catalog, warehouse: Warehouse, result: JsonObject) -> tuple[str, str]:
    """Return the metadata location and the document that a request ended with.

    :raises NotFoundException: when the file is gone meanwhile
    """
    location = result["metadata-location"]
    row = catalog.db.fetch_one("load_current_document", warehouse_id=warehouse.id, metadata_location=location)
    if row is not None:
        return location, row.document
    return location, msgspec.json.encode(read_metadata_file(catalog, location)).decode()
