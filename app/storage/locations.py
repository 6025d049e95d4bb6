"""Locations: which texts name the same place, and which place lies inside which.

Pure functions for comparison; the text a client gave is kept as given everywhere else. ``s3``, ``s3a`` and
``s3n`` are one family, and so are ``file:/x``, ``file:///x``, ``file://localhost/x`` and ``/x``. Percent
signs are literal, as they are to Hadoop's ``Path``, Iceberg's ``S3URI`` and PyIceberg. What clients read
differently is refused instead of guessed: dot segments (also percent-encoded), empty segments, queries and
fragments.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from app.errors import BadRequestException, IllegalArgumentException

SCHEMES = {"file": "file", "s3": "s3", "s3a": "s3", "s3n": "s3"}

_MAX_KEY_BYTES = {"file": 4095, "s3": 1024}
"""Longest path the operating system takes, longest key S3 takes."""

_MAX_CHECKED_BYTES = 2048
"""Longest location a row may hold: an index entry of PostgreSQL has room for 2,704 bytes."""

_BEGINNINGS = {
    "file": ("file://", "file:", "", "file://localhost"),
    "s3": ("s3://", "s3a://", "s3n://"),
}
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Location(NamedTuple):
    """A place in storage. ``bucket`` is empty for files; ``path`` has no slash at either end."""

    family: str
    bucket: str
    path: str

    @property
    def key(self) -> str:
        """The canonical text: ``s3://bucket/a/b`` or ``file:///a/b``, never with a slash at the end.

        A place contains another exactly when its key plus a slash begins the other's.
        """
        return f"{self.family}://{self.bucket}/{self.path}".removesuffix("/")

    @property
    def name(self) -> str:
        """The last segment, empty for a root."""
        return self.path.rpartition("/")[2]

    @property
    def parent(self) -> "Location":
        """The place around this one; a root is its own parent."""
        return self._replace(path=self.path.rpartition("/")[0])

    def contains(self, other: "Location") -> bool:
        """Whether ``other`` is this place or inside it, on path boundaries."""
        if self.family != other.family or self.bucket != other.bucket:
            return False
        return not self.path or other.path == self.path or other.path.startswith(f"{self.path}/")


@lru_cache(256)
def normalise(location: str) -> Location:
    """Parse a location in any of its spellings; slashes at the end do not count.

    :raises BadRequestException: when it has no meaning that all clients share
    """
    _check_characters(location)
    family, bucket, path = _split(location)
    path = path.rstrip("/")
    if path:
        _check_segments(location, path)
    if len(path.encode()) > _MAX_KEY_BYTES[family]:
        raise _invalid(location, f"the path is longer than {_MAX_KEY_BYTES[family]} bytes")
    return Location(family, bucket, path)


def key(location: str) -> str:
    """The canonical text of a location, equal for equal places.

    :raises BadRequestException: as :func:`normalise`
    """
    return normalise(location).key


def is_within(location: str, prefix: str) -> bool:
    """Whether ``location`` is ``prefix`` or inside it, on path boundaries.

    :raises BadRequestException: as :func:`normalise`
    """
    return normalise(prefix).contains(normalise(location))


def ancestors(location: str) -> list[str]:
    """Keys of all places that contain ``location``, without itself, outermost (bucket, file root) first.

    :raises BadRequestException: as :func:`normalise`
    """
    place = normalise(location)
    if not place.path:
        return []
    parts = place.path.split("/")
    return [place._replace(path="/".join(parts[:depth])).key for depth in range(len(parts))]


def spellings(location: str) -> list[str]:
    """Every text, without a slash at the end, that names the same place; host and scheme in lower case.

    :raises BadRequestException: as :func:`normalise`
    """
    place = normalise(location)
    rest = f"{place.bucket}/{place.path}".removesuffix("/")
    return [f"{beginning}{rest}" for beginning in _BEGINNINGS[place.family]]


class AllowedLocations:
    """The prefixes inside which the server reads and writes."""

    def __init__(self, prefixes: Iterable[str]) -> None:
        self.prefixes = tuple(dict.fromkeys(normalise(prefix) for prefix in prefixes))

    def allows(self, location: str) -> bool:
        """Whether :meth:`check` has nothing against ``location``."""
        try:
            self.check(location)
        except (BadRequestException, IllegalArgumentException):
            return False
        return True

    def check(self, location: str) -> Location:
        """Return the place that ``location`` names.

        :raises BadRequestException: when it is malformed
        :raises IllegalArgumentException: when it lies outside all allowed prefixes
        """
        place = normalise(location)
        if not any(prefix.contains(place) for prefix in self.prefixes):
            raise IllegalArgumentException(
                f"Invalid location {location!r}: it is outside the warehouse and storage.allowed_locations"
            )
        if len(place.key.encode()) > _MAX_CHECKED_BYTES:
            raise _invalid(location, f"it is longer than {_MAX_CHECKED_BYTES} bytes")
        return place


def _split(location: str) -> tuple[str, str, str]:
    """Split into family, bucket, and path without the first slash."""
    if location.startswith("/"):
        return "file", "", location[1:]
    scheme, colon, rest = location.partition(":")
    family = SCHEMES.get(scheme.lower()) if colon else None
    if family is None:
        supported = ", ".join(sorted(SCHEMES))
        raise _invalid(location, f"expected an absolute path or a URI with one of the schemes {supported}")
    return _split_file(location, rest) if family == "file" else _split_s3(location, rest)


def _split_file(location: str, rest: str) -> tuple[str, str, str]:
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if not slash or host not in {"", "localhost"}:
            raise _invalid(location, "a file URI must not name a host; write file:///path")
        return "file", "", path
    if not rest.startswith("/"):
        raise _invalid(location, "a file URI needs an absolute path")
    return "file", "", rest[1:]


def _split_s3(location: str, rest: str) -> tuple[str, str, str]:
    bucket, _, path = rest.removeprefix("//").partition("/")
    if not rest.startswith("//") or not bucket:
        raise _invalid(location, "the bucket is missing")
    if not _BUCKET.fullmatch(bucket):
        raise _invalid(location, f"{bucket!r} is no bucket name")
    return "s3", bucket, path


def _check_characters(location: str) -> None:
    if not location:
        raise BadRequestException("Invalid location: must not be empty")
    if _CONTROL_CHARACTERS.search(location):
        raise _invalid(location, "control characters are not allowed")
    if "?" in location or "#" in location:
        raise _invalid(location, "'?' and '#' are not allowed, clients disagree about what they mean")
    try:
        location.encode()
    except UnicodeEncodeError as error:
        raise _invalid(location, "it is not valid Unicode") from error


def _check_segments(location: str, path: str) -> None:
    for segment in path.split("/"):
        if not segment:
            raise _invalid(location, "empty path segments ('//') are not allowed")
        if segment in {".", ".."} or ("%" in segment and _decodes_to_dots(segment)):
            raise _invalid(location, "'.' and '..' segments are not allowed, nor are they percent-encoded")


def _decodes_to_dots(segment: str) -> bool:
    return unquote(segment).partition("/")[0] in {".", ".."}


def _invalid(location: str, reason: str) -> BadRequestException:
    shown = location if len(location) <= 300 else f"{location[:300]}…"
    return BadRequestException(f"Invalid location {shown!r}: {reason}")
