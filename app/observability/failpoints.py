"""Faults on purpose, for tests: ``testing.failpoints`` arms them, and only with ``testing.enabled``."""

import os
import signal
import time
from pathlib import Path

from app.errors import InternalServerError

_armed: dict[str, list[str]] = {}


def arm(failpoints: tuple[str, ...]) -> None:
    """Arm ``name=kill``, ``name=error``, ``name=sleep:milliseconds`` or ``name=hold:/folder``; all others are off.

    ``hold`` stops the first one that comes by after a file ``name.armed`` was put into the folder. The file is
    renamed to ``name.held``; who removes that one lets the stopped one go on. ``kill:/folder`` and ``error:/folder``
    are for the first one only, too, and rename the file to ``name.killed`` and ``name.failed``. A name that is armed
    several times does one thing after the other.
    """
    _armed.clear()
    for text in failpoints:
        name, _, action = text.partition("=")
        _armed.setdefault(name, []).append(action)


def failpoint(name: str) -> None:
    """A place in the program where an armed fault happens; costs nothing otherwise."""
    if not _armed or name not in _armed:
        return
    for armed in _armed[name]:
        action, _, argument = armed.partition(":")
        _act(name, action, argument)


def _act(name: str, action: str, argument: str) -> None:
    if action == "sleep":
        time.sleep(int(argument) / 1000)
    elif action == "hold":
        _hold(Path(argument), name)
    elif action == "kill":
        if not argument or _take(Path(argument), name, "killed"):
            os.kill(os.getpid(), signal.SIGKILL)
    elif not argument or _take(Path(argument), name, "failed"):
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
