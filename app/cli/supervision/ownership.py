"""One owner per ``home``: a lock that the kernel takes back when the owner dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.cli.exits import CommandError


@contextmanager
def owned(home: Path) -> Iterator[bool]:
    """Own the folder; true if the last owner did not end cleanly.

    Raises ``CommandError`` naming the process that owns it already.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(home / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CommandError(f"{home} cannot be used as ICEBERG_HOME: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(_taken(home, descriptor)) from None
        left_behind = bool(os.read(descriptor, 32).strip())
        _write(descriptor, str(os.getpid()))
        try:
            yield left_behind
        finally:
            _write(descriptor, "")
    finally:
        os.close(descriptor)


def _taken(home: Path, descriptor: int) -> str:
    owner = os.read(descriptor, 32).decode().strip() or "unknown"
    return (
        f"{home} is in use by process {owner}. Stop that one first, or choose another folder with "
        "ICEBERG_HOME (and another ICEBERG_SERVER_PORT)"
    )


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)
