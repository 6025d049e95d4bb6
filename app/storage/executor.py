"""Runs storage calls so that the event loop goes on, with a deadline over waiting and work.

Under gevent, calls that block in the kernel (files) run in native threads, and calls that wait on sockets (boto3)
in greenlets: a boto3 call in a thread would get an event loop of its own there, costs twice the CPU, and its locks,
shared between loops, were seen to hang. Each backend has an executor of its own, so that a store that never
answers holds up neither the loop nor another backend.
"""

from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Protocol, TypeVar

import gevent
from gevent import monkey
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

from app.errors import ServiceError, ServiceUnavailableException

T = TypeVar("T")


class Executor(Protocol):
    """Runs blocking calls."""

    def run(self, call: Callable[[], T]) -> T:
        """Return what ``call`` returns or raise what it raises.

        :raises ServiceUnavailableException: when the deadline passed first; the call may still have its effect
        """

    def later(self, call: Callable[[], Any]) -> None:
        """Run ``call`` soon and ignore what becomes of it."""


class DirectExecutor:
    """Runs a call where it is made: for processes without gevent, whose threads may block."""

    def run(self, call: Callable[[], T]) -> T:
        return call()

    def later(self, call: Callable[[], Any]) -> None:
        _ignore(call)


class GreenletExecutor:
    """Runs calls that wait cooperatively; one that is late is ended.

    :param limit: calls at the same time
    :param deadline: seconds for waiting and work together
    """

    def __init__(self, name: str, limit: int, deadline: float) -> None:
        self._name = name
        self._deadline = deadline
        self._slots = BoundedSemaphore(limit)

    def run(self, call: Callable[[], T]) -> T:
        with gevent.Timeout(self._deadline) as expiry:
            try:
                with self._slots:
                    return call()
            except gevent.Timeout as timeout:
                if timeout is not expiry:
                    raise
                raise late(self._name, self._deadline) from None

    def later(self, call: Callable[[], Any]) -> None:
        gevent.spawn(_ignore, lambda: self.run(call))


class ThreadExecutor:
    """Runs calls in native threads while their greenlets wait. A late call keeps its thread until it ends.

    :param limit: threads
    :param deadline: seconds for waiting and work together
    """

    def __init__(self, name: str, limit: int, deadline: float) -> None:
        self._name = name
        self._deadline = deadline
        self._pool = ThreadPool(limit)
        # The pool's own waiting has no time limit, so nothing is given to it unless a thread is free.
        self._slots = BoundedSemaphore(limit)

    def run(self, call: Callable[[], T]) -> T:
        expires = monotonic() + self._deadline
        if not self._slots.acquire(timeout=self._deadline):
            raise late(self._name, self._deadline)
        try:
            result = self._pool.spawn(_outcome, call)
        except BaseException:
            self._slots.release()
            raise
        result.rawlink(lambda _: self._slots.release())
        result.wait(max(0.0, expires - monotonic()))
        if not result.ready():
            raise late(self._name, self._deadline)
        value, error = result.get(block=False)
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]

    def later(self, call: Callable[[], Any]) -> None:
        gevent.spawn(_ignore, lambda: self.run(call))


def in_threads(name: str, limit: int, deadline: float) -> Executor:
    """Return the executor of a backend whose calls block in the kernel."""
    return ThreadExecutor(name, limit, deadline) if under_gevent() else DirectExecutor()


def in_greenlets(name: str, limit: int, deadline: float) -> Executor:
    """Return the executor of a backend whose calls wait on sockets."""
    return GreenletExecutor(name, limit, deadline) if under_gevent() else DirectExecutor()


def under_gevent() -> bool:
    return bool(monkey.is_module_patched("socket"))


def late(name: str, deadline: float) -> ServiceUnavailableException:
    return ServiceUnavailableException(
        f"Storage ({name}) did not answer within storage.deadline ({deadline:g} s)"
    )


def _outcome(call: Callable[[], T]) -> tuple[T | None, Exception | None]:
    # An exception that leaves a pool thread would be printed by gevent's hub as well.
    try:
        return call(), None
    except Exception as error:  # noqa: BLE001 - raised again in the waiting greenlet
        return None, error


def _ignore(call: Callable[[], Any]) -> None:
    with suppress(ServiceError):
        call()
