"""Limits of a worker: requests at once, and time for each."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent

from app.config import Settings
from app.errors import (
    CommitStateUnknownException,
    RequestTimeoutException,
    ServiceError,
    ServiceUnavailableException,
    SlowDownException,
    TooManyRequestsException,
)
from app.observability.metrics import metrics

_ALWAYS = {"/health", "/health/live", "/health/ready", "/ready", "/metrics"}
_READS = ("GET", "HEAD", "OPTIONS")


class RequestDeadline(gevent.Timeout):  # type: ignore[misc]
    """Thrown into a request that takes too long, wherever it waits; a BaseException, so that nothing swallows
    it.

    ``reading``: while the client still sends.
    """

    def __init__(self, seconds: float, *, reading: bool) -> None:
        super().__init__(seconds)
        self.reading = reading

    def answer(self, request: Any, settings: Settings) -> ServiceError:
        """A read may be repeated; of anything else nobody can say whether it was applied."""
        server = settings.server
        if self.reading:
            text = f"The request did not arrive within server.read_timeout, {server.read_timeout:g} s"
            return RequestTimeoutException(text)
        text = f"The request took longer than server.request_timeout, {server.request_timeout:g} s"
        if request.method in _READS:
            return ServiceUnavailableException(text, headers={"Retry-After": "1"})
        return CommitStateUnknownException(f"{text}; it may have been applied")


class InFlight:
    """The requests being handled; one beyond the limit is refused before any work."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0

    @contextmanager
    def slot(self, request: Any) -> Iterator[None]:
        if self.count >= self.limit and request.path not in _ALWAYS:
            metrics.rejected_requests.inc("in_flight")
            raise too_many(request.method, self.limit)
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1


def too_many(method: str, limit: int) -> ServiceError:
    """Java retries 429 for every method, 503 only for reads."""
    kind = SlowDownException if method in _READS else TooManyRequestsException
    return kind(
        f"This worker handles limits.max_in_flight_per_worker, {limit}, requests already",
        headers={"Retry-After": "1"},
    )
