"""The local file system: a written file is on the disk, and symlinks never lead outside the allowed roots.

How paths are walked says :mod:`app.storage.walk`. A symlink in the place of a file is never followed at all.
"""

import errno
import heapq
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from posix import close

from app.errors import (
    AlreadyExistsException,
    BadRequestException,
    InternalServerError,
    NotFoundException,
    ServiceError,
    ServiceUnavailableException,
)
from app.storage.filesystem import Entry, Page, missing, symlink_escape, too_large
from app.storage.locations import Location, normalise
from app.storage.signing import Approved
from app.storage.vending import Vended
from app.storage.walk import OutsideRootsError, open_folder

_TRANSIENT = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ESTALE,
}
_ABSENT = {
    "read": {errno.ENOENT, errno.ENOTDIR, errno.EISDIR},
    "look for": {errno.ENOENT, errno.ENOTDIR, errno.EISDIR},
    "list": {errno.ENOENT, errno.ENOTDIR},
    "delete": {errno.ENOENT, errno.ENOTDIR},
    "write": set[int](),
}
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PAGE = 1000
_WRITE_ATTEMPTS = 3
"""A purge may remove an empty folder after we opened it and before our file is in it."""


class LocalFileSystem:
    """Files inside the given roots."""

    def __init__(self, roots: Iterable[Location]) -> None:
        self._roots = tuple(f"/{root.path}" for root in roots)

    def read(self, location: str, max_bytes: int) -> bytes:
        """Return the whole content of a regular file.

        :raises NotFoundException: when there is none
        :raises BadRequestException: when it is larger than ``max_bytes``
        :raises ServiceError: when the operating system refuses
        """
        with _errors("read", location), self._folder(location) as (folder, name):
            fd = os.open(name, _READ, dir_fd=folder)
            try:
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    raise missing(location)
                with os.fdopen(fd, "rb", closefd=False) as file:
                    content = file.read(max_bytes + 1)
            finally:
                close(fd)
        if len(content) > max_bytes:
            raise too_large(location, max_bytes)
        return content

    def exists(self, location: str) -> bool:
        """Whether there is a regular file.

        :raises ServiceError: when the operating system refuses
        """
        try:
            with _errors("look for", location), self._folder(location) as (folder, name):
                return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
        except NotFoundException:
            return False

    def list_page(self, folder: str, after: str = "") -> Page:
        """Return a thousand entries of a folder by name, behind ``after``; none when there is no such folder.

        :raises ServiceError: when the operating system refuses
        """
        path = f"/{normalise(folder).path}"
        try:
            with _errors("list", folder), open_folder(self._roots, path) as fd:
                return _list_page(fd, after)
        except NotFoundException:
            return Page([], "")

    def write_new(self, location: str, data: bytes) -> None:
        """Create a file and all its missing folders; on return it survives a crash of the machine.

        :raises AlreadyExistsException: when it exists; it is left alone
        :raises ServiceError: when the operating system refuses; a partial file is removed
        """
        with _errors("write", location):
            for _ in range(_WRITE_ATTEMPTS - 1):
                with suppress(FileNotFoundError):
                    return self._write_new(location, data)
            return self._write_new(location, data)

    def delete(self, locations: Iterable[str], *, checksums: bool = False) -> dict[str, str]:
        """Remove files; missing ones are fine.

        :param checksums: also remove the ``.<name>.crc`` that Hadoop keeps beside each
        :returns: the reason for each location that could not be removed
        """
        failures = {}
        for location in locations:
            try:
                self._delete(location, checksums)
            except NotFoundException:
                continue
            except ServiceError as error:
                failures[location] = error.message
        return failures

    def remove_empty_folders(self, locations: Iterable[str], within: str) -> None:
        """Remove those folders of ``locations`` that are empty, upward up to and including ``within``.

        A folder that holds anything stays, as does one that the operating system refuses to remove.
        """
        limit = normalise(within)
        folders = {normalise(location).parent for location in locations}
        while folders := {folder for folder in folders if limit.contains(folder) and folder.path}:
            deepest = max(folders, key=lambda folder: folder.path.count("/"))
            folders.remove(deepest)
            if self._remove_folder(deepest):
                folders.add(deepest.parent)

    def sign(self, approved: Approved, keys: Vended | None) -> dict[str, str]:  # noqa: ARG002
        raise BadRequestException("Local files take no signed requests")

    def close(self) -> None:
        """Nothing to do: no file stays open between calls."""

    def _write_new(self, location: str, data: bytes) -> None:
        with self._folder(location, create=True) as (folder, name):
            _create(folder, name, data)

    def _delete(self, location: str, checksums: bool) -> None:
        with _errors("delete", location), self._folder(location) as (folder, name):
            for entry in (name, f".{name}.crc") if checksums else (name,):
                with suppress(FileNotFoundError):
                    os.unlink(entry, dir_fd=folder)

    def _remove_folder(self, place: Location) -> bool:
        try:
            with self._folder(place.key) as (outer, name):
                os.rmdir(name, dir_fd=outer)
        except FileNotFoundError:
            return True
        except (OSError, OutsideRootsError):
            return False
        return True

    @contextmanager
    def _folder(self, location: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
        """Give the open folder of a file, and the file's name."""
        place = normalise(location)
        if place.family != "file" or not place.path:
            raise BadRequestException(f"Invalid location {location!r}: not a file of the local file system")
        if f"/{place.path}" in self._roots:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with open_folder(self._roots, f"/{place.parent.path}", create=create) as folder:
            yield folder, place.name


def _list_page(folder: int, after: str) -> Page:
    readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        with os.scandir(readable) as found:
            names = heapq.nsmallest(_PAGE, (entry.name for entry in found if entry.name > after))
        entries = [entry for name in names if (entry := _entry(readable, name)) is not None]
    finally:
        close(readable)
    return Page(entries, names[-1] if len(names) == _PAGE else "")


def _entry(folder: int, name: str) -> Entry | None:
    """What the name stands for, a symlink for itself; nothing when it is gone by now."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    is_folder = stat.S_ISDIR(found.st_mode)
    return Entry(name, is_folder, 0.0 if is_folder else found.st_mtime)


def _create(folder: int, name: str, data: bytes) -> None:
    fd = os.open(name, _CREATE, 0o666, dir_fd=folder)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(fd, rest) :]
            os.fsync(fd)
        finally:
            close(fd)
        os.fsync(folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise


@contextmanager
def _errors(operation: str, location: str) -> Iterator[None]:
    try:
        yield
    except OutsideRootsError as error:
        raise symlink_escape(location) from error
    except OSError as error:
        raise _service_error(operation, location, error) from error


def _service_error(operation: str, location: str, error: OSError) -> ServiceError:
    if error.errno == errno.ELOOP:
        return symlink_escape(location)
    if error.errno == errno.EEXIST:
        return AlreadyExistsException(f"Failed to write file {location}: it exists")
    if error.errno in _ABSENT[operation]:
        return missing(location)
    message = f"Failed to {operation} file {location}: {error.strerror}"
    if error.errno in {errno.ENAMETOOLONG, errno.EILSEQ}:
        return BadRequestException(message)
    return ServiceUnavailableException(message) if error.errno in _TRANSIENT else InternalServerError(message)
