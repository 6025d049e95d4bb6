"""Names of things, and how they travel in paths.

A path segment arrives percent-encoded and is split before it is decoded, so that a table called ``a/b`` stays one
segment. Java encodes a space as ``+``, Python as ``%20``: ``+`` means a space unless nothing of that name exists.
Source: the Iceberg REST specification (namespace parameter) and the encodings of its Java, Python, Go and Rust
clients.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from app.errors import BadRequestException

NAMESPACE_SEPARATOR = "\x1f"
# Path segments behind /v1/ that mean something else, or may come to.
RESERVED_WAREHOUSE_NAMES = (
    "api-keys",
    "aws",
    "config",
    "events",
    "namespaces",
    "oauth",
    "tables",
    "transactions",
    "views",
)
_WAREHOUSE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Namespace(tuple[str, ...]):
    """The levels of a namespace, outermost first; ``str()`` joins them with dots as error messages do."""

    __slots__ = ()

    def __str__(self) -> str:
        return ".".join(self)

    @property
    def parent(self) -> "Namespace":
        return Namespace(self[:-1])

    @property
    def beyond(self) -> "Namespace":
        """What sorts behind the last descendant and before everything else: names hold no control characters."""
        return Namespace([*self[:-1], f"{self[-1]}\x01"])

    def is_within(self, other: "Namespace") -> bool:
        """Whether it is ``other`` or lies below it."""
        return self[: len(other)] == other


class TableIdentifier(NamedTuple):
    """The full name of a table or a view."""

    namespace: Namespace
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}.{self.name}"


def decode_segment(raw: str, *, keep_plus: bool = False) -> str:
    """Decode one percent-encoded path segment to text.

    :raises BadRequestException: when the bytes are not UTF-8 or hold NUL
    """
    text = raw if keep_plus else raw.replace("+", " ")
    try:
        decoded = unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequestException(f"Invalid path segment {raw!r}: not UTF-8 ({error.reason})") from error
    if "\0" in decoded:
        raise BadRequestException(f"Invalid path segment {raw!r}: names must not contain U+0000")
    return decoded


def decode_namespace(raw: str, *, keep_plus: bool = False) -> Namespace:
    """Decode a raw path segment such as ``a%1Fb`` to the levels of a namespace."""
    levels = raw.replace("%1f", "%1F").split("%1F")
    return Namespace(decode_segment(level, keep_plus=keep_plus) for level in levels)


def split_namespace(text: str) -> Namespace:
    """Split an already decoded query parameter (``parent``) to levels."""
    return Namespace(text.split(NAMESPACE_SEPARATOR))


def check_name(name: object, field: str, max_length: int) -> str:
    """Return ``name`` when it may name a namespace level, table or view.

    :raises BadRequestException: when it is no string, is empty, too long, or holds a control character
    """
    if not isinstance(name, str):
        raise BadRequestException(f"Invalid {field}: expected a string, got {type(name).__name__}")
    if not name:
        raise BadRequestException(f"Invalid {field}: must not be empty")
    if len(name) > max_length:
        raise BadRequestException(
            f"Invalid {field}: {len(name)} characters exceed limits.max_identifier_length ({max_length})"
        )
    if any(character < " " or character == "\x7f" for character in name):
        raise BadRequestException(f"Invalid {field} {name!r}: control characters are not allowed")
    return name


def check_namespace(levels: object, field: str, max_length: int, max_depth: int) -> Namespace:
    """Return ``levels`` (a JSON array of strings) as a namespace.

    :raises BadRequestException: when it is no array, is empty, too deep, or a level is no valid name
    """
    if not isinstance(levels, Sequence) or isinstance(levels, str | bytes):
        raise BadRequestException(f"Invalid {field}: expected an array of strings")
    if not levels:
        raise BadRequestException(f"Invalid {field}: must have at least one level")
    if len(levels) > max_depth:
        raise BadRequestException(
            f"Invalid {field}: {len(levels)} levels exceed limits.max_namespace_depth ({max_depth})"
        )
    return Namespace(check_name(level, f"{field}[{i}]", max_length) for i, level in enumerate(levels))


def warehouse_name_problem(name: str) -> str | None:
    """Return what is wrong with the name of a warehouse, None when it is fine."""
    if not _WAREHOUSE_NAME.fullmatch(name):
        return "must be 1 to 128 letters, digits, '.', '_' and '-' and begin with a letter or digit"
    if name.lower() in RESERVED_WAREHOUSE_NAMES:
        return f"must not be one of {', '.join(RESERVED_WAREHOUSE_NAMES)}, in upper or lower case"
    return None


def encode_page_token(scope: str, last_name: str) -> str:
    """Make the opaque token that continues a listing of ``scope`` behind ``last_name``."""
    return base64.urlsafe_b64encode(f"{scope}\0{last_name}".encode()).decode("ascii").rstrip("=")


def decode_page_token(token: str, scope: str) -> str:
    """Return the last name that a page token holds.

    :raises BadRequestException: when the token is garbage or was made for another listing
    """
    try:
        padded = token + "=" * (-len(token) % 4)
        made_for, last_name = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split("\0", 1)
    except (binascii.Error, ValueError) as error:
        raise BadRequestException("Invalid pageToken: not a token of this server") from error
    if made_for != scope or "\0" in last_name:
        raise BadRequestException("Invalid pageToken: it belongs to another listing")
    return last_name
