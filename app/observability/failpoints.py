"""Faults on purpose, for tests: ``testing.failpoints`` arms them, and only with ``testing.enabled``."""

import os
import signal
import time

from app.errors import InternalServerError

_armed: dict[str, str] = {}


def arm(failpoints: tuple[str, ...]) -> None:
    """Arm ``name=kill``, ``name=error`` or ``name=sleep:milliseconds``; all others are off."""
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
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "sleep":
        time.sleep(int(argument) / 1000)
    else:
        raise InternalServerError(f"Failpoint {name}")
