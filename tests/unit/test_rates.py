"""A steady rate with bursts, for each caller alone."""

import pytest

from app.auth.rates import TokenBuckets


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_passes_then_the_rate_holds(clock: Clock):
    buckets = TokenBuckets(2, 5, clock)
    assert [buckets.take("a") for _ in range(7)] == [0, 0, 0, 0, 0, 0.5, 0.5]
    clock.now += 0.5
    assert [buckets.take("a") for _ in range(2)] == [0, 0.5]
    clock.now += 1000
    assert [buckets.take("a") for _ in range(6)] == [0, 0, 0, 0, 0, 0.5]


def test_one_caller_does_not_use_up_what_others_have(clock: Clock):
    buckets = TokenBuckets(1, 1, clock)
    assert [buckets.take(key) for key in ("a", "a", "b")] == [0, 1, 0]


def test_memory_is_bounded(clock: Clock):
    buckets = TokenBuckets(1, 1, clock)
    for number in range(11_000):
        buckets.take(str(number))
    assert len(buckets._buckets) == 10_000


def test_what_is_given_back_may_be_taken_again(clock: Clock) -> None:
    buckets = TokenBuckets(1, 2, clock)
    assert [buckets.take("a"), buckets.take("a")] == [0, 0]
    buckets.give_back("a")
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0
    for _ in range(5):
        buckets.give_back("a")
    assert [buckets.take("a"), buckets.take("a")] == [0, 0]
    assert buckets.take("a") > 0, "no more than the burst"
    buckets.give_back("unknown")
    assert [buckets.take("unknown"), buckets.take("unknown")] == [0, 0]
