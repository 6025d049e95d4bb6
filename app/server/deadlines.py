"""How long a request may take."""

from typing import Any

import gevent

from app.config import Settings
from app.errors import (
    CommitStateUnknownException,
    RequestTimeoutException,
    ServiceError,
    ServiceUnavailableException,
)

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
