"""How many requests a worker takes at once: refusing early beats slowing everybody down."""

from flask import Flask

from app.api.at_hand import at_hand
from app.errors import SlowDownException, TooManyRequestsException
from app.observability.metrics import metrics

_EXEMPT = frozenset({"/health", "/health/live", "/ready", "/health/ready", "/metrics"})


class Admission:
    """At most ``limit`` requests are worked on; health checks and metrics always get through."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._admitted = 0

    def install(self, app: Flask) -> None:
        app.before_request(self._enter)
        app.teardown_request(self._leave)

    def _enter(self) -> None:
        here = at_hand()
        if here.request.path in _EXEMPT:
            return
        if self._admitted >= self._limit:
            message = f"This worker handles {self._limit} requests already (limits.max_in_flight_per_worker)"
            kind = SlowDownException if here.request.method in {"GET", "HEAD"} else TooManyRequestsException
            metrics.rejected_requests.inc("in_flight")
            raise kind(message, headers={"Retry-After": "1"})
        self._admitted += 1
        here.is_admitted = True

    def _leave(self, _: BaseException | None) -> None:
        here = at_hand()
        if here.is_admitted:
            here.is_admitted = False
            self._admitted -= 1
