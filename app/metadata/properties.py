"""Table and view properties that the service itself interprets.

All others pass untouched. Source: the Iceberg documentation, "Configuration", and the Java reference's
``TableProperties`` and ``ViewProperties``.
"""

from collections.abc import Callable

from app.errors import ValidationException
from app.metadata.schema import SchemaIndex
from app.metadata.shapes import INT_MAX, LONG_MAX

FORMAT_VERSION = "format-version"
DEFAULT_FORMAT_VERSION = 2
SUPPORTED_FORMAT_VERSIONS = (1, 2, 3)
PREVIOUS_VERSIONS_MAX = "write.metadata.previous-versions-max"
PREVIOUS_VERSIONS_MAX_DEFAULT = 100
DELETE_AFTER_COMMIT = "write.metadata.delete-after-commit.enabled"
METADATA_COMPRESSION = "write.metadata.compression-codec"
METADATA_PATH = "write.metadata.path"
PARQUET_COMPRESSION = "write.parquet.compression-codec"
WRITE_PATHS = (
    "write.data.path",
    METADATA_PATH,
    "write.object-storage.path",
    "write.folder-storage.path",
)
METRICS_COLUMN_PREFIX = "write.metadata.metrics.column."
ENCRYPTION_KEY_ID = "encryption.key-id"
VERSION_HISTORY_SIZE = "version.history.num-entries"
VERSION_HISTORY_SIZE_DEFAULT = 10
DROP_DIALECT_ALLOWED = "replace.drop-dialect.allowed"
METADATA_CODECS = ("none", "gzip")

RESERVED = frozenset(
    {
        FORMAT_VERSION,
        "uuid",
        "snapshot-count",
        "current-snapshot-summary",
        "current-snapshot-id",
        "current-snapshot-timestamp-ms",
        "current-schema",
        "default-partition-spec",
        "default-sort-order",
    }
)

Check = Callable[[str], bool]


def _integer_within(minimum: int, maximum: int) -> Check:
    def check(text: str) -> bool:
        digits = text.removeprefix("-")
        return len(text) <= 20 and digits.isascii() and digits.isdigit() and minimum <= int(text) <= maximum

    return check


_NATURAL = (_integer_within(0, INT_MAX), "a non-negative integer")
_POSITIVE = (_integer_within(1, INT_MAX), "a positive integer")
_DURATION = (_integer_within(1, LONG_MAX), "a positive number of milliseconds")
_BOOLEAN = (lambda text: text.lower() in ("true", "false"), "true or false")
_CODEC = (lambda text: text.lower() in METADATA_CODECS, "none or gzip")
_LOCATION = (lambda text: bool(text.strip("/ ")), "a location")

_COMMON: dict[str, tuple[Check, str]] = {METADATA_COMPRESSION: _CODEC, METADATA_PATH: _LOCATION}
TABLE_CHECKS: dict[str, tuple[Check, str]] = {
    **_COMMON,
    **dict.fromkeys(WRITE_PATHS, _LOCATION),
    FORMAT_VERSION: (
        lambda text: text in tuple(map(str, SUPPORTED_FORMAT_VERSIONS)),
        "one of " + ", ".join(map(str, SUPPORTED_FORMAT_VERSIONS)),
    ),
    PREVIOUS_VERSIONS_MAX: _NATURAL,
    DELETE_AFTER_COMMIT: _BOOLEAN,
    "gc.enabled": _BOOLEAN,
    "commit.retry.num-retries": _NATURAL,
    "commit.retry.min-wait-ms": _NATURAL,
    "commit.retry.max-wait-ms": _NATURAL,
    "commit.retry.total-timeout-ms": _NATURAL,
    "history.expire.max-snapshot-age-ms": _DURATION,
    "history.expire.min-snapshots-to-keep": _POSITIVE,
    "history.expire.max-ref-age-ms": _DURATION,
}
VIEW_CHECKS: dict[str, tuple[Check, str]] = {
    **_COMMON,
    VERSION_HISTORY_SIZE: _POSITIVE,
    DROP_DIALECT_ALLOWED: _BOOLEAN,
    "gc.enabled": _BOOLEAN,
}


def check_properties(properties: dict[str, str], checks: dict[str, tuple[Check, str]]) -> None:
    """Check the values of those properties that the service interprets.

    :param checks: ``TABLE_CHECKS`` or ``VIEW_CHECKS``
    :raises ValidationException: naming the property whose value is not understood
    """
    for name, value in properties.items():
        if name in checks:
            check, expected = checks[name]
            if not check(value):
                raise ValidationException(f"Invalid value for property {name}: {value!r} is not {expected}")


def check_metrics_columns(properties: dict[str, str], index: SchemaIndex) -> None:
    """:raises ValidationException: when a metrics property names a column that does not exist"""
    for name in properties:
        if name.startswith(METRICS_COLUMN_PREFIX):
            column = name.removeprefix(METRICS_COLUMN_PREFIX)
            if index.id_of(column) is None:
                raise ValidationException(
                    f"Invalid metrics config, could not find column {column} from table prop {name}"
                )


def check_encryption(properties: dict[str, str], format_version: int) -> None:
    """:raises ValidationException: when encryption is asked for below format v3"""
    if format_version < 3 and ENCRYPTION_KEY_ID in properties:
        raise ValidationException(
            f"Invalid property {ENCRYPTION_KEY_ID} for v{format_version}: encryption requires v3"
        )


def integer_property(properties: dict[str, str], name: str, default: int) -> int:
    """Return an integer property; the default when it is absent or, in an adopted file, not understood."""
    value = properties.get(name)
    if value is None or not _integer_within(-INT_MAX, INT_MAX)(value):
        return default
    return int(value)


def boolean_property(properties: dict[str, str], name: str) -> bool:
    return properties.get(name, "").lower() == "true"
