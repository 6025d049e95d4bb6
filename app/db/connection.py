"""A psycopg2 connection whose every wait has a deadline, and waits cooperatively under gevent.

Server-side timeouts do not fire on a frozen or cut-off server, so the client keeps its own clock. psycopg2 calls the
wait callback whenever libpq would block; a connection interrupted there is in an unknown protocol state and psycopg2
closes it.
"""

import select
import sys
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import psycopg2
from psycopg2 import extensions, extras

from app.config import DatabaseSettings
from app.db.errors import QueryTimedOut
from app.db.queries import load_queries

FOREIGN_SECONDS = 60.0


class Connection(extensions.connection):
    """``deadline`` is the monotonic time after which any wait on this connection fails; ``prepared`` names the queries
    that its session knows."""

    def __init__(self, dsn: str, *args: Any, seconds: float, **kwargs: Any) -> None:
        self.opened_at = self.idle_since = time.monotonic()
        self.deadline = self.opened_at + seconds
        self.prepared: set[str] = set()
        super().__init__(dsn, *args, **kwargs)


def connect(
    settings: DatabaseSettings, *, application_name: str, lock_timeout: float, seconds: float = 5.0
) -> Connection:
    """Open an autocommit connection with the service's session settings.

    :raises psycopg2.Error: when the server refuses
    :raises QueryTimedOut: when it does not answer within ``seconds``
    """
    connection: Connection = psycopg2.connect(
        **settings.parameters(),
        application_name=application_name,
        client_encoding="UTF8",
        connection_factory=partial(Connection, seconds=seconds),
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=20_000,
    )
    connection.autocommit = True
    # JSON columns pass through as text: the catalog decides what needs to be parsed.
    extras.register_default_json(connection, loads=lambda text: text)
    extras.register_default_jsonb(connection, loads=lambda text: text)
    # Not as options of the connection: poolers refuse or ignore those.
    with connection.cursor() as cursor:
        cursor.execute(
            load_queries()["configure_session"],
            {
                "statement_timeout": f"{settings.statement_timeout * 1000:.0f}",
                "lock_timeout": f"{lock_timeout * 1000:.0f}",
            },
        )
    return connection


def went_away(connection: Connection) -> bool:
    """Whether the server has closed an idle connection: an idle one has nothing to read."""
    if connection.closed:
        return True
    poller = _native_poll_class()()
    poller.register(connection.fileno(), select.POLLIN)
    return bool(poller.poll(0))


def install_wait_callback() -> None:
    """Make every psycopg2 call of this process wait with a deadline, cooperatively where gevent has patched it."""
    wait = _wait_in_gevent() if is_gevent_patched() else _wait_in_poll
    extensions.set_wait_callback(_callback(wait))


@cache
def _native_poll_class() -> Callable[[], select.poll]:
    """A look that does not wait needs no event loop."""
    monkey = sys.modules.get("gevent.monkey")
    return select.poll if monkey is None else monkey.get_original("select", "poll")


def is_gevent_patched() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("select"))


def _callback(wait: Callable[[int, bool, float], bool]) -> Callable[[extensions.connection], None]:
    def wait_until_done(connection: extensions.connection) -> None:
        # The callback is global: a connection that is not ours has no deadline and gets one.
        deadline = getattr(connection, "deadline", None)
        if deadline is None:
            deadline = time.monotonic() + FOREIGN_SECONDS
        while True:
            state = connection.poll()
            if state == extensions.POLL_OK:
                return
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not wait(connection.fileno(), state == extensions.POLL_READ, remaining):
                raise QueryTimedOut("The database did not answer in time")

    return wait_until_done


def _wait_in_poll(fileno: int, for_read: bool, seconds: float) -> bool:
    poller = select.poll()
    poller.register(fileno, select.POLLIN if for_read else select.POLLOUT)
    return bool(poller.poll(seconds * 1000))


def _wait_in_gevent() -> Callable[[int, bool, float], bool]:
    from gevent.socket import wait_read, wait_write

    def wait(fileno: int, for_read: bool, seconds: float) -> bool:
        try:
            (wait_read if for_read else wait_write)(fileno, timeout=seconds)
        except TimeoutError:
            return False
        return True

    return wait
