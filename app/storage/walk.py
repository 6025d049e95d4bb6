"""Walk to a folder from an open root, one segment at a time, so that nothing changes between check and use.

The kernel follows no symlink for us below a root (``O_NOFOLLOW``): a link is read and its target looked up
again from an allowed root, so it cannot lead elsewhere, whatever other processes do meanwhile. The roots
themselves are the administrator's and may be symlinks or lie behind some.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_MAX_LINKS = 40


class OutsideRootsError(Exception):
    """A symbolic link leads out of the allowed roots, or links go round in circles."""


@contextmanager
def open_folder(roots: tuple[str, ...], path: str, *, create: bool = False) -> Iterator[int]:
    """Give a descriptor (``O_PATH``) of the folder ``path``, an absolute path inside one of ``roots``.

    :param create: make missing folders, durably
    :raises OutsideRootsError: when the path is not inside a root, or a symlink leads out of all of them
    :raises OSError: when the operating system refuses
    """
    fd = _open(roots, path, create)
    try:
        yield fd
    finally:
        os.close(fd)


def sync_folder(fd: int) -> None:
    """Make the entries of an ``O_PATH`` folder durable."""
    readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
    try:
        os.fsync(readable)
    finally:
        os.close(readable)


def _open(roots: tuple[str, ...], path: str, create: bool) -> int:
    fd, behind = _walk(roots, path, create)
    if behind is not None:
        roots = (*roots, *map(os.path.realpath, roots))
    for _ in range(_MAX_LINKS):
        if behind is None:
            return fd
        fd, behind = _walk(roots, behind, create)
    raise OutsideRootsError(path)


def _walk(roots: tuple[str, ...], path: str, create: bool) -> tuple[int, str | None]:
    """Open ``path``, or stop at its first symlink and return where the path leads with that one followed."""
    root = max((root for root in roots if _contains(root, path)), key=len, default=None)
    if root is None:
        raise OutsideRootsError(path)
    segments = [segment for segment in path[len(root) :].split("/") if segment]
    fd = _open_root(root, create)
    for index, segment in enumerate(segments):
        try:
            inner = _step(fd, segment, create)
        except NotADirectoryError:
            return -1, _follow(fd, segment, segments[index + 1 :])
        finally:
            os.close(fd)
        fd = inner
    return fd, None


def _contains(root: str, path: str) -> bool:
    return root == "/" or path == root or path.startswith(f"{root}/")


def _open_root(root: str, create: bool) -> int:
    try:
        return os.open(root, _FOLDER)
    except FileNotFoundError:
        if not create or root == "/":
            raise
    outer, _, name = root.rpartition("/")
    fd = _open_root(outer or "/", create)
    try:
        _make(fd, name)
    finally:
        os.close(fd)
    return os.open(root, _FOLDER)


def _step(fd: int, segment: str, create: bool) -> int:
    try:
        return os.open(segment, _FOLDER | os.O_NOFOLLOW, dir_fd=fd)
    except FileNotFoundError:
        if not create:
            raise
    _make(fd, segment)
    return os.open(segment, _FOLDER | os.O_NOFOLLOW, dir_fd=fd)


def _make(fd: int, name: str) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=fd)
    sync_folder(fd)


def _follow(fd: int, segment: str, rest: list[str]) -> str:
    """Return the absolute path behind the symlink ``segment``; a plain file in the way is an error."""
    try:
        link = os.readlink(segment, dir_fd=fd)
    except OSError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), segment) from error
    here = Path(f"/proc/self/fd/{fd}").readlink()
    return "/" + os.path.normpath(here.joinpath(link, *rest)).lstrip("/")
