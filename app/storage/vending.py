"""Credentials that clients take along: temporary, for one table's location, and shared until half of their life.

A :class:`Vendor` gets them from a store; the one for S3 is in :mod:`app.storage.sts`. Another store's needs only tell
client properties that end by themselves.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from app.errors import ServiceError, ServiceUnavailableException
from app.storage.executor import Executor
from app.storage.locations import Location
from app.storage.policy import Access

MOST_KEPT = 1024
"""Credentials that a worker keeps for one warehouse; about 2 KB each."""
PATIENCE = 30.0
"""Seconds to wait for a credential that another request is getting; more than that one may take."""
_NOT_IN_SESSION_NAMES = re.compile(r"[^\w+=,.@-]+", re.ASCII)
_MOST_OF_A_NAME = 31


class NotVendable(Exception):
    """Why nobody gets credentials for a location: they could not be limited to it."""


@dataclass(frozen=True, slots=True)
class Vended:
    """``secrets`` are client properties, ``expires_at`` is in seconds since the epoch, None for never; ``key_id`` tells
    which key it is without being secret."""

    key_id: str
    secrets: Mapping[str, str] = field(repr=False)
    expires_at: float | None = None

    def half_life(self) -> float:
        """Return the seconds until it is renewed."""
        return 3600.0 if self.expires_at is None else max(0.0, self.expires_at - time.time()) / 2


class Wanted(NamedTuple):
    """Whoever wants the same may have the same: the principal and the name of the session are part of it."""

    place: Location
    access: Access
    principal: str
    session: str


class Vendor(Protocol):
    """Gets credentials for the files below a location."""

    def vend(self, wanted: Wanted) -> Vended:
        """Ask the store; waits for it.

        :raises NotVendable: when credentials could not be limited to the location
        :raises ServiceError: when the store refuses or does not answer
        """

    def close(self) -> None:
        """Let go of what is kept open between calls."""


class StaticKeys:
    """The keys of the service itself, for a warehouse that says explicitly that clients get them. They reach whatever
    the service reaches, so nobody gets them who may not write."""

    def __init__(self, access_key_id: str, secret_access_key: str) -> None:
        self._vended = Vended(
            access_key_id,
            {"s3.access-key-id": access_key_id, "s3.secret-access-key": secret_access_key},
        )

    def vend(self, wanted: Wanted) -> Vended:
        """
        :raises NotVendable: for somebody who may only read
        """
        if wanted.access != "read-write":
            raise NotVendable("Keys that can write are not given to those who may only read")
        return self._vended

    def close(self) -> None:
        """Nothing is open."""


class VendedCredentials:
    """Credentials of one warehouse. Requests for the same wait for one call, and share its failure.

    :param executor: runs the calls, with a deadline
    """

    def __init__(self, vendor: Vendor, executor: Executor) -> None:
        self._vendor = vendor
        self._executor = executor
        self._entries: OrderedDict[Wanted, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, wanted: Wanted, issued: Callable[[Vended], None]) -> Vended:
        """Return credentials that are good for at least half of their life.

        :param issued: is called with new ones before anybody gets them; when it fails nobody does
        :raises NotVendable: when credentials could not be limited to the location
        :raises ServiceError: when the store refuses or does not answer
        """
        with self._lock:
            entry = self._entries.get(wanted)
            mine = entry is None or entry.is_over()
            if mine:
                entry = self._entries[wanted] = _Entry()
            self._entries.move_to_end(wanted)
            while len(self._entries) > MOST_KEPT:
                self._entries.popitem(last=False)
        assert entry is not None
        return self._issue(entry, wanted, issued) if mine else entry.wait()

    def close(self) -> None:
        self._vendor.close()

    def _issue(self, entry: "_Entry", wanted: Wanted, issued: Callable[[Vended], None]) -> Vended:
        try:
            vended = self._executor.run(lambda: self._vendor.vend(wanted))
            issued(vended)
        except BaseException as error:
            entry.fail(error)
            raise
        entry.succeed(vended)
        return vended


class _Entry:
    """A credential, or one that somebody is getting. Its failure is kept as text: an error would keep its frames."""

    def __init__(self) -> None:
        self._outcome: Future[Vended | tuple[type[Exception], str]] = Future()
        self._renew_at = 0.0

    def is_over(self) -> bool:
        return self._outcome.done() and time.monotonic() >= self._renew_at

    def succeed(self, vended: Vended) -> None:
        self._renew_at = time.monotonic() + vended.half_life()
        self._outcome.set_result(vended)

    def fail(self, error: BaseException) -> None:
        if isinstance(error, NotVendable | ServiceError):
            self._outcome.set_result((type(error), str(error)))
        else:
            self._outcome.set_result((ServiceUnavailableException, "Credentials could not be vended"))

    def wait(self) -> Vended:
        try:
            outcome = self._outcome.result(PATIENCE)
        except TimeoutError:
            raise ServiceUnavailableException("Credentials were not vended in time") from None
        if isinstance(outcome, Vended):
            return outcome
        kind, message = outcome
        raise kind(message)


def session_name(principal: str, table: str) -> str:
    """Name a session by who asks and for what, in the letters that STS takes: 2 to 64 of them."""
    return f"{_cleaned(principal)}@{_cleaned(table)}"


def _cleaned(name: str) -> str:
    return _NOT_IN_SESSION_NAMES.sub("-", name)[:_MOST_OF_A_NAME]
