"""Every answer of the lean loop is the one that Flask gives, byte for byte but its time and the service's own ids."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.test_every_operation import BODIES, OPERATIONS, Operation
from tests.http.conversation import LENGTH, Conversation, Heard
from tests.http.reads import BARE, WRITERS, Library, furnish, head, heads
from tests.http.world import Ways
from tests.support.server import TestServer

KEPT = {200, 204, 304, 404}


@pytest.fixture(scope="module")
def library(ways: Ways) -> Library:
    return furnish(ways)


class Pair:
    """A connection to each way; ``hits`` counts the answers that the lean loop has to have given itself."""

    def __init__(self, ways: Ways) -> None:
        self.hot, self.stock = Conversation(ways.hot.port), Conversation(ways.stock.port)
        self._server = ways.hot
        self._before = remembered(ways.hot)
        self.hits = 0

    def __enter__(self) -> "Pair":
        return self

    def __exit__(self, kind: type[BaseException] | None, *fault: object) -> None:
        self.hot.__exit__()
        self.stock.__exit__()
        if kind is None:
            assert remembered(self._server) - self._before >= self.hits

    def answer(self, request: bytes, *, is_kept: bool = True) -> Heard:
        """Ask the stock way once and the other one twice, so that the second answer is a remembered one."""
        method = request.partition(b" ")[0].decode()
        stock = asked(self.stock, request, method)
        for _ in range(2):
            hot = asked(self.hot, request, method)
            assert hot.constant == stock.constant, request
        assert stock.statuses[0] < 500, request
        self.hits += is_kept and stock.statuses[0] in KEPT
        return stock


def asked(conversation: Conversation, request: bytes, method: str) -> Heard:
    conversation.say(request)
    return Heard(conversation.answer(method))


def remembered(server: TestServer) -> float:
    return server.metric("bingsan_hot_answers_total")


@pytest.mark.parametrize("who", ["root", "limited", "nobody"])
@pytest.mark.parametrize("client", WRITERS)
def test_reads(library: Library, client: str, who: str) -> None:
    seen = set()
    with Pair(library.ways) as pair:
        pair.answer(
            head(client, "GET", "/v1/config", library.tokens[who]), is_kept=False
        )  # whose token it is
        for method in ("GET", "HEAD"):
            for target, request in heads(library, client, who, method):
                seen.add(pair.answer(request, is_kept=not target.endswith("/")).statuses[0])
    assert seen >= {404} if who == "nobody" else seen >= {200, 204, 400, 404}


@pytest.mark.parametrize("client", WRITERS)
def test_unchanged(library: Library, client: str) -> None:
    """304 for the tag at hand, however it is written, and the whole for another one."""
    token, ways = library.tokens["root"], library.ways
    with Pair(ways) as pair:
        for query in ("", "?snapshots=refs"):
            target = f"/v1/namespaces/{library.space}/tables/t{query}"
            tag = tag_of(pair.answer(head(client, "GET", target, token)))
            for text in (tag, f"W/{tag}", tag.strip('"'), "*", f'"x", {tag}', f"{tag},{tag}", f" {tag} "):
                answer = pair.answer(head(client, "GET", target, token, f"If-None-Match: {text}"))
                assert answer.statuses == [304], text
            for text in ('"x"', "", '"', f'"{tag}"', f"{tag[:-1]}", "W/*"):
                pair.answer(head(client, "GET", target, token, f"If-None-Match: {text}"), is_kept=False)
            pair.answer(head(client, "HEAD", target, token, f"If-None-Match: {tag}"), is_kept=False)


def tag_of(answer: Heard) -> str:
    lines = answer.received.decode().split("\r\n")
    return next(line.removeprefix("ETag: ") for line in lines if line.startswith("ETag: "))


LINES = (
    *(
        "Accept-Encoding: gzip",
        "Accept-Encoding: gzip;q=0",
        "Accept-Encoding: identity, *;q=0",
        "Accept-Encoding: *",
    ),
    *(
        "Accept: text/html",
        "Accept: application/xml",
        "Range: bytes=0-9",
        "If-Modified-Since: x",
        "If-Match: x",
    ),
    *("X-Iceberg-Access-Delegation: vended-credentials", "X-Iceberg-Access-Delegation: REMOTE-SIGNING , x"),
    *("Origin: http://x", "Cookie: a=b", "Idempotency-Key: x", "Prefer: x", "Content-Type: text/plain"),
    *("X-Forwarded-Proto: https", "X-Forwarded-Prefix: /x", "X-Forwarded-Host: y", "Forwarded: host=y"),
    *(
        "X-Request-ID: mine",
        "X-Request-ID: a b",
        f"X-Request-ID: {'a' * 129}",
        "X-API-Key: x",
        "If-None-Match: x",
    ),
    *(
        "User-Agent: x",
        "Accept-Language: de",
        "Cache-Control: no-cache",
        "Pragma: no-cache",
        "Via: 1.1 x",
        "DNT: 1",
    ),
    *("Accept-Encoding: zstd", "Accept-Encoding: br, gzip", "Accept-Encoding:gzip", "Max-Forwards: 0"),
)


def test_other_lines(library: Library) -> None:
    token = library.tokens["root"]
    space = f"/v1/namespaces/{library.space}"
    reads = [("GET", f"{space}{below}") for below in ("", "/tables", "/tables/t", f"/tables/{library.wide}")]
    with Pair(library.ways) as pair:
        for line in LINES:
            for method, target in (*reads, ("HEAD", f"{space}/tables/t")):
                pair.answer(head(BARE, method, target, token, line), is_kept=False)


STRANGERS = (
    *((), ("Authorization: Bearer x",), ("Authorization: Basic eDp5",), ("Authorization: Bearer",)),
    *(("Authorization:",), ("X-API-Key: x",), ("Authorization: Digest x",), ("Authorization: Bearer x y",)),
)


@pytest.mark.parametrize("lines", STRANGERS)
def test_strangers(library: Library, lines: tuple[str, ...]) -> None:
    with Pair(library.ways) as pair:
        for target in library.targets[::5]:
            request = "\r\n".join([f"GET {target} HTTP/1.1", "Host: x", *lines, "", ""]).encode()
            assert pair.answer(request).statuses == [401]


def test_health(library: Library) -> None:
    with Pair(library.ways) as pair:
        for method in ("HEAD", "GET", "HEAD"):
            for line in ("Accept: */*", "Connection: keep-alive", "X-Request-ID: mine"):
                request = f"{method} /health HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n".encode()
                assert pair.answer(request).statuses == [200]


BELOW_NOTHING = {"namespace": ["none", "a"]}


def body_of(operation: Operation) -> Iterator[Any]:
    """What is sent to an operation on things that are not there: nothing, something broken, something valid."""
    yield None
    if operation.name in BODIES:
        body = BELOW_NOTHING if operation.path().endswith("/namespaces") else BODIES[operation.name]
        yield from (b"{", b"[]", json.dumps(body).encode())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation(library: Library, operation: Operation) -> None:
    """What the lean loop leaves to others comes to them as it was sent, also between what it answers itself."""
    plain = head(BARE, "GET", f"/v1/namespaces/{library.space}", library.tokens["root"])
    with Pair(library.ways) as pair:
        for path in (operation.path(namespace="none%1Fa"), operation.path("nowhere")):
            for who in ("root", "nobody"):
                for body in body_of(operation):
                    pair.answer(with_body(operation.method, path, library.tokens[who], body), is_kept=False)
            pair.answer(plain)


def with_body(method: str, target: str, token: str, body: bytes | None) -> bytes:
    if body is None:
        return head(BARE, method, target, token)
    lines = ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return head(BARE, method, target, token, *lines) + body


def test_no_answer_to_HEAD_has_a_body(library: Library) -> None:
    """Or what follows on the connection would be something else to each end."""
    token = library.tokens["root"]
    with Conversation(library.ways.hot.port) as conversation:
        for target in library.targets:
            for _ in range(2):
                answer = asked(conversation, head(BARE, "HEAD", target, token), "HEAD").received
                assert answer.startswith(b"HTTP/1.1 ")
                assert answer.endswith(b"\r\n\r\n")
                assert LENGTH.search(answer) or answer[9:12] in {b"204", b"304"}
