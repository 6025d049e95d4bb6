"""What every file system can do, and the errors all of them share."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from app.errors import BadRequestException, IllegalArgumentException, NotFoundException
from app.storage.signing import Approved
from app.storage.vending import Vended


class Entry(NamedTuple):
    """What lies in a folder; ``modified`` is in seconds since 1970, by the storage's clock, and 0 for folders."""

    name: str
    is_folder: bool
    modified: float


class Page(NamedTuple):
    """Some entries of a folder; ``next`` asks for those behind them and is empty when there are none."""

    entries: list[Entry]
    next: str


class FileSystem(Protocol):
    """Synchronous access to files by location; what fails is a :class:`~app.errors.ServiceError`."""

    def read(self, location: str, max_bytes: int) -> bytes:
        """Return the whole content.

        :raises NotFoundException: when there is no such file
        :raises BadRequestException: when it is larger than ``max_bytes``
        """

    def exists(self, location: str) -> bool:
        """Whether there is a file."""

    def list_page(self, folder: str, after: str = "") -> Page:
        """Return a thousand entries of a folder, which is empty when there is none, without those deeper inside.

        :param after: ``next`` of the page before
        """

    def write_new(self, location: str, data: bytes) -> None:
        """Create a file that is durable on return. An existing file is never replaced by other content."""

    def delete(self, locations: Iterable[str], *, checksums: bool = False) -> dict[str, str]:
        """Remove files; missing ones are fine.

        :param checksums: also remove the ``.<name>.crc`` that Hadoop keeps beside local files
        :returns: the reason for each location that could not be removed
        """

    def remove_empty_folders(self, locations: Iterable[str], within: str) -> None:
        """Remove those folders of ``locations`` that became empty, upward up to and including ``within``."""

    def sign(self, approved: Approved, keys: Vended | None) -> dict[str, str]:
        """Sign a request and return the headers that the client has to add.

        :param keys: None takes the service's own

        :raises BadRequestException: when the storage takes no signatures
        """

    def close(self) -> None:
        """Let go of what is kept open between calls; it may still be used."""


def missing(location: str) -> NotFoundException:
    return NotFoundException(f"Failed to open input stream for file: {location}")


def too_large(location: str, max_bytes: int) -> BadRequestException:
    return BadRequestException(
        f"File {location} is larger than the {max_bytes} bytes that are allowed for it"
    )


def symlink_escape(location: str) -> IllegalArgumentException:
    return IllegalArgumentException(
        f"Invalid location {location!r}: a symbolic link leads outside the warehouse"
        " and storage.allowed_locations"
    )
