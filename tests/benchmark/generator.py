"""Requests at a constant rate, whatever the answers take: ``python -m tests.benchmark.generator``, its own process.

It reads a plan (one line of JSON) from standard input, opens all connections, asks once on each, and prints
``{"open", "failed"}``. After the next line of input it sends each stream's requests when they are due and prints its
figures. The connections stay open until the end of input.

A plan is ``{"host", "port", "seconds", "streams": [{"name", "rate", "connections", "requests"}]}``: requests as they go
over the wire, sent in turn. ``@NAME@`` in one becomes a text that no other request has. A request takes the connection
that has rested longest; without one it waits, which counts: times run from the instant when it was due.
"""

import ctypes
import json
import secrets
import select
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import count, cycle
from typing import Any

from tests.benchmark.arithmetic import arrivals, percentile
from tests.benchmark.responses import BrokenAnswerError, Responses

PLACE = "@NAME@"
PATIENCE = 20.0  # seconds for answers after the last request
OPENING = 100  # connections that open at once
PR_SET_TIMERSLACK = 29


class Connection:
    """``due`` is when the request that is under way should have gone out."""

    def __init__(self, address: tuple[str, int], stream: "Stream") -> None:
        self.stream = stream
        self.due = 0.0
        self.busy = False
        self._address = address
        self._open()

    def _open(self) -> None:
        self.socket = socket.create_connection(self._address, timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.responses = Responses(bodiless=self.stream.is_head)

    def send(self, due: float) -> None:
        self.due, self.busy = due, True
        with suppress(OSError):  # a connection that was closed meanwhile says so when it is read
            self.socket.sendall(self.stream.next_request())

    def receive(self) -> int | None:
        """Return the status of the answer once it is complete; 0 when there will be none."""
        try:
            data = self.socket.recv(262_144)
            done = self.responses.feed(data) if data else [0]
        except (OSError, BrokenAnswerError):
            done = [0]
        return done[0] if done else None

    def reopen(self) -> None:
        self.socket.close()
        self._open()


class Stream:
    """One kind of request and what became of it; times in seconds."""

    def __init__(self, plan: dict[str, Any], number: int) -> None:
        self.name, self.rate = plan["name"], plan["rate"]
        self.connections = plan["connections"]
        self.is_head = plan["requests"][0].startswith("HEAD ")
        self.shift = number / 7 % 1  # streams do not come at the same instant
        self._requests = cycle(plan["requests"])
        self._tag, self._names = secrets.token_hex(4), count()
        self.free: deque[Connection] = deque()
        self.waiting: deque[float] = deque()
        self.times: list[float] = []
        self.lags: list[float] = []
        self.statuses: Counter[int] = Counter()

    def forget(self) -> None:
        """Begin to count anew."""
        self.times.clear()
        self.lags.clear()
        self.statuses.clear()

    def next_request(self) -> bytes:
        text = next(self._requests)
        return text.replace(PLACE, f"{self._tag}{next(self._names):09d}").encode("latin-1")

    @property
    def good(self) -> int:
        return sum(number for status, number in self.statuses.items() if 200 <= status < 400)

    def figures(self, planned: int) -> dict[str, Any]:
        return {
            "name": self.name,
            "rate": self.rate,
            "answered": self.good,
            "failed": planned - self.good,
            "statuses": {str(status): number for status, number in sorted(self.statuses.items())},
            "p50_ms": milliseconds(self.times, 0.5),
            "p99_ms": milliseconds(self.times, 0.99),
            "p999_ms": milliseconds(self.times, 0.999),
            "worst_ms": milliseconds(self.times, 1),
            "own_lag_p99_ms": milliseconds(self.lags, 0.99),
        }


def milliseconds(times: list[float], share: float) -> float:
    return round(percentile(times, share) * 1000, 3)


class Generator:
    def __init__(self, plan: dict[str, Any]) -> None:
        self._address = (plan["host"], plan["port"])
        self._seconds = plan["seconds"]
        self.streams = [Stream(stream, number) for number, stream in enumerate(plan["streams"])]
        self._epoll = select.epoll()
        self._by_descriptor: dict[int, Connection] = {}
        self._under_way = 0
        self.failed = 0

    def open(self) -> int:
        """Open all connections and ask once on each; return how many are there."""
        wanted = [stream for stream in self.streams for _ in range(stream.connections)]
        for start in range(0, len(wanted), OPENING):
            for stream in wanted[start : start + OPENING]:
                connection = Connection(self._address, stream)
                self._register(connection)
                self._send(connection, time.monotonic())
            self._receive_until(time.monotonic() + PATIENCE)
        for stream in self.streams:
            self.failed += stream.connections - stream.good
        return len(self._by_descriptor)

    def run(self) -> list[dict[str, Any]]:
        """Send everything when it is due and return the figures of each stream."""
        for stream in self.streams:
            stream.forget()
        begin = time.monotonic() + 0.1
        due = self._due(begin)
        upcoming = next(due, None)
        while upcoming is not None:
            now = time.monotonic()
            while upcoming is not None and upcoming[0] <= now:
                self._arrive(*upcoming)
                upcoming = next(due, None)
            if upcoming is not None:
                self._receive(upcoming[0] - time.monotonic())
        self._receive_until(time.monotonic() + PATIENCE)
        return [stream.figures(len(arrivals(stream.rate, self._seconds))) for stream in self.streams]

    def _due(self, begin: float) -> Iterator[tuple[float, Stream]]:
        """All requests of all streams in the order in which they are due."""
        planned = [
            (begin + at, number)
            for number, stream in enumerate(self.streams)
            for at in arrivals(stream.rate, self._seconds, stream.shift)
        ]
        return ((at, self.streams[number]) for at, number in sorted(planned))

    def _arrive(self, due: float, stream: Stream) -> None:
        if stream.free:
            stream.lags.append(time.monotonic() - due)
            self._send(stream.free.popleft(), due)
        else:
            stream.waiting.append(due)

    def _send(self, connection: Connection, due: float) -> None:
        self._under_way += 1
        connection.send(due)

    def _receive_until(self, deadline: float) -> None:
        """Wait for all that is under way."""
        while self._under_way and time.monotonic() < deadline:
            self._receive(1.0)

    def _receive(self, timeout: float) -> None:
        """Take what comes within ``timeout`` seconds; epoll itself knows milliseconds only."""
        select.select([self._epoll], [], [], max(0.0, timeout))
        for descriptor, _ in self._epoll.poll(0, 1024):
            connection = self._by_descriptor[descriptor]
            status = connection.receive()
            if status == 0:
                self._reopen(connection)
            if status is not None and connection.busy:
                self._finish(connection, status, time.monotonic())

    def _finish(self, connection: Connection, status: int, now: float) -> None:
        stream = connection.stream
        connection.busy = False
        self._under_way -= 1
        stream.statuses[status] += 1
        stream.times.append(now - connection.due)
        if stream.waiting:
            self._send(connection, stream.waiting.popleft())
        else:
            stream.free.append(connection)

    def _register(self, connection: Connection) -> None:
        self._by_descriptor[connection.socket.fileno()] = connection
        self._epoll.register(connection.socket, select.EPOLLIN)

    def _reopen(self, connection: Connection) -> None:
        del self._by_descriptor[connection.socket.fileno()]
        connection.reopen()
        self._register(connection)


def main() -> None:
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)  # wake up when it is time, not 50 µs later
    generator = Generator(json.loads(sys.stdin.readline()))
    print(json.dumps({"open": generator.open(), "failed": generator.failed}), flush=True)
    while sys.stdin.readline():
        print(json.dumps(generator.run()), flush=True)


if __name__ == "__main__":
    main()
