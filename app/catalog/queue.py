"""Commits to one object queue inside the worker instead of racing each other through storage."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from app.errors import CommitFailedException


class CommitQueue:
    """One line per key; keys that nobody waits for take no memory."""

    def __init__(self) -> None:
        self._lines: dict[Any, list[Any]] = {}

    @contextmanager
    def hold(self, keys: Iterable[Any], seconds: float) -> Iterator[None]:
        """Be the only one in this process that works on any of ``keys``.

        :raises CommitFailedException: when it is not our turn within ``seconds``
        """
        with ExitStack() as stack:
            for key in sorted(set(keys)):
                stack.enter_context(self._hold_one(key, seconds))
            yield

    @contextmanager
    def _hold_one(self, key: Any, seconds: float) -> Iterator[None]:
        line = self._lines.setdefault(key, [threading.Lock(), 0])
        line[1] += 1
        try:
            if not line[0].acquire(timeout=seconds):
                raise CommitFailedException(
                    "Too many commits are waiting for this object; refresh and try again"
                )
            try:
                yield
            finally:
                line[0].release()
        finally:
            line[1] -= 1
            if line[1] == 0:
                del self._lines[key]
