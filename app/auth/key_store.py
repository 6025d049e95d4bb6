"""The keys of one provider in one worker: fetched when first needed, then in the background.

One fetch at a time. Keys that are there answer at once; a key that is not makes the provider be asked again, but not
more often than ``_BURST`` times in a row, so that tokens with made-up key ids cannot hammer it. Keys outlive a provider
that is down, for a time.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from app.auth.fetching import SECONDS, FetchFailed
from app.auth.jwks import Key, KeySet
from app.errors import ServiceUnavailableException
from app.observability.logs import get_logger
from app.observability.metrics import metrics

_BURST = 5
_REFILL_SECONDS = 10.0
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 15.0
_log = get_logger("openid")


class KeysUnavailable(ServiceUnavailableException):
    """Nobody can tell now whether a token is good: the provider cannot be asked."""

    def __init__(self, provider: str, seconds: float) -> None:
        super().__init__(
            f"The keys of the OpenID provider {provider} cannot be fetched",
            headers={"Retry-After": str(max(1, round(seconds)))},
        )


class KeyStore:
    """
    :param fetch: returns the provider's keys as they are now, or raises FetchFailed
    :param refresh: seconds after which keys are fetched again
    :param keep: seconds after which keys that could not be fetched again are no longer used
    """

    def __init__(
        self,
        provider: str,
        fetch: Callable[[], KeySet],
        refresh: float,
        keep: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = provider
        self._fetch = fetch
        self._refresh, self._keep = refresh, keep
        self._clock = clock
        self._lock = threading.Lock()
        self._flight: Future[KeySet] | None = None
        self._keys: KeySet | None = None
        self._loaded_at = 0.0
        self._retry_at, self._pause = 0.0, _FIRST_PAUSE
        self._tokens, self._counted_at = float(_BURST), clock()

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """The provider's key with this id for this algorithm, or nothing if it has none.

        :raises KeysUnavailable: when the provider has to be asked and does not answer
        """
        key = self._current().find(kid, algorithm)
        if key is None and self._may_ask():
            key = self._wait(self._ask()).find(kid, algorithm)
        return key

    def _current(self) -> KeySet:
        keys, age = self._keys, self._clock() - self._loaded_at
        if keys is None or age > self._keep:
            return self._wait(self._ask())
        if age > self._refresh and self._clock() >= self._retry_at:
            self._ask()
        return keys

    def _ask(self) -> "Future[KeySet]":
        """The fetch that is under way, or a new one.

        :raises KeysUnavailable: when the last one failed a moment ago
        """
        with self._lock:
            if self._flight is not None:
                return self._flight
            pause = self._retry_at - self._clock()
            if pause > 0:
                raise KeysUnavailable(self._provider, pause)
            flight: Future[KeySet] = Future()
            self._flight = flight
        threading.Thread(target=self._fly, args=(flight,), daemon=True).start()
        return flight

    def _wait(self, flight: "Future[KeySet]") -> KeySet:
        try:
            return flight.result(SECONDS + 1)
        except (FetchFailed, TimeoutError):
            raise KeysUnavailable(self._provider, self._retry_at - self._clock()) from None

    def _fly(self, flight: "Future[KeySet]") -> None:
        try:
            keys = self._fetch()
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait have to hear of it
            self._land(None)
            metrics.openid_key_fetches.inc(self._provider, "failure")
            reason = str(error) if isinstance(error, FetchFailed) else f"{type(error).__name__}: {error}"
            _log.warning("keys of the provider cannot be fetched", provider=self._provider, reason=reason)
            flight.set_exception(FetchFailed(reason))
        else:
            self._land(keys)
            metrics.openid_key_fetches.inc(self._provider, "success")
            _log.debug("keys of the provider fetched", provider=self._provider, keys=len(keys))
            flight.set_result(keys)

    def _land(self, keys: KeySet | None) -> None:
        with self._lock:
            self._flight = None
            if keys is not None:
                self._keys, self._loaded_at = keys, self._clock()
                self._retry_at, self._pause = 0.0, _FIRST_PAUSE
            else:
                self._retry_at = self._clock() + self._pause
                self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _may_ask(self) -> bool:
        """Whether a key that nobody knows is worth a question."""
        with self._lock:
            now = self._clock()
            self._tokens = min(_BURST, self._tokens + (now - self._counted_at) / _REFILL_SECONDS)
            self._counted_at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True
