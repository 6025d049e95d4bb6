"""Requests that are unusual, ambiguous or broken, and what they have to be answered with.

In each text ``TARGET`` is a namespace that exists, ``WHO`` the header with the token. A case is sent between a plain
request and a last one; the last one is only answered when the connection may be trusted after the case (``stays``).
"""

from typing import NamedTuple

from tests.http.world import Ways


class Case(NamedTuple):
    """``stays``: the connection carries another request. ``swallows``: it is not at its end and takes the
    last request, or the first line of it, as part of itself."""

    name: str
    text: str
    statuses: tuple[int, ...]
    stays: bool = False
    swallows: bool = False

    @property
    def method(self) -> str:
        return self.text.partition(" ")[0]

    def data(self, ways: Ways) -> bytes:
        text = self.text.replace("WHO", f"Authorization: Bearer {ways.token}").replace("TARGET", ways.path)
        return text.encode("latin-1")


PLAIN = "GET TARGET HTTP/1.1\r\nHost: x\r\nWHO\r\n"


def head(name: str, lines: str, *statuses: int, stays: bool = False) -> Case:
    """A plain request with further lines of the head."""
    return Case(name, f"{PLAIN}{lines}\r\n\r\n", statuses, stays)


def fine(name: str, lines: str) -> Case:
    return head(name, lines, 200, stays=True)


def broken(name: str, lines: str) -> Case:
    return head(name, lines, 400)


def first(name: str, line: str, *statuses: int, stays: bool = False, who: str = "WHO\r\n") -> Case:
    """A request line of its own."""
    return Case(name, f"{line}\r\nHost: x\r\n{who}\r\n", statuses, stays)
