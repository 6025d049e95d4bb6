"""How many requests a principal, or an address without one, may send per second."""

import math

from flask import Flask, current_app, request

from app.auth.attempts import network_of
from app.auth.rates import TokenBuckets
from app.config import RateLimitSettings
from app.errors import TooManyRequestsException
from app.observability.forwarding import CLIENT_ADDRESS
from app.observability.metrics import metrics

EXTENSION = "bingsan.rate_limit"


def install_rate_limit(app: Flask, settings: RateLimitSettings) -> None:
    """The limit of this worker; none without ``rate_limit.requests_per_second``."""
    rate = settings.requests_per_second
    app.extensions[EXTENSION] = TokenBuckets(rate, settings.burst or rate) if rate else None


def admit_principal(name: str) -> None:
    """Count a request of somebody known.

    Raises ``TooManyRequestsException``.
    """
    _admit("principal", name)


def admit_address() -> None:
    """Count a request of nobody known: one of the address that it comes from.

    Raises ``TooManyRequestsException``.
    """
    _admit("address", network_of(request.environ[CLIENT_ADDRESS]))


def _admit(kind: str, who: str) -> None:
    buckets: TokenBuckets | None = current_app.extensions[EXTENSION]
    wait = buckets.take(f"{kind} {who}") if buckets else 0
    if wait:
        metrics.rejected_requests.inc("rate_limit")
        text = f"Too many requests of {kind} {who} (rate_limit.requests_per_second)"
        raise TooManyRequestsException(text, headers={"Retry-After": str(math.ceil(wait))})
