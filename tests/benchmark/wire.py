"""Requests as they go over the wire, with the heads that were recorded of real clients."""

import http.client
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.clients.header_sets import CLIENTS, header_sets
from tests.factories import unique_name

PLACE = "@NAME@"
"""In a request: a name that no other request has, ``NAME_LENGTH`` characters."""
NAME_LENGTH = 17


@dataclass(frozen=True)
class Case:
    """What is asked, of each of ``targets`` in turn with the head of each client in turn.

    ``operation`` is as in ``tests.clients.header_sets``, or a path that no client asks for. ``plain`` asks for no
    compression. ``conditional`` asks for nothing unless something changed. ``writes`` waits for the disk, ``slow``
    needs longer bursts.
    """

    name: str
    operation: str
    targets: Sequence[str] = field(repr=False)
    status: int = 200
    body: str = ""
    plain: bool = False
    conditional: bool = False
    writes: bool = False
    slow: bool = False


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    length: int


class Address(NamedTuple):
    """Where requests go, and in whose name."""

    url: str
    token: str = ""

    @property
    def host(self) -> str:
        return str(urlsplit(self.url).netloc)

    def ask(self, request: str) -> Answer:
        """Send one request on a connection of its own."""
        host, _, port = self.host.partition(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(request.encode("latin-1"))
            response = http.client.HTTPResponse(connection, method=request.partition(" ")[0])
            response.begin()
            body = response.read()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, len(body))


def requests_of(case: Case, address: Address) -> list[str]:
    """Return the requests of a case; tags for conditional ones are asked for."""
    heads = heads_of(case, address)
    if len(case.targets) == 1:
        return [request(case, case.targets[0], head, address) for head in heads]
    return [
        request(case, target, heads[number % len(heads)], address)
        for number, target in enumerate(case.targets)
    ]


def heads_of(case: Case, address: Address) -> list[list[tuple[str, str]]]:
    """The recorded heads of all clients for a case's operation; without one, only what HTTP asks for."""
    found = [
        one.filled(address.host, address.token)
        for client in CLIENTS
        for one in header_sets(client)
        if one.operation == case.operation and one.is_conditional == case.conditional
    ]
    return [without_encoding(head) if case.plain else head for head in found] or [[("Host", address.host)]]


def without_encoding(head: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in head if name.lower() != "accept-encoding"]


def request(case: Case, target: str, head: list[tuple[str, str]], address: Address) -> str:
    method = case.operation.partition(" ")[0]
    if case.conditional:
        head = with_tag(target, head, address)
    if case.body:
        length = len(case.body) + case.body.count(PLACE) * (NAME_LENGTH - len(PLACE))
        head = [*head, ("Content-Length", str(length))]
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in head), "", case.body]
    return "\r\n".join(lines)


def with_tag(target: str, head: list[tuple[str, str]], address: Address) -> list[tuple[str, str]]:
    """The same head with the tag that the service gives to whoever asks with this head."""
    bare = [(name, value) for name, value in head if name.lower() != "if-none-match"]
    text = "\r\n".join([f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in bare), "", ""])
    return [*bare, ("If-None-Match", address.ask(text).headers["etag"])]


def check(case: Case, requests: Sequence[str], address: Address) -> None:
    """Send a few of the requests once; they must be answered as the case says."""
    for text in requests[:2]:
        answer = address.ask(text.replace(PLACE, unique_name("probe").ljust(NAME_LENGTH, "_")[:NAME_LENGTH]))
        assert answer.status == case.status, f"{case.name}: {text[:200]!r} was answered with {answer}"


def as_lua(requests: Sequence[str]) -> str:
    """A program for wrk that returns the requests."""
    return "return {\n" + "".join(f"  {quoted(text)},\n" for text in requests) + "}\n"


def quoted(text: str) -> str:
    """The text as a literal of Lua."""
    special = {"\\": "\\\\", '"': '\\"', "\r": "\\r", "\n": "\\n"}
    return '"' + "".join(special.get(character, character) for character in text) + '"'
