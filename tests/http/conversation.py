"""What is said on one connection, byte by byte, and what comes back."""

import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

from tests.support.process import eventually

PATIENCE = 30
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) [\w -]*\r\n")
LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
BODYLESS = {204, 304}
# What differs between two answers to one request: the time, and the ids that the service makes.
DIFFERENT = re.compile(
    rb"((?<=\r\n)Date: )[^\r\n]*(?=\r\n)|((?<=\r\n)X-Request-ID: |\(error id )[0-9a-f]{32}(?=\r\n|\))"
)


class Heard(NamedTuple):
    """All that came back until the end of the connection."""

    received: bytes

    @property
    def statuses(self) -> list[int]:
        """The answers in order, those with 100 too."""
        return [int(found) for found in STATUS.findall(self.received)]

    @property
    def constant(self) -> bytes:
        """Without what differs from answer to answer."""
        return DIFFERENT.sub(rb"\1\2-", self.received)


class Conversation:
    """A connection to a server of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.own = self._socket.getsockname()[1]
        self._buffer = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def say(self, data: bytes) -> None:
        """Send; a server that has hung up already is no error."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def end(self) -> None:
        """Say that nothing more comes, and go on listening."""
        with suppress(OSError):  # the server was faster
            self._socket.shutdown(socket.SHUT_WR)

    def wait_until_read(self) -> None:
        """Return when the program at the other end has taken all that was sent."""
        wait_until_read([self])

    def answer(self, method: str = "GET") -> bytes:
        """Return one whole answer."""
        while b"\r\n\r\n" not in self._buffer:
            assert self._receive(), f"closed after {bytes(self._buffer)!r}"
        size = self._buffer.index(b"\r\n\r\n") + 4
        head = bytes(self._buffer[:size])
        announced = LENGTH.search(head)
        if announced and method != "HEAD" and int(head[9:12]) not in BODYLESS:
            size += int(announced[1])
        while len(self._buffer) < size:
            assert self._receive(), f"closed after {bytes(self._buffer)!r}"
        whole = bytes(self._buffer[:size])
        del self._buffer[:size]
        return whole

    def rest(self) -> bytes:
        """Return all until the server closes."""
        while self._receive():
            pass
        return bytes(self._buffer)

    def _receive(self) -> int:
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            return 0
        self._buffer += data
        return len(data)


def wait_until_read(talking: Iterable[Conversation]) -> None:
    """Return when the programs at the other ends have taken all that was sent."""
    ends = {(conversation.port, conversation.own) for conversation in talking}
    eventually(lambda: not ends & unread(), PATIENCE, "the server reads", interval=0.001)


def unread() -> set[tuple[int, int]]:
    """Return the connections, by the ports of both ends, of which something waits in the kernel for the first end."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, own, other, _, queues, _ = line.split(maxsplit=5)
        if not queues.endswith(":00000000"):
            found.add((int(own[-4:], 16), int(other[-4:], 16)))
    return found


def converse(port: int, pieces: Iterable[bytes], *, ends: bool = False) -> Heard:
    """Send all pieces, each once the one before has been read; ``ends``: say that nothing more comes."""
    with Conversation(port) as conversation:
        first = True
        for piece in pieces:
            if not first:
                conversation.wait_until_read()
            conversation.say(piece)
            first = False
        if ends:
            conversation.end()
        return Heard(conversation.rest())


@contextmanager
def conversations(port: int, count: int) -> Iterator[list[Conversation]]:
    """Several connections at once."""
    opened = [Conversation(port) for _ in range(count)]
    try:
        yield opened
    finally:
        for conversation in opened:
            conversation.__exit__()
