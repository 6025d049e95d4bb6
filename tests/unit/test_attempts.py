"""Guessing credentials is slow, and honest clients do not notice."""

import pytest

from app.auth.attempts import Attempts, network_of
from app.errors import InternalServerError, NotAuthorizedException, TooManyRequestsException


class Clock:
    """Time that a test turns on by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(20, clock)


def fail(attempts: Attempts, address: str = "192.0.2.1", name: str = "etl") -> None:
    with pytest.raises(NotAuthorizedException), attempts.attempt(address, name):
        raise NotAuthorizedException("wrong")


def succeed(attempts: Attempts, address: str = "192.0.2.1", name: str = "etl") -> None:
    with attempts.attempt(address, name) as attempt:
        attempt.succeed()


def test_three_failures_are_free_then_pauses_grow_to_half_a_minute(attempts: Attempts, clock: Clock):
    pauses = []
    for _ in range(10):
        fail(attempts)
        pauses.append(attempts.wait("192.0.2.1", "etl"))
        clock.now += pauses[-1]
    assert pauses == [0, 0, 1, 2, 4, 8, 16, 30, 30, 30]


def test_who_comes_too_early_is_told_when_to_come_back(attempts: Attempts):
    for _ in range(3):
        fail(attempts)
    with (
        pytest.raises(TooManyRequestsException, match=r"auth\.max_failures_per_minute is 20") as caught,
        attempts.attempt("192.0.2.1", "etl"),
    ):
        pytest.fail("the credential must not even be looked at")
    assert caught.value.headers == {"Retry-After": "1"}


def test_refused_attempts_do_not_prolong_the_pause(attempts: Attempts, clock: Clock):
    for _ in range(3):
        fail(attempts)
    for _ in range(100):
        with pytest.raises(TooManyRequestsException), attempts.attempt("192.0.2.1", "etl"):
            pass
    clock.now += 1
    succeed(attempts)


def test_another_client_behind_the_same_address_is_not_held_up(attempts: Attempts):
    for _ in range(5):
        with pytest.raises((NotAuthorizedException, TooManyRequestsException)):  # noqa: SIM117
            with attempts.attempt("192.0.2.1", "broken"):
                raise NotAuthorizedException("wrong")
    succeed(attempts, name="healthy")


def test_an_address_has_twenty_failures_a_minute_whatever_names_it_tries(attempts: Attempts, clock: Clock):
    for number in range(20):
        fail(attempts, name=f"guess{number}")
        clock.now += 1
    assert attempts.wait("192.0.2.1", "another") == 40
    assert attempts.wait("192.0.2.2", "another") == 0
    clock.now += 40
    succeed(attempts, name="another")


def test_success_ends_the_pauses(attempts: Attempts, clock: Clock):
    for _ in range(3):
        fail(attempts)
    clock.now += 1
    succeed(attempts)
    fail(attempts)
    assert attempts.wait("192.0.2.1", "etl") == 0


def test_a_fault_of_the_service_is_nobodys_failure(attempts: Attempts):
    for _ in range(30):
        with pytest.raises(InternalServerError), attempts.attempt("192.0.2.1", "etl"):
            raise InternalServerError("the database is away")
    assert attempts.wait("192.0.2.1", "etl") == 0


def test_right_clients_at_the_same_time_are_all_heard(attempts: Attempts):
    blocks = [attempts.attempt("192.0.2.1", f"worker{number}") for number in range(90)]
    for block in blocks:
        block.__enter__().succeed()
    for block in blocks:
        block.__exit__(None, None, None)
    assert attempts.wait("192.0.2.1") == 0


def test_guesses_at_the_same_time_are_bounded_too(attempts: Attempts):
    fail(attempts)
    blocks = [attempts.attempt("192.0.2.1", f"guess{number}") for number in range(19)]
    for block in blocks:
        block.__enter__()
    with pytest.raises(TooManyRequestsException), attempts.attempt("192.0.2.1", "one more"):
        pass
    for block in blocks:
        block.__exit__(None, None, None)
    assert attempts.wait("192.0.2.1") == 60


def test_memory_is_bounded(attempts: Attempts):
    for number in range(12_000):
        fail(attempts, address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(attempts._sources) == 10_000
    for number in range(100):
        attempts._note_failure(attempts._source("192.0.2.1"), f"name{number}")
    assert len(attempts._source("192.0.2.1").in_a_row) == 40


def test_long_names_are_not_remembered_in_full(attempts: Attempts):
    fail(attempts, name="x" * 100_000)
    [name] = attempts._source("192.0.2.1").in_a_row
    assert name == "x" * 64


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8::1:2:3:4", "2001:db8::/64"), ("", ""), ("odd", "odd")],
)
def test_whoever_has_a_network_of_ipv6_is_one_client(address: str, network: str):
    assert network_of(address) == network
