"""How long the clients of a load rest."""

import threading
import time
from collections.abc import Callable


class Pace:
    """Clients rest for ``pause`` seconds each, or all together as long as makes ``rate`` operations per second.

    Who falls behind does not hurry afterwards.
    """

    def __init__(
        self, pause: float, rate: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pause, self.rate, self.clock = pause, rate, clock
        self.next, self.lock = clock(), threading.Lock()

    def rest(self) -> float:
        """Return how many seconds the client that asks has to rest now."""
        if not self.rate:
            return self.pause
        with self.lock:
            now = self.clock()
            self.next = max(self.next, now) + 1 / self.rate
            return self.next - now
