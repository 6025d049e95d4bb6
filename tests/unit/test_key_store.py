"""When a provider is asked for its keys, and what happens while it does not answer."""

import threading
from collections.abc import Callable

import pytest

from app.auth.fetching import FetchFailed
from app.auth.jwks import Key, KeySet
from app.auth.key_store import KeyStore, KeysUnavailable

PATIENCE = 10


class Provider:
    """Publishes what it is told to, or fails, and counts how often it was asked."""

    def __init__(self) -> None:
        self.kids = ["a"]
        self.is_down = False
        self.asked = 0
        self.open = threading.Event()
        self.open.set()
        self.ended = threading.Semaphore(0)

    def fetch(self) -> KeySet:
        self.asked += 1
        assert self.open.wait(PATIENCE)
        try:
            if self.is_down:
                raise FetchFailed("it is down")
            return KeySet(Key(kid, frozenset({"RS256"}), kid) for kid in self.kids)
        finally:
            self.ended.release()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(provider: Provider, clock: Clock) -> KeyStore:
    return KeyStore("corp", provider.fetch, 60, 600, clock)


def reached(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE * 1000):
        if condition():
            return
        pause.wait(0.001)
    raise AssertionError("the condition was never met")


def is_known(store: KeyStore, kid: str) -> bool:
    return store.find(kid, "RS256") is not None


def test_keys_are_fetched_once(store: KeyStore, provider: Provider) -> None:
    assert [is_known(store, "a") for _ in range(3)] == [True] * 3
    assert provider.asked == 1


def test_those_who_wait_share_a_fetch(store: KeyStore, provider: Provider) -> None:
    provider.open.clear()
    found: list[bool] = []
    crowd = [threading.Thread(target=lambda: found.append(is_known(store, "a"))) for _ in range(10)]
    for one in crowd:
        one.start()
    reached(lambda: provider.asked == 1)
    provider.open.set()
    for one in crowd:
        one.join(PATIENCE)
    assert found == [True] * 10
    assert provider.asked == 1


def test_old_keys_answer_while_new_ones_are_fetched(
    store: KeyStore, provider: Provider, clock: Clock
) -> None:
    assert is_known(store, "a")
    clock.now += 61
    provider.kids = ["b"]
    provider.open.clear()
    assert is_known(store, "a")
    assert is_known(store, "a")
    provider.open.set()
    reached(lambda: not is_known(store, "a"))
    assert is_known(store, "b")


def test_new_key_is_asked_for_at_once(store: KeyStore, provider: Provider) -> None:
    assert is_known(store, "a")
    provider.kids = ["a", "b"]
    assert is_known(store, "b")
    assert provider.asked == 2


def test_made_up_keys_do_not_hammer_the_provider(store: KeyStore, provider: Provider, clock: Clock) -> None:
    assert not any(is_known(store, f"made up {number}") for number in range(200))
    assert provider.asked == 6
    clock.now += 25
    assert not any(is_known(store, f"made up {number}") for number in range(200))
    assert provider.asked == 8
    assert is_known(store, "a")


def test_keys_outlive_their_provider_for_a_time(store: KeyStore, provider: Provider, clock: Clock) -> None:
    assert is_known(store, "a")
    provider.is_down = True
    clock.now += 500
    assert is_known(store, "a")
    assert provider.ended.acquire(timeout=PATIENCE)
    assert provider.ended.acquire(timeout=PATIENCE)
    clock.now += 101
    with pytest.raises(KeysUnavailable) as caught:
        is_known(store, "a")
    assert int(caught.value.headers["Retry-After"]) >= 1
    provider.is_down = False
    clock.now += 60
    assert is_known(store, "a")


def test_provider_that_is_down_is_asked_less_and_less(
    store: KeyStore, provider: Provider, clock: Clock
) -> None:
    provider.is_down = True
    for _ in range(600):
        with pytest.raises(KeysUnavailable):
            is_known(store, "a")
        clock.now += 0.5
    assert provider.asked < 30


def test_unknown_key_of_a_provider_that_is_down_is_undecided(store: KeyStore, provider: Provider) -> None:
    assert is_known(store, "a")
    provider.is_down = True
    with pytest.raises(KeysUnavailable):
        is_known(store, "b")
    assert is_known(store, "a")
