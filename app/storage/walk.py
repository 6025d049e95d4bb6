"""Open a folder inside the allowed roots, so that nothing changes between check and use.

Most paths have no symlink in them: such a folder is opened at once, and the kernel says of the descriptor where it
lies. All others are walked to from an open root, one segment at a time. There the kernel follows no symlink for us
below a root (``O_NOFOLLOW``): a link is read and its target looked up again from an allowed root, so it cannot lead
elsewhere, whatever other processes do meanwhile. The roots themselves are the administrator's and may be symlinks or
lie behind some.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Under gevent os.close asks the event loop who waits for the file, which nobody does for files and folders.
from posix import close

_READABLE = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_MAX_LINKS = 40


class OutsideRootsError(Exception):
    """A symbolic link leads out of the allowed roots, or links go round in circles."""


@contextmanager
def open_folder(roots: tuple[str, ...], path: str, *, create: bool = False) -> Iterator[int]:
    """Give a descriptor of the folder ``path``, an absolute path without dots inside one of ``roots``.

    :param create: make missing folders, durably; then the descriptor is one that ``fsync`` takes, else ``O_PATH``
    :raises OutsideRootsError: when the path is not inside a root, or a symlink leads out of all of them
    :raises OSError: when the operating system refuses
    """
    fd = _open_straight(roots, path, create)
    if fd is None:
        fd = _open(roots, path, create)
    try:
        yield fd
    finally:
        close(fd)


def _open_straight(roots: tuple[str, ...], path: str, create: bool) -> int | None:
    """Open a folder that is there and has no symlink in its path; None when the long way has to be taken."""
    if not any(_contains(root, path) for root in roots):
        return None
    try:
        fd = os.open(path, _READABLE if create else _FOLDER)
    except OSError:
        return None
    with suppress(OSError):
        # Wherever links may have led to meanwhile, this is where the opened folder really lies.
        if os.readlink(f"/proc/self/fd/{fd}") == path:  # noqa: PTH115 - a Path costs more than the call
            return fd
    close(fd)
    return None


def _open(roots: tuple[str, ...], path: str, create: bool) -> int:
    fd, behind = _walk(roots, path, create)
    if behind is not None:
        roots = (*roots, *map(os.path.realpath, roots))
    for _ in range(_MAX_LINKS):
        if behind is None:
            return _readable(fd) if create else fd
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
            close(fd)
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
        close(fd)
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
    readable = os.open(".", _READABLE, dir_fd=fd)
    try:
        os.fsync(readable)
    finally:
        close(readable)


def _readable(fd: int) -> int:
    """Exchange an ``O_PATH`` descriptor for one that can be synced."""
    try:
        return os.open(".", _READABLE, dir_fd=fd)
    finally:
        close(fd)


def _follow(fd: int, segment: str, rest: list[str]) -> str:
    """Return the absolute path behind the symlink ``segment``; a plain file in the way is an error."""
    try:
        link = os.readlink(segment, dir_fd=fd)
    except OSError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), segment) from error
    here = Path(f"/proc/self/fd/{fd}").readlink()
    return "/" + os.path.normpath(here.joinpath(link, *rest)).lstrip("/")
