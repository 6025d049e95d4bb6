"""Sends the requests of contract tests once more, the hot way and the stock way, and compares the answers' bytes."""

import json
import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, Self

from tests.http.conversation import Conversation, Heard
from tests.support.exchanges import Exchange
from tests.support.recording import running_test
from tests.support.server import TestServer

# The variable that names the folder for the counts of each process; without it nothing is sent again.
FOLDER = "BINGSAN_BOTH_WAYS"
# What the hot way leaves to gunicorn, and Flask passes over.
STOCK = "Range: bytes=0-"
REPEATS = 2  # after the answer that is remembered
# Of a comparison that fails: others may have changed something and changed it back.
TRIES = 3
HOT = re.compile(r"/health|/v1/config|/v1(/[^/]+)?/namespaces(/[^/]+(/(tables|views)(/[^/]+)?)?)?")
KEPT = {200, 204, 304, 404}
READS = {"GET", "HEAD"}
# The framing, and the name of this one request, by which tests look for its log line and for its place in the audit.
LEFT_OUT = {"connection", "content-length", "x-request-id"}
# Asks for something else than an answer that can be compared.
NEVER = {"upgrade", "transfer-encoding", "expect", "range"}
# Refusals that depend on the moment, or on how a body was sent.
UNSTEADY = {408, 413, 429}
UNKNOWN_CLIENT = 401  # failed logins in a row make its pauses longer
# Tests whose requests must not be sent again.
ONCE: set[str] = set()
HITS = "bingsan_hot_answers_total"


class Sent(NamedTuple):
    """A request as it can be sent again."""

    method: str
    target: bytes
    lines: list[str]
    body: bytes

    @classmethod
    def of(cls, exchange: Exchange) -> Self:
        headers = exchange.request.headers
        lines = [f"{name}: {value}" for name, value in headers.items() if name.lower() not in LEFT_OUT]
        if "Host" not in headers:
            lines.insert(0, f"Host: 127.0.0.1:{exchange.port}")
        return cls(exchange.method, exchange.target.encode("latin-1"), lines, exchange.request.body)

    def plain(self) -> bytes:
        """As clients send it."""
        length = [f"Content-Length: {len(self.body)}"] if self.body or self.method not in READS else []
        return self._head(*length) + self.body

    def stock(self) -> bytes:
        """So that nobody but gunicorn and Flask answers it."""
        if not self.body or self.method in READS:
            return (
                self._head(STOCK, *([f"Content-Length: {len(self.body)}"] if self.body else [])) + self.body
            )
        return self._head(STOCK, "Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (
            len(self.body),
            self.body,
        )

    def _head(self, *more: str) -> bytes:
        first = self.method.encode() + b" " + self.target + b" HTTP/1.1\r\n"
        return first + "\r\n".join([*self.lines, *more, "", ""]).encode("latin-1")


class Line:
    """A connection that is opened again when the server closes it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: Conversation | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        if self._open is not None:
            self._open.__exit__()
            self._open = None

    def ask(self, method: str, request: bytes) -> bytes:
        """Return the answer without what differs from answer to answer."""
        if self._open is None:
            self._open = Conversation(self._port)
        self._open.say(request)
        answer = Heard(self._open.answer(method)).constant
        if b"\r\nConnection: close\r\n" in answer.partition(b"\r\n\r\n")[0] + b"\r\n":
            self.__exit__()
        return answer


class BothWays:
    """``counts`` is what became of the exchanges.

    Refused changes are sent again only while nothing else goes on (``is_alone``): they could be taken after all.
    """

    def __init__(self, is_alone: Callable[[], bool] = lambda: threading.active_count() == 1) -> None:
        self.counts: Counter[str] = Counter()
        self._is_alone = is_alone
        self._lock = threading.Lock()

    def observe(self, exchange: Exchange) -> None:
        if not exchange.port or exchange.status >= 500 or exchange.status in UNSTEADY:
            return
        if running_test() in ONCE or not NEVER.isdisjoint(name.lower() for name in exchange.request.headers):
            self._count("not sent again")
        elif exchange.method in READS:
            self._compare(exchange, "reads")
        elif exchange.status >= 400 and exchange.status != UNKNOWN_CLIENT and self._is_alone():
            self._compare(exchange, "refused changes")

    def _compare(self, exchange: Exchange, kind: str) -> None:
        sent, is_hot = Sent.of(exchange), _is_hot(exchange)
        self._count("asked by tests", is_hot)
        try:
            with Line(exchange.port) as line:
                for _ in range(TRIES):
                    stock, asked, again = _answers(line, sent, is_hot)
                    if all(answer == stock for answer in (*asked, again)):
                        break
        except (OSError, AssertionError):  # closed: the test has stopped or broken the server
            self._count(f"{kind}, server gone")
            return
        if again != stock:
            self._count(f"{kind}, not judged")
            self._count(f"not judged: {exchange.method} {exchange.path.rpartition('/')[2]}")
            return
        self._count(kind)
        self._count("to be hot", REPEATS * (is_hot and int(stock[9:12]) in KEPT))
        for answer in asked:
            assert answer == stock, (
                f"{sent.plain()!r} is answered by the hot way {answer!r}, by gunicorn {stock!r}"
            )

    def stopping(self, server: TestServer) -> None:
        """Count the answers that the hot way of a server has given."""
        try:
            self._count("hot", int(server.metric(HITS)))
        except (OSError, AssertionError):
            self._count("servers not asked")

    def _count(self, what: str, times: int = 1) -> None:
        with self._lock:
            self.counts[what] += times

    def write(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / f"{os.getpid()}.json").write_text(json.dumps(self.counts))


def judge(counts: Iterable[dict[str, int]]) -> tuple[str, list[str]]:
    """Return what to print of all processes' counts, and what is wrong with them.

    Of the answers that the hot way gave, tests may have got some themselves: at most as many as they asked for.
    """
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    compared = total["reads"] + total["refused changes"]
    unjudged = total["reads, not judged"] + total["refused changes, not judged"]
    text = (
        f"both ways: {total['reads']} reads and {total['refused changes']} refused changes compared; {unjudged} not "
        f"judged, as the stock way answered in two ways; the hot way gave {total['hot']} answers, of which at least "
        f"{total['hot'] - total['asked by tests']} of {total['to be hot']} were compared"
    )
    faults = []
    if (
        total["hot"] < 0.9 * total["to be hot"]
        or total["hot"] - total["asked by tests"] < total["to be hot"] / 2
    ):
        faults.append(f"too few answers come from the hot way: {dict(total)}")
    if not compared:
        faults.append("nothing was compared")
    if unjudged > compared / 20:
        faults.append(f"too many answers were not judged: {dict(total)}")
    return text, faults


def _answers(line: Line, sent: Sent, is_hot: bool) -> tuple[bytes, list[bytes], bytes]:
    """Return the stock way's answer, those of the other one, and the stock way's again."""
    stock = line.ask(sent.method, sent.stock())
    asked = [line.ask(sent.method, sent.plain()) for _ in range(1 + is_hot * REPEATS)]
    is_same = all(one == stock for one in asked)
    return stock, asked, stock if is_same else line.ask(sent.method, sent.stock())


def _is_hot(exchange: Exchange) -> bool:
    return exchange.method in READS and not exchange.request.body and bool(HOT.fullmatch(exchange.path))
