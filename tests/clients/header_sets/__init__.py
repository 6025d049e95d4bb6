"""The heads that real clients put before their requests, as recorded by ``python -m tests.clients.header_sets``.

Each file holds a client's requests, separated by empty lines: a comment that names the operation, then the head
without its target. ``HOST`` and ``TOKEN`` stand for what differs from run to run.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
CLIENTS = ("pyiceberg", "java")
OPERATION = "# "
HOST, TOKEN = "{host}", "{token}"


class HeaderSet(NamedTuple):
    """``operation`` is method and template as in the service's own document; ``headers`` have their order and case."""

    operation: str
    headers: tuple[tuple[str, str], ...]

    @property
    def method(self) -> str:
        return self.operation.partition(" ")[0]

    @property
    def is_conditional(self) -> bool:
        """Whether it asks for nothing unless something has changed."""
        return any(name.lower() == "if-none-match" for name, _ in self.headers)

    def filled(self, host: str, token: str) -> list[tuple[str, str]]:
        return [(name, value.replace(HOST, host).replace(TOKEN, token)) for name, value in self.headers]

    def head(self, target: str, host: str, token: str) -> bytes:
        """Return the bytes of a request without a body."""
        lines = [f"{self.method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.filled(host, token)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@cache
def header_sets(client: str) -> tuple[HeaderSet, ...]:
    """Return what was recorded of ``pyiceberg`` or ``java``."""
    return tuple(map(parse, (FOLDER / f"{client}.txt").read_text().strip().split("\n\n")))


def header_set(client: str, operation: str, *, conditional: bool = False) -> HeaderSet:
    """Return the recorded head of one operation, such as ``GET /v1/{prefix}/namespaces``."""
    (found,) = (
        one for one in header_sets(client) if one.operation == operation and one.is_conditional == conditional
    )
    return found


def parse(text: str) -> HeaderSet:
    first, *lines = text.splitlines()
    pairs = (line.partition(": ") for line in lines)
    return HeaderSet(first.removeprefix(OPERATION), tuple((name, value) for name, _, value in pairs))


def write(sets: list[HeaderSet]) -> str:
    """Return the text of a file."""
    return "\n\n".join(
        "\n".join([OPERATION + one.operation, *(f"{name}: {value}" for name, value in one.headers)])
        for one in sets
    )
