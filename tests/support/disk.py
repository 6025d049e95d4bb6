"""A disk that can be full."""

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.support.preload import Preload

ENOUGH, LOST = -1, -2


class SmallDisk:
    """A file system in memory; ``can_be_full`` is false where mounting is not allowed: it is a plain folder then."""

    def __init__(self, megabytes: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bingsan-disk-"))
        self.folder.chmod(0o755)
        options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", self.folder]
        self.can_be_full = (
            subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        if self.can_be_full:
            subprocess.run(["umount", "--lazy", self.folder], check=True)
        shutil.rmtree(self.folder)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave no byte free for the time of the block."""
        ballast = self.folder / "ballast"
        try:
            with ballast.open("wb") as file:
                fill(file.fileno())
            yield
        finally:
            ballast.unlink()


def fill(fileno: int) -> None:
    """Let a file take all that is left, in ever smaller pieces: others write as well."""
    size, piece = 0, 2**30
    while piece >= 512:
        try:
            os.posix_fallocate(fileno, size, piece)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            piece //= 2
        else:
            size += piece


class Room(Preload):
    """What each metadata file of the processes that are started with it has; enough at first."""

    def __init__(self) -> None:
        super().__init__(Path(__file__).with_name("room.c"), "DISK_ROOM", ENOUGH)

    @contextmanager
    def only(self, size: int) -> Iterator[None]:
        """So many bytes for the time of the block, or ``LOST``: all are taken, and none is kept."""
        self.number = size
        try:
            yield
        finally:
            self.number = ENOUGH
