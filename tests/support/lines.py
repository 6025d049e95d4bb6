"""Connections to chosen workers: the kernel gives a connection to any of them, and tells which one has it."""

import http.client
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from tests.support.proc import open_files

MOST_TRIES = 500


class Listening(Protocol):
    """A server, as far as one has to know it to connect to it."""

    port: int

    def workers(self) -> list[int]: ...


class Listener:
    """Where the workers of a server listen; can be sent to another process."""

    def __init__(self, server: Listening) -> None:
        self.port, self._workers = server.port, server.workers()

    def workers(self) -> list[int]:
        return self._workers


class Reply(NamedTuple):
    """An answer read to its end."""

    status: int
    etag: str
    body: bytes


class Line:
    """A kept connection to one worker; for one thread."""

    def __init__(self, server: Listening) -> None:
        self.server = server
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def status(self, method: str, path: str, headers: Mapping[str, str] = {}) -> int:
        """Send a request and return the status of the answer."""
        self._connection.request(method, path, headers=dict(headers))
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Send a request and read the answer.

        :raises OSError: or HTTPException, when there is none; the next request then opens a new connection
        """
        try:
            self._connection.request(method, path, body or None, dict(headers))
            answer = self._connection.getresponse()
            return Reply(answer.status, answer.headers.get("ETag", ""), answer.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise

    def worker(self) -> int:
        """Return the process that holds the other end. Something must have been asked before."""
        own = self._connection.sock.getsockname()[1]
        inode = accepted_inode(self.server.port, own)
        (holder,) = (pid for pid in self.server.workers() if f"socket:[{inode}]" in open_files(pid))
        return holder

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()


def accepted_inode(port: int, other: int) -> str:
    """Return the inode of a server's end of the connection from the port ``other``."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ends = [int(fields[at].rpartition(":")[2], 16) for at in (1, 2)]
        if ends == [port, other] and fields[3] == "01":
            return fields[9]
    raise LookupError(f"no connection from {other} to {port}")


@contextmanager
def line_to_every_worker(*servers: Listening) -> Iterator[list[Line]]:
    """Connections to all workers of all nodes, one to each."""
    with ExitStack() as opened:
        found: list[Line] = []
        for server in servers:
            missing = set(server.workers())
            for _ in range(MOST_TRIES):
                line = opened.enter_context(Line(server))
                line.status("GET", "/health")
                if (worker := line.worker()) in missing:
                    missing.remove(worker)
                    found.append(line)
                if not missing:
                    break
            assert not missing, f"no connection came to {missing}"
        yield found
