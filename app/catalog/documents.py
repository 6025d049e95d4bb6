"""Results that are a metadata document, kept as the name of its file."""

import msgspec

from app.catalog.context import Catalog, Warehouse
from app.catalog.kinds import Kind
from app.catalog.metadata_files import read_metadata_file
from app.catalog.packing import document_of
from app.errors import NotFoundException
from app.metadata.shapes import JsonObject


def document_result(metadata_location: str, object_id: int | None) -> JsonObject:
    """What to keep of a result for :func:`revive_document`."""
    return {"metadata-location": metadata_location, "object-id": object_id}


def revive_document(
    catalog: Catalog, warehouse: Warehouse, result: JsonObject, kind: Kind
) -> tuple[str, str]:
    """Return the metadata location and the document that a request ended with.

    When its file was deleted by later commits it is what they made of it: never an error that would let a client
    believe that its commit failed.

    :raises NoSuchTableException: or its counterpart for views, when the object was purged meanwhile
    """
    location = result["metadata-location"]
    row = catalog.db.fetch_one("load_current_document", warehouse_id=warehouse.id, metadata_location=location)
    if row is not None:
        return location, document_of(row)
    try:
        return location, msgspec.json.encode(read_metadata_file(catalog, warehouse, location)).decode()
    except NotFoundException as error:
        row = catalog.db.fetch_one("load_document_of", id=result.get("object-id"))
        if row is None:
            raise kind.missing(f"{kind.title} does not exist any more: {error.message}") from error
    return row.metadata_location, document_of(row)
