"""What a data folder tells about the server that runs on it."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Postmaster:
    """The contents of ``postmaster.pid``."""

    pid: int
    port: int
    socket_folder: str
    status: str


def read_postmaster(data: Path) -> Postmaster | None:
    """The running server, or ``None``: no file, an unfinished one, or one left behind by a dead server."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 8 or int(lines[0]) not in servers_of(data):
        return None
    return Postmaster(int(lines[0]), int(lines[3]), lines[4].strip(), lines[7].strip())


def servers_of(data: Path) -> list[int]:
    """The processes that work in the data folder: a server and its children all do."""
    folder = os.path.realpath(data)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd") == folder:  # noqa: PTH115 - compared as text
                found.append(int(process.name))
        except OSError:
            continue  # gone, or another user's
    return found
