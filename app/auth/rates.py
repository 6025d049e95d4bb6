"""How many requests one caller may send: a bucket of tokens each, filled at a steady rate."""

import time
from collections import OrderedDict
from collections.abc import Callable

_CAPACITY = 10_000


class TokenBuckets:
    """``rate`` requests per second for each key, ``burst`` at once; of more keys than 10,000 the idlest start anew."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """0 if a request may pass, which then counts; else the seconds until the next one may."""
        now = self._clock()
        tokens, then = self._buckets.pop(key, (self._burst, now))
        tokens = min(tokens + (now - then) * self._rate, self._burst)
        passes = tokens >= 1
        self._buckets[key] = (tokens - 1 if passes else tokens, now)
        if len(self._buckets) > _CAPACITY:
            self._buckets.popitem(last=False)
        return 0.0 if passes else (1 - tokens) / self._rate

    def give_back(self, key: str) -> None:
        """Count a request less: it passed here, and is going to be counted where it is answered."""
        if key in self._buckets:
            tokens, then = self._buckets[key]
            self._buckets[key] = (min(tokens + 1, self._burst), then)
