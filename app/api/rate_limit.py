"""How many requests a principal, or an address without one, may send per second."""

import math

from app.api.at_hand import at_hand
from app.auth.attempts import network_of
from app.auth.rates import TokenBuckets
from app.errors import TooManyRequestsException
from app.observability.forwarding import CLIENT_ADDRESS
from app.observability.metrics import metrics


def admit_principal(name: str) -> None:
    """Count a request of somebody known.

    Raises ``TooManyRequestsException``.
    """
    buckets = at_hand().services.buckets
    if buckets is not None:
        _admit(buckets, f"principal {name}")


def admit_address() -> None:
    """Count a request of nobody known: one of the address that it comes from.

    Raises ``TooManyRequestsException``.
    """
    here = at_hand()
    buckets = here.services.buckets
    if buckets is not None:
        _admit(buckets, f"address {network_of(here.request.environ[CLIENT_ADDRESS])}")


def _admit(buckets: TokenBuckets, who: str) -> None:
    wait = buckets.take(who)
    if wait:
        metrics.rejected_requests.inc("rate_limit")
        text = f"Too many requests of {who} (rate_limit.requests_per_second)"
        raise TooManyRequestsException(text, headers={"Retry-After": str(math.ceil(wait))})
