"""Where metadata files lie and what they are called.

Source: the Iceberg table specification, "Metastore Tables", and the Java reference's
``BaseMetastoreTableOperations`` and ``BaseViewOperations``.
"""

import re

from app.errors import ValidationException
from app.metadata.properties import (
    DELETE_AFTER_COMMIT,
    METADATA_CODECS,
    METADATA_COMPRESSION,
    METADATA_PATH,
    WRITE_PATHS,
    boolean_property,
)
from app.metadata.shapes import JsonObject, strip_slashes

_VERSION = re.compile(r"([0-9]{1,18})-")


def metadata_codec(metadata: JsonObject, default: str) -> str:
    """Return ``none`` or ``gzip``: the codec that the next metadata file is to have.

    :param default: what holds without the property: ``none`` for tables, ``gzip`` for views
    :raises ValidationException: when the property names another codec
    """
    codec = metadata.get("properties", {}).get(METADATA_COMPRESSION, default).lower()
    if codec not in METADATA_CODECS:
        raise ValidationException(
            f"Invalid value for property {METADATA_COMPRESSION}: {codec!r} is not none or gzip"
        )
    return str(codec)


def metadata_directory(metadata: JsonObject) -> str:
    """Return the location, without a trailing slash, below which metadata files are written."""
    path = metadata.get("properties", {}).get(METADATA_PATH)
    return strip_slashes(path) if path else f"{strip_slashes(metadata['location'])}/metadata"


def metadata_file_location(
    metadata: JsonObject, current_location: str | None, unique: str, *, default_codec: str
) -> str:
    """Name the file for new metadata.

    :param current_location: the file that it supersedes; its version counts up, from 0 if it has none
    :param unique: a text never used before, such as a random UUID
    """
    version = _version(current_location) + 1
    extension = ".gz.metadata.json" if metadata_codec(metadata, default_codec) == "gzip" else ".metadata.json"
    return f"{metadata_directory(metadata)}/{version:05d}-{unique}{extension}"


def _version(location: str | None) -> int:
    match = _VERSION.match(location.rpartition("/")[2]) if location else None
    return int(match[1]) if match else -1


def superseded_metadata_files(old: JsonObject, new: JsonObject) -> list[str]:
    """Return the files that a successful commit may delete: logged in ``old``, no longer logged in ``new``.

    Empty unless the new properties ask for it. The caller checks that the files lie in the table's locations.
    """
    if not boolean_property(new.get("properties", {}), DELETE_AFTER_COMMIT):
        return []
    kept = {entry["metadata-file"] for entry in new.get("metadata-log", ())}
    files = [entry["metadata-file"] for entry in old.get("metadata-log", ())]
    return [file for file in dict.fromkeys(files) if file not in kept]


def write_paths(metadata: JsonObject) -> list[str]:
    """Return every location that clients or the service may write to, the table's own first."""
    properties = metadata.get("properties", {})
    paths = [properties[name] for name in WRITE_PATHS if properties.get(name)]
    return list(dict.fromkeys([strip_slashes(metadata["location"]), *map(strip_slashes, paths)]))
