"""What went over the wire: requests with their answers, shown to whoever observes them."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict


class Message(NamedTuple):
    """Headers and body of a request or of an answer."""

    headers: CaseInsensitiveDict[str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Exchange(NamedTuple):
    """``target`` is the raw path with its query, ``port`` that of a server without TLS on this machine, else 0."""

    method: str
    target: str
    request: Message
    status: int
    answer: Message
    port: int = 0

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @classmethod
    def of(cls, answer: requests.Response) -> "Exchange":
        sent = answer.request
        body = sent.body or b""
        return cls(
            sent.method or "",
            sent.path_url,
            Message(
                CaseInsensitiveDict({name: _text(value) for name, value in sent.headers.items()}),
                body.encode() if isinstance(body, str) else bytes(body) if isinstance(body, bytes) else b"",
            ),
            answer.status_code,
            Message(answer.headers, answer.content),
            _port(sent.url or ""),
        )


OBSERVERS: list[Callable[[Exchange], None]] = []


def observed(exchange: Exchange) -> None:
    """Show an exchange to all observers; what they raise fails the test that made it."""
    for observe in OBSERVERS:
        observe(exchange)


def observed_raw(
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes,
    answer: tuple[int, dict[str, str], bytes],
    port: int = 0,
) -> None:
    """The same for requests that were written to a socket by hand."""
    path = target if target.startswith("/") else urlsplit(target)._replace(scheme="", netloc="").geturl()
    status, names, content = answer
    sent, received = CaseInsensitiveDict(headers), CaseInsensitiveDict(names)
    observed(Exchange(method, path, Message(sent, body), status, Message(received, content), port))


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or 0 if parts.scheme == "http" else 0


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
