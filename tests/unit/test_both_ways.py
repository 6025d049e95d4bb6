"""The comparison of both ways sees what differs, and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from tests.conformance.both_ways import BothWays, Sent, judge
from tests.support.exchanges import Exchange, Message
from tests.support.faults import Proxy
from tests.support.recording import running_test

PATH = "/v1/namespaces/a"
MADE_UP = "0123456789abcdef" * 2


@contextmanager
def answering(answer: Callable[[Any, bool], None]) -> Iterator[int]:
    """The port of a server; ``answer`` is told whether it is asked the stock way."""
    with Proxy(
        "http://nowhere.invalid", lambda request: answer(request, "Range" in request.headers)
    ).running() as proxy:
        yield int(proxy.endpoint.rpartition(":")[2])


def asked(port: int, method: str = "GET", status: int = 200, path: str = PATH) -> Exchange:
    nothing: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    return Exchange(method, path, Message(nothing, b""), status, Message(nothing, b""), port)


def alone() -> BothWays:
    return BothWays(is_alone=lambda: True)


def test_same_answers_are_compared() -> None:
    both = alone()
    with answering(lambda request, _: request.answer(200, b"{}")) as port:
        both.observe(asked(port))
        both.observe(asked(port, path="/metrics"))
        both.observe(asked(port, "DELETE", 404))
    assert both.counts["reads"] == 2
    assert both.counts["to be hot"] == 2
    assert both.counts["refused changes"] == 1


@pytest.mark.parametrize(
    "answer",
    [
        lambda request, stock: request.answer(200, b"a" if stock else b"b"),
        lambda request, stock: request.answer(200 if stock else 203),
        lambda request, stock: request.answer(200, b"", {} if stock else {"X-More": "1"}),
        lambda request, stock: request.answer(
            200, b"", {"A": "1", "B": "2"} if stock else {"B": "2", "A": "1"}
        ),
        lambda request, stock: request.answer(200, b"", {"X-Name" if stock else "X-name": "1"}),
    ],
    ids=["body", "status", "header", "order", "spelling"],
)
@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("DELETE", 404)])
def test_what_differs_is_seen(answer: Callable[[Any, bool], None], method: str, status: int) -> None:
    with answering(answer) as port, pytest.raises(AssertionError, match="is answered by the hot way"):
        alone().observe(asked(port, method, status))


def test_only_the_remembered_answer_differs() -> None:
    times = count()

    def answer(request: Any, stock: bool) -> None:
        request.answer(200, b"old" if next(times) % 5 == 2 else b"new")

    with answering(answer) as port, pytest.raises(AssertionError, match="is answered by the hot way"):
        alone().observe(asked(port))


def test_times_and_ids_may_differ() -> None:
    both = alone()

    def answer(request: Any, stock: bool) -> None:
        request.answer(200, b"", {"X-Request-ID": MADE_UP if stock else MADE_UP[::-1]})

    with answering(answer) as port:
        both.observe(asked(port))
    assert both.counts["reads"] == 1


def test_what_changes_meanwhile_is_not_judged() -> None:
    both, times = alone(), count()
    with answering(lambda request, _: request.answer(200, b"%d" % next(times))) as port:
        both.observe(asked(port))
    assert (both.counts["reads"], both.counts["reads, not judged"]) == (0, 1)


def test_what_changes_there_and_back_is_compared_again() -> None:
    both, times = alone(), count()
    with answering(lambda request, _: request.answer(200, b"b" if next(times) == 2 else b"a")) as port:
        both.observe(asked(port))
    assert both.counts["reads"] == 1


def test_what_must_not_be_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    both, requests = alone(), []
    with answering(lambda request, _: requests.append(request.answer(200))) as port:
        both.observe(asked(port, "POST", 200))
        both.observe(asked(port, "GET", 503))
        both.observe(asked(port, "GET", 429))
        both.observe(asked(port, "DELETE", 413))
        both.observe(asked(port, "POST", 401))
        BothWays(is_alone=lambda: False).observe(asked(port, "DELETE", 404))
        monkeypatch.setattr("tests.conformance.both_ways.ONCE", {running_test()})
        both.observe(asked(port))
    assert requests == []


def test_a_body_is_sent_in_chunks_the_stock_way() -> None:
    sent = Sent("POST", PATH.encode(), ["Host: x"], b"{}")
    assert sent.plain().endswith(b"Host: x\r\nContent-Length: 2\r\n\r\n{}")
    assert sent.stock().endswith(b"Range: bytes=0-\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"reads": 100, "to be hot": 200, "hot": 100},
        {"reads": 100, "to be hot": 200, "hot": 190, "asked by tests": 100},
        {"reads": 100, "to be hot": 0, "reads, not judged": 6},
    ],
)
def test_too_little_proof(counts: dict[str, int]) -> None:
    assert judge([counts])[1]


def test_enough_proof() -> None:
    counts = {"reads": 100, "to be hot": 200, "hot": 220, "asked by tests": 100, "reads, not judged": 2}
    assert judge([counts, counts])[1] == []
