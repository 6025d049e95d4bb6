"""Credentials that several ask for at once, and for how long they are shared."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ServiceUnavailableException
from app.storage.executor import DirectExecutor
from app.storage.locations import normalise
from app.storage.vending import NotVendable, StaticKeys, Vended, VendedCredentials, Wanted, session_name
from tests.support.process import eventually

PLACE = normalise("s3://lake/t")
WANTED = Wanted(PLACE, "read-write", "1:ada", "ada@t")


class Store:
    """Issues numbered credentials; ``behave`` may fail or wait before."""

    def __init__(self, life: float = 3600) -> None:
        self.life = life
        self.calls: list[Wanted] = []
        self.behave: Callable[[], None] = lambda: None

    def vend(self, wanted: Wanted) -> Vended:
        self.calls.append(wanted)
        self.behave()
        return Vended(str(len(self.calls)), {}, time.time() + self.life)

    def close(self) -> None: ...


def ignore(_: Vended) -> None: ...


def test_the_same_credential_is_given_again() -> None:
    store = Store()
    kept, issued = VendedCredentials(store, DirectExecutor()), []
    assert [kept.get(WANTED, issued.append).key_id for _ in range(3)] == ["1", "1", "1"]
    assert [vended.key_id for vended in issued] == ["1"]


@pytest.mark.parametrize(
    "other",
    [
        WANTED._replace(access="read"),
        WANTED._replace(principal="2:ada"),
        WANTED._replace(session="ada@t2"),
        WANTED._replace(place=normalise("s3://lake/t2")),
    ],
)
def test_nobody_gets_the_credential_of_another(other: Wanted) -> None:
    kept = VendedCredentials(Store(), DirectExecutor())
    assert [kept.get(wanted, ignore).key_id for wanted in (WANTED, other, WANTED)] == ["1", "2", "1"]


def test_it_is_renewed_at_half_of_its_life() -> None:
    store = Store(life=2.0)
    kept = VendedCredentials(store, DirectExecutor())
    began = time.monotonic()
    eventually(lambda: kept.get(WANTED, ignore).key_id == "2", 5, "a new credential", interval=0.01)
    assert 0.9 < time.monotonic() - began < 1.9


def test_all_who_ask_at_once_wait_for_one_call() -> None:
    store, held = Store(), threading.Event()
    store.behave = lambda: held.wait(5) and None
    kept = VendedCredentials(store, DirectExecutor())
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(kept.get, WANTED, ignore) for _ in range(8)]
        eventually(lambda: len(store.calls) == 1, 5, "somebody asks")
        held.set()
        assert {future.result(5).key_id for future in waiting} == {"1"}
    assert len(store.calls) == 1


@pytest.mark.parametrize("error", [ServiceUnavailableException("away"), NotVendable("too long")])
def test_a_failure_is_shared_by_those_who_wait_and_then_forgotten(error: Exception) -> None:
    store, held = Store(), threading.Event()

    def fail() -> None:
        held.wait(5)
        raise error

    store.behave = fail
    kept = VendedCredentials(store, DirectExecutor())
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(kept.get, WANTED, ignore) for _ in range(4)]
        eventually(lambda: len(store.calls) == 1, 5, "somebody asks")
        eventually(lambda: all(future.running() for future in waiting), 5, "the others wait")
        held.set()
        for future in waiting:
            with pytest.raises(type(error), match=str(error)):
                future.result(5)
    store.behave = lambda: None
    assert kept.get(WANTED, ignore).key_id == str(len(store.calls))


def test_nobody_gets_what_could_not_be_recorded() -> None:
    store = Store()
    kept = VendedCredentials(store, DirectExecutor())

    def refuse(_: Vended) -> None:
        raise ServiceUnavailableException("no audit")

    with pytest.raises(ServiceUnavailableException, match="no audit"):
        kept.get(WANTED, refuse)
    assert kept.get(WANTED, ignore).key_id == "2"


def test_lasting_keys_are_not_for_those_who_may_only_read() -> None:
    kept = VendedCredentials(StaticKeys("key", "hidden"), DirectExecutor())
    vended = kept.get(WANTED, ignore)
    assert dict(vended.secrets) == {"s3.access-key-id": "key", "s3.secret-access-key": "hidden"}
    assert "hidden" not in repr(vended)
    with pytest.raises(NotVendable):
        kept.get(WANTED._replace(access="read"), ignore)


@given(st.text(min_size=1), st.text(min_size=1))
def test_names_of_sessions_are_what_the_service_takes(principal: str, table: str) -> None:
    name: Any = session_name(principal, table)
    assert 2 <= len(name) <= 64
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-")


def test_names_of_sessions_say_who_and_what() -> None:
    assert session_name("ada", "sales.orders") == "ada@sales.orders"
    assert session_name("a/b c", "é.t") == "a-b-c@-.t"
    assert len(session_name("x" * 300, "y" * 300)) == 63
