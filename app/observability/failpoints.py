"""Faults on purpose, for tests: ``testing.failpoints`` arms them, and only with ``testing.enabled``."""

import os
import signal
import time
from pathlib import Path

from app.errors import InternalServerError

_armed: dict[str, str] = {}


def arm(failpoints: tuple[str, ...]) -> None:
    """Arm ``name=kill``, ``name=error``, ``name=sleep:milliseconds`` or ``name=hold:/folder``; all others are off.

    ``hold`` stops the first one that comes by after a file ``name.armed`` was put into the folder. The file is
    renamed to ``name.held``; who removes that one lets the stopped one go on. ``kill:/folder`` kills only the first
    one, and renames the file to ``name.killed``.
    """
    _armed.clear()
    for text in failpoints:
        name, _, action = text.partition("=")
        _armed[name] = action


def failpoint(name: str) -> None:
    """A place in the program where an armed fault happens; costs nothing otherwise."""
    if not _armed or name not in _armed:
        return
    action, _, argument = _armed[name].partition(":")
    if action == "kill":
        if not argument or _take(Path(argument), name, "killed"):
            os.kill(os.getpid(), signal.SIGKILL)
    elif action == "sleep":
        time.sleep(int(argument) / 1000)
    elif action == "hold":
        _hold(Path(argument), name)
    else:
        raise InternalServerError(f"Failpoint {name}")


def _hold(folder: Path, name: str) -> None:
    held = _take(folder, name, "held")
    while held and held.exists():
        time.sleep(0.002)


def _take(folder: Path, name: str, what: str) -> Path | None:
    """Be the one whom the file that arms a failpoint is for, and say what becomes of that one."""
    taken = folder / f"{name}.{what}"
    try:
        (folder / f"{name}.armed").rename(taken)
    except FileNotFoundError:
        return None
    return taken
