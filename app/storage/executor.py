"""Runs storage calls beside the event loop, with a deadline over waiting and work.

Each backend has a pool of its own: a store that accepts connections and never answers fills its own threads
and its own queue, and neither the loop nor calls to another backend wait for it.
"""

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, Protocol, TypeVar

import gevent
from gevent import monkey
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

from app.errors import ServiceUnavailableException
from app.storage.filesystem import FileSystem

T = TypeVar("T")


class Executor(Protocol):
    """Runs a blocking call."""

    def run(self, call: Callable[[], T], *, undo: Callable[[], Any] | None = None) -> T:
        """Return what ``call`` returns or raise what it raises.

        :param undo: run, best effort, when the call succeeds after its deadline
        :raises ServiceUnavailableException: when the deadline passed first
        """


class DirectExecutor:
    """Runs a call where it is made: for processes without gevent, whose threads may block."""

    def run(self, call: Callable[[], T], *, undo: Callable[[], Any] | None = None) -> T:  # noqa: ARG002
        return call()


class PoolExecutor:
    """Runs calls in native threads while their greenlets wait.

    :param deadline: seconds for waiting and work together
    """

    def __init__(self, name: str, max_threads: int, deadline: float) -> None:
        self._name = name
        self._deadline = deadline
        self._pool = ThreadPool(max_threads)
        # The pool's own waiting has no time limit, so nothing is given to it unless a thread is free.
        self._slots = BoundedSemaphore(max_threads)

    def run(self, call: Callable[[], T], *, undo: Callable[[], Any] | None = None) -> T:
        expires = monotonic() + self._deadline
        if not self._slots.acquire(timeout=self._deadline):
            raise self._late("all of storage.max_threads are busy")
        try:
            result = self._pool.spawn(_outcome, call)
        except BaseException:
            self._slots.release()
            raise
        # The slot is the thread's, not the caller's: it is free when the call ends, however late.
        result.rawlink(lambda _: self._slots.release())
        result.wait(max(0.0, expires - monotonic()))
        if not result.ready():
            if undo:
                result.rawlink(lambda ended: gevent.spawn(self._undo, ended.value, undo))
            raise self._late("the call did not end")
        value, error = result.get(block=False)
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]

    def _undo(self, outcome: tuple[Any, Exception | None], undo: Callable[[], Any]) -> None:
        if outcome[1] is not None:
            return
        self._slots.acquire()
        try:
            self._pool.spawn(_outcome, undo).wait()
        finally:
            self._slots.release()

    def _late(self, reason: str) -> ServiceUnavailableException:
        return ServiceUnavailableException(
            f"Storage ({self._name}) is not available: {reason} within storage.deadline"
            f" ({self._deadline:g} s)"
        )


class ExecutedFileSystem:
    """A file system whose calls an executor runs."""

    def __init__(self, inner: FileSystem, executor: Executor) -> None:
        self._inner = inner
        self._executor = executor

    def read(self, location: str, max_bytes: int) -> bytes:
        return self._executor.run(lambda: self._inner.read(location, max_bytes))

    def exists(self, location: str) -> bool:
        return self._executor.run(lambda: self._inner.exists(location))

    def write_new(self, location: str, data: bytes) -> None:
        """As the inner one; what is written after the deadline is deleted again."""
        self._executor.run(
            lambda: self._inner.write_new(location, data), undo=lambda: self._inner.delete([location])
        )

    def delete(self, locations: Iterable[str], *, checksums: bool = False) -> dict[str, str]:
        return self._executor.run(lambda: self._inner.delete(locations, checksums=checksums))

    def remove_empty_folders(self, locations: Iterable[str], within: str) -> None:
        self._executor.run(lambda: self._inner.remove_empty_folders(locations, within))


def executor(name: str, max_threads: int, deadline: float) -> Executor:
    """Return a pool when this process runs under gevent, else direct calls."""
    if monkey.is_module_patched("socket"):
        return PoolExecutor(name, max_threads, deadline)
    return DirectExecutor()


def _outcome(call: Callable[[], T]) -> tuple[T | None, Exception | None]:
    # An exception that leaves a pool thread would be printed by gevent's hub as well.
    try:
        return call(), None
    except Exception as error:  # noqa: BLE001 - raised again in the waiting greenlet
        return None, error
