"""Waiting for stop signals and the ends of children, with one ``select``."""

import os
import select
import signal
import time
from collections.abc import Iterable
from types import FrameType
from typing import Any, Self

from app.cli.supervision.children import Child

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopRequested(Exception):
    """A stop signal arrived while the node was starting or running."""


class Events:
    """Installed as a context: SIGTERM, SIGINT and SIGHUP become ``StopRequested`` from the next wait on.

    After ``stopping()`` they no longer raise but are counted in ``signals``.
    """

    def __init__(self) -> None:
        self.signals = 0
        self._raise = True
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in _STOP_SIGNALS:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # started with nohup: the end of the terminal is not for us
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        os.close(self._reader)
        os.close(self._writer)

    def stopping(self) -> None:
        """From now on a signal only wakes the waits."""
        self._raise = False

    def pause(self, seconds: float) -> None:
        self.wait([], seconds)

    def wait(self, children: Iterable[Child], seconds: float | None) -> list[Child]:
        """The children that ended, as soon as there is one; empty after ``seconds`` or at a signal."""
        by_descriptor = {child.descriptor: child for child in children if not child.ended}
        self._check()
        ready, _, _ = select.select([self._reader, *by_descriptor], [], [], seconds)
        if self._reader in ready:
            os.read(self._reader, 4096)
        self._check()
        ended = [by_descriptor[descriptor] for descriptor in ready if descriptor in by_descriptor]
        for child in ended:
            child.reap()
        return ended

    def wait_for_end(self, children: Iterable[Child], seconds: float) -> bool:
        """True once all have ended; False after ``seconds`` or at the next signal."""
        remaining, deadline, signals = list(children), time.monotonic() + seconds, self.signals
        while remaining := [child for child in remaining if not child.ended]:
            left = deadline - time.monotonic()
            if left <= 0 or self.signals != signals:
                return False
            self.wait(remaining, left)
        return True

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.signals += 1

    def _check(self) -> None:
        if self._raise and self.signals:
            raise StopRequested
