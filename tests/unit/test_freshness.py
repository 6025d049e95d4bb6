"""Who may share an answer about what still holds."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue

import pytest

from app.auth.freshness import Freshness
from app.errors import ServiceUnavailableException

PATIENCE = 10


class Questions:
    """Questions wait here until the test answers them."""

    def __init__(self) -> None:
        self.sent: Queue[Future[int]] = Queue()

    def ask(self) -> int:
        answer: Future[int] = Future()
        self.sent.put(answer)
        return answer.result(PATIENCE)


@pytest.fixture
def questions() -> Questions:
    return Questions()


def crowd(pool: ThreadPoolExecutor, freshness: Freshness, size: int) -> list[Future[int]]:
    """Requests that are known to wait for an answer."""
    before = waiting(freshness)
    futures = [pool.submit(freshness.version) for _ in range(size)]
    reached(lambda: waiting(freshness) == before + size)
    return futures


def waiting(freshness: Freshness) -> int:
    with freshness._turn:
        return len(freshness._turn._waiters)  # type: ignore[attr-defined]


def reached(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE * 1000):
        if condition():
            return
        pause.wait(0.001)
    raise AssertionError("the condition was never met")


def test_answer_is_not_shared_with_who_came_after_the_question(questions: Questions) -> None:
    freshness = Freshness(questions.ask)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(freshness.version)
        early = questions.sent.get(timeout=PATIENCE)
        later = crowd(pool, freshness, 5)
        early.set_result(1)
        assert first.result(PATIENCE) == 1
        questions.sent.get(timeout=PATIENCE).set_result(2)
        assert [future.result(PATIENCE) for future in later] == [2] * 5
    assert questions.sent.empty()


def test_each_asks_when_nobody_waits(questions: Questions) -> None:
    freshness = Freshness(questions.ask)
    with ThreadPoolExecutor(1) as pool:
        for version in (3, 4):
            asked = pool.submit(freshness.version)
            questions.sent.get(timeout=PATIENCE).set_result(version)
            assert asked.result(PATIENCE) == version


def test_failure_is_shared_and_forgotten(questions: Questions) -> None:
    freshness = Freshness(questions.ask)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(freshness.version)
        early = questions.sent.get(timeout=PATIENCE)
        later = crowd(pool, freshness, 3)
        early.set_result(1)
        questions.sent.get(timeout=PATIENCE).set_exception(ServiceUnavailableException("gone"))
        for future in later:
            with pytest.raises(ServiceUnavailableException, match="gone"):
                future.result(PATIENCE)
        again = pool.submit(freshness.version)
        questions.sent.get(timeout=PATIENCE).set_result(5)
        assert (first.result(PATIENCE), again.result(PATIENCE)) == (1, 5)
