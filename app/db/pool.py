"""A bounded pool of connections, last in first out, that refuses instead of piling up."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from app.config import DatabaseSettings
from app.db.connection import Connection, is_gevent_patched, went_away
from app.db.errors import ConnectionLost, PoolExhausted

# Opening a connection costs more than ten requests: what is beyond max_idle is kept for the next burst.
SPARE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """Connections of one pool: ``maximum`` may exist, ``active`` are lent out, ``idle`` wait in the pool."""

    maximum: int
    active: int
    idle: int
    waiting: int


class Pool:
    """At most ``size`` connections; callers wait at most ``database.acquire_timeout`` for one.

    The most recently used connection is lent first, so that spare ones grow old and are closed. A connection that
    was closed by the server while idle is replaced before it is lent.
    """

    def __init__(
        self, open_connection: Callable[[], Connection], settings: DatabaseSettings, size: int, max_idle: int
    ) -> None:
        self._open = open_connection
        self._settings = settings
        self._size = size
        self._max_idle = max_idle
        self._free = _permits(size)
        self._idle: deque[Connection] = deque()
        self._active = 0
        self._waiting = 0

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection; one that comes back closed or inside a transaction is dropped.

        :raises PoolExhausted: when none becomes free in time
        :raises ConnectionLost: when the server cannot be reached
        """
        self._acquire()
        self._active += 1
        connection = None
        try:
            connection = self._take()
            yield connection
        finally:
            if connection is not None:
                self._give_back(connection)
            self._active -= 1
            self._free.release()

    def statistics(self) -> PoolStatistics:
        return PoolStatistics(self._size, self._active, len(self._idle), self._waiting)

    def close(self) -> None:
        """Close the idle connections; a lent one is closed when it comes back after that."""
        self._max_idle = 0
        while self._idle:
            self._idle.pop().close()

    def _acquire(self) -> None:
        if self._free.acquire(blocking=False):
            return
        self._waiting += 1
        try:
            if not self._free.acquire(timeout=self._settings.acquire_timeout):
                raise PoolExhausted(
                    f"All {self._size} database connections of this worker are busy (database.max_open_conns); "
                    f"none became free within {self._settings.acquire_timeout:g} s"
                )
        finally:
            self._waiting -= 1

    def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not self._is_worn(connection) and not went_away(connection):
                return connection
            connection.close()
        try:
            return self._open()
        except psycopg2.Error as error:
            raise ConnectionLost(f"The database is not available: {first_line(error)}") from error

    def _give_back(self, connection: Connection) -> None:
        usable = not connection.closed and connection.info.transaction_status == TRANSACTION_STATUS_IDLE
        if not usable or self._max_idle == 0 or self._is_worn(connection):
            connection.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        self._close_long_idle(connection.idle_since)

    def _is_worn(self, connection: Connection) -> bool:
        lifetime = self._settings.conn_max_lifetime
        return lifetime > 0 and time.monotonic() - connection.opened_at > lifetime

    def _close_long_idle(self, now: float) -> None:
        limit = self._settings.conn_max_idle_time or math.inf
        while self._idle:
            allowed = limit if len(self._idle) <= self._max_idle else min(limit, SPARE_SECONDS)
            if now - self._idle[0].idle_since <= allowed:
                return
            self._idle.popleft().close()


def _permits(size: int) -> Any:
    """Under gevent the semaphore of ``threading`` lets everybody else run first whenever a permit is given back."""
    if not is_gevent_patched():
        return threading.Semaphore(size)
    from gevent.lock import BoundedSemaphore  # the command line starts faster without it

    return BoundedSemaphore(size)


def first_line(error: BaseException) -> str:
    """The first line of a driver's message, which may hold several."""
    return str(error).strip().split("\n", 1)[0]
