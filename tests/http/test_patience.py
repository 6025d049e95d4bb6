"""Clients that are slow, silent, or there when the server stops: neither way waits for ever or forgets a request."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.http.conftest import MakeWays
from tests.http.conversation import PATIENCE, Conversation, Heard, wait_until_read
from tests.http.world import Ways
from tests.support.process import eventually
from tests.support.server import TestServer

LINES = 20
TERM = 1 << (signal.SIGTERM - 1)


@pytest.fixture(scope="module")
def impatient(make_ways: MakeWays) -> Iterator[Ways]:
    with make_ways(server__read_timeout="1s", server__keep_alive="5s") as ways:
        yield ways


BEGINNINGS: dict[str, Callable[[Ways], bytes]] = {
    "a letter": lambda ways: b"G",
    "half a line": lambda ways: b"GET /v1/config HT",
    "a line": lambda ways: b"GET /v1/config HTTP/1.1\r\n",
    "half a head": lambda ways: ways.get()[:-20],
    "all but the last byte": lambda ways: ways.get()[:-1],
    "half a body": lambda ways: ways.get("Content-Length: 9") + b"{",
    "half a chunk": lambda ways: ways.get("Transfer-Encoding: chunked") + b"3\r\na",
    "no last chunk": lambda ways: ways.get("Transfer-Encoding: chunked") + b"1\r\na\r\n",
}


def test_clients_that_stop_in_the_middle(impatient: Ways) -> None:
    """All at once, on new connections and on used ones."""
    with ExitStack() as opened:
        talking = {
            (name, port, used): opened.enter_context(begun(port, impatient, name, used=used))
            for name in BEGINNINGS
            for port in impatient.ports
            for used in (False, True)
        }
        heard = {key: Heard(conversation.rest()) for key, conversation in talking.items()}
    for name in BEGINNINGS:
        for used in (False, True):
            hot, stock = (heard[name, port, used] for port in impatient.ports)
            assert stock.statuses == [408], name
            assert hot.constant == stock.constant, name


def begun(port: int, ways: Ways, name: str, *, used: bool) -> Conversation:
    conversation = Conversation(port)
    if used:
        conversation.say(ways.get())
        conversation.answer()
    conversation.say(BEGINNINGS[name](ways))
    return conversation


@pytest.mark.parametrize(
    ("beginning", "drip"),
    [("a line", b"X: 1\r\n"), ("half a body", b" "), ("no last chunk", b"1\r\na\r\n"), ("half a line", b"T")],
)
def test_drops_do_not_extend_the_time(impatient: Ways, beginning: str, drip: bytes) -> None:
    with ExitStack() as opened:
        talking = [
            opened.enter_context(begun(port, impatient, beginning, used=used))
            for port in impatient.ports
            for used in (False, True)
        ]
        end, waiting = time.monotonic() + PATIENCE, list(talking)
        while waiting:
            assert time.monotonic() < end, "it waits for ever"
            for conversation in waiting:
                conversation.say(drip)
            answered = select.select(waiting, [], [], 0.3)[0]
            waiting = [conversation for conversation in waiting if conversation not in answered]
        assert [Heard(conversation.rest()).statuses for conversation in talking] == [[408]] * len(talking)


def test_silent_clients(impatient: Ways) -> None:
    """Connections that say nothing end without a word, used or not."""
    with ExitStack() as opened:
        silent = [opened.enter_context(Conversation(port)) for port in impatient.ports * 2]
        for used in silent[:2]:
            used.say(impatient.get())
            assert used.answer().startswith(b"HTTP/1.1 200 ")
        assert [conversation.rest() for conversation in silent] == [b""] * 4


def test_what_was_sent_before_the_end_is_answered(make_ways: MakeWays) -> None:
    """The worker sleeps while requests come in on connections that it takes for idle, and wakes up to its end."""
    with make_ways() as ways:
        for server in (ways.hot, ways.stock):
            with ExitStack() as opened:
                talking = [opened.enter_context(Conversation(server.port)) for _ in range(LINES)]
                for conversation in talking:
                    conversation.say(ways.get() * 2)
                    assert {conversation.answer()[:13] for _ in range(2)} == {b"HTTP/1.1 200 "}
                wait_until_read(talking)
                with asleep(server) as end:
                    for number, conversation in enumerate(talking):
                        conversation.say(ways.get()[: None if number % 2 else -2])
                    end()
                for number, conversation in enumerate(talking):
                    conversation.say(b"" if number % 2 else b"\r\n")
                heard = [Heard(conversation.rest()).statuses for conversation in talking]
            assert heard == [[200]] * LINES
            assert server.process is not None
            assert server.process.wait(40) == 0


class asleep:  # noqa: N801 - reads as what it does
    """Stops the worker for the time of the block, which gets a function that asks the node to end."""

    def __init__(self, server: TestServer) -> None:
        self._server = server
        (self._worker,) = server.workers()

    def __enter__(self) -> Callable[[], None]:
        os.kill(self._worker, signal.SIGSTOP)
        return self._end

    def __exit__(self, *fault: object) -> None:
        os.kill(self._worker, signal.SIGCONT)

    def _end(self) -> None:
        assert self._server.process is not None
        os.kill(self._server.process.pid, signal.SIGTERM)
        eventually(self._is_asked, PATIENCE, "the worker is asked to end")

    def _is_asked(self) -> bool:
        status = Path(f"/proc/{self._worker}/status").read_text()
        pending = next(line for line in status.splitlines() if line.startswith("ShdPnd:"))
        return bool(int(pending.split()[1], 16) & TERM)
