"""Statistics files, partition statistics files and encryption keys: shapes.

Source: the Iceberg table specification, "Table Statistics", "Partition Statistics" and "Encryption Keys".
"""

import base64
import binascii
from typing import Any

from app.errors import BadRequestException
from app.metadata.shapes import (
    JsonObject,
    as_array_of,
    as_ints,
    as_long,
    as_object,
    as_string,
    as_string_map,
    optional,
    required,
    without_nulls,
)


def read_statistics(value: Any, path: str) -> JsonObject:
    """:raises BadRequestException: when ``value`` is no statistics file"""
    file = without_nulls(read_partition_statistics(value, path), ("key-metadata",))
    required(file, "file-footer-size-in-bytes", path, as_long)
    optional(file, "key-metadata", path, as_string)
    return {**file, "blob-metadata": required(file, "blob-metadata", path, as_array_of(_read_blob))}


def _read_blob(value: Any, path: str) -> JsonObject:
    blob = without_nulls(as_object(value, path), ("properties",))
    required(blob, "type", path, as_string)
    required(blob, "snapshot-id", path, as_long)
    required(blob, "sequence-number", path, as_long)
    required(blob, "fields", path, as_ints)
    optional(blob, "properties", path, as_string_map)
    return blob


def read_partition_statistics(value: Any, path: str) -> JsonObject:
    """:raises BadRequestException: when ``value`` is no partition statistics file"""
    file = as_object(value, path)
    required(file, "snapshot-id", path, as_long)
    required(file, "statistics-path", path, as_string)
    required(file, "file-size-in-bytes", path, as_long)
    return file


def read_encryption_key(value: Any, path: str) -> JsonObject:
    """:raises BadRequestException: when ``value`` is no encrypted key"""
    key = without_nulls(as_object(value, path), ("encrypted-by-id", "properties"))
    required(key, "key-id", path, as_string)
    _check_base64(required(key, "encrypted-key-metadata", path, as_string), path)
    optional(key, "encrypted-by-id", path, as_string)
    optional(key, "properties", path, as_string_map)
    return key


def _check_base64(text: str, path: str) -> None:
    try:
        base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequestException(f"{path}.encrypted-key-metadata: expected base64 text") from error
