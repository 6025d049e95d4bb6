"""Metadata documents as files: JSON, gzip-compressed when the name says so."""

import gzip
import zlib
from collections.abc import Iterable

import msgspec

from app.catalog.context import Catalog, Warehouse
from app.errors import BadRequestException, ServiceError, ValidationException
from app.metadata.shapes import JsonObject
from app.observability.logs import get_logger

log = get_logger(__name__)
_GZIP_NAMES = (".gz.metadata.json", ".metadata.json.gz")


def encode_document(metadata: JsonObject) -> str:
    """The text that is stored, written and sent."""
    return msgspec.json.encode(metadata).decode()


def write_metadata_file(catalog: Catalog, warehouse: Warehouse, location: str, document: str) -> None:
    """Write a new file, durable on return.

    :raises ServiceError: when it could not be written; then nothing is there
    """
    data = document.encode()
    if location.endswith(_GZIP_NAMES):
        data = catalog.cpu.run(lambda: gzip.compress(data, compresslevel=6, mtime=0))
    catalog.storages.of(warehouse).for_location(location).write_new(location, data)


def read_metadata_file(catalog: Catalog, warehouse: Warehouse, location: str) -> object:
    """Return the JSON document of a metadata file.

    :raises NotFoundException: when there is no such file
    :raises ValidationException: when it is no JSON
    :raises BadRequestException: when it is larger than ``limits.max_metadata_size``
    """
    limit = catalog.settings.limits.max_metadata_size
    data = catalog.storages.of(warehouse).for_location(location).read(location, limit)
    if location.endswith(_GZIP_NAMES):
        data = catalog.cpu.run(lambda: _decompress(location, data, limit))
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValidationException(f"Cannot parse metadata file {location}: {error}") from error


def delete_metadata_files(catalog: Catalog, warehouse: Warehouse, locations: Iterable[str]) -> None:
    """Delete files of an attempt that did not come to pass; what cannot be deleted is logged and stays."""
    for location in locations:
        try:
            left = catalog.storages.of(warehouse).for_location(location).delete([location])
        except ServiceError as error:
            left = {location: error.message}
        for name, reason in left.items():
            log.warning("metadata file of a failed commit is left over", location=name, error=reason)


def discard_metadata_files(catalog: Catalog, warehouse: Warehouse, locations: Iterable[str]) -> None:
    """The same in the background, best effort."""
    for location in locations:
        catalog.storages.of(warehouse).for_location(location).discard([location])


def _decompress(location: str, data: bytes, limit: int) -> bytes:
    decompressor = zlib.decompressobj(wbits=31)
    try:
        text = decompressor.decompress(data, limit + 1)
    except zlib.error as error:
        raise ValidationException(f"Cannot parse metadata file {location}: {error}") from error
    if len(text) > limit:
        raise BadRequestException(
            f"Metadata file {location} is larger than limits.max_metadata_size ({limit} bytes) when decompressed"
        )
    return text
