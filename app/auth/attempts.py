"""Guessing is slow: how often one address may fail to prove who it is.

Nobody sleeps for it: what comes too early is refused at once with the time to wait. The counts are one worker's
own and bounded; an attacker who reaches all workers gets as many times more.
"""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network

from app.errors import ServiceError, TooManyRequestsException

MINUTE = 60.0
_FREE = 3  # failures without a pause: people mistype
_LONGEST = 30.0
_BURST = 5  # times the limit: attempts at once of an address that has not failed lately
_CAPACITY = 10_000
_LONGEST_NAME = 64  # characters that are remembered: whoever guesses may send long ones


class Attempt:
    """One try; it counts as failed unless ``succeed`` was called."""

    def __init__(self) -> None:
        self.succeeded = False

    def succeed(self) -> None:
        self.succeeded = True


@dataclass
class _Source:
    """What is known of an address: times of failures within a minute, tries now, failures in a row by name."""

    failures: deque[float] = field(default_factory=deque)
    running: int = 0
    in_a_row: dict[str, tuple[int, float]] = field(default_factory=dict)


class Attempts:
    """At most ``max_per_minute`` failures per address (of IPv6: per /64), and growing pauses per name."""

    def __init__(self, max_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = max_per_minute
        self._clock = clock
        self._sources: OrderedDict[str, _Source] = OrderedDict()

    @contextmanager
    def attempt(self, address: str, name: str = "") -> Iterator[Attempt]:
        """Verify a credential of ``name`` in this block, and say ``succeed()`` if it is right.

        A fault of the service itself (500 and above) counts neither way.
        Raises ``TooManyRequestsException`` with Retry-After before the block when it is too early.
        """
        source, name = self._source(address), name[:_LONGEST_NAME]
        self._admit(source, name)
        attempt, counts = Attempt(), True
        source.running += 1
        try:
            yield attempt
        except BaseException as error:
            counts = isinstance(error, ServiceError) and error.code < 500
            raise
        finally:
            source.running -= 1
            if attempt.succeeded:
                source.in_a_row.pop(name, None)
            elif counts:
                self._note_failure(source, name)

    def wait(self, address: str, name: str = "") -> float:
        """Seconds until the next attempt is heard; 0 is now."""
        return self._wait(self._source(address), name[:_LONGEST_NAME])

    def _admit(self, source: _Source, name: str) -> None:
        wait = self._wait(source, name)
        if wait > 0:
            text = f"Too many failed attempts (auth.max_failures_per_minute is {self._limit}); wait {math.ceil(wait)} s"
            raise TooManyRequestsException(text, headers={"Retry-After": str(math.ceil(wait))})

    def _wait(self, source: _Source, name: str) -> float:
        now = self._clock()
        while source.failures and source.failures[0] <= now - MINUTE:
            source.failures.popleft()
        most = self._limit if source.failures else self._limit * _BURST
        if len(source.failures) >= self._limit:
            return source.failures[0] + MINUTE - now
        if len(source.failures) + source.running >= most:
            return 1.0
        count, last = source.in_a_row.get(name, (0, 0.0))
        pause = 0.0 if count < _FREE else min(2.0 ** (count - _FREE), _LONGEST)
        return max(last + pause - now, 0.0)

    def _note_failure(self, source: _Source, name: str) -> None:
        now = self._clock()
        source.failures.append(now)
        count, _ = source.in_a_row.pop(name, (0, 0.0))
        source.in_a_row[name] = (count + 1, now)
        if len(source.in_a_row) > 2 * self._limit:
            del source.in_a_row[next(iter(source.in_a_row))]

    def _source(self, address: str) -> _Source:
        key = network_of(address)
        source = self._sources.setdefault(key, _Source())
        self._sources.move_to_end(key)
        if len(self._sources) > _CAPACITY:
            self._sources.popitem(last=False)
        return source


def network_of(address: str) -> str:
    """What one client has for its own: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address
