"""Requests that arrive in pieces, many at once, or just before the client stops talking."""

import re
from collections.abc import Iterator
from random import Random
from threading import Thread

import pytest

from tests.clients.header_sets import CLIENTS, header_set
from tests.http.conversation import Conversation, Heard, conversations, converse, wait_until_read
from tests.http.world import Ways

LOAD = "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}"
MANY, AT_ONCE = 300, 200
ID = re.compile(rb"\r\nX-Request-ID: (r\d+)\r\n")
ANSWER = re.compile(rb"(?=HTTP/1\.1 \d{3} [\w -]*\r\n)")
BODY = '{"namespace": []}'


def load(ways: Ways, client: str) -> bytes:
    """Return what a client sends to load a table."""
    return header_set(client, LOAD).head(f"{ways.path}/tables/t", "localhost", ways.token)


def create(*lines: str) -> bytes:
    """Return a request with a body, which is refused."""
    head = ["POST /v1/namespaces HTTP/1.1", "Host: localhost", "Content-Type: application/json", *lines]
    return "\r\n".join([*head, f"Content-Length: {len(BODY)}", "", BODY]).encode()


@pytest.mark.parametrize("client", CLIENTS)
def test_split_at_every_byte(ways: Ways, client: str) -> None:
    request = load(ways, client)
    answers = {answer for port in ways.ports for answer in split_everywhere(port, request)}
    assert len(answers) == 1
    assert answers.pop().startswith(b"HTTP/1.1 200 OK\r\n")


def test_split_at_every_byte_with_a_body(ways: Ways) -> None:
    request = create(f"Authorization: Bearer {ways.token}")
    answers = {answer for port in ways.ports for answer in split_everywhere(port, request)}
    assert len(answers) == 1
    assert answers.pop().startswith(b"HTTP/1.1 400 ")


def split_everywhere(port: int, request: bytes) -> Iterator[bytes]:
    """Send the request once for each place to cut it; the second part when the first has been read."""
    for begin in range(1, len(request), AT_ONCE):
        places = range(begin, min(begin + AT_ONCE, len(request)))
        with conversations(port, len(places)) as talking:
            for at, conversation in zip(places, talking, strict=True):
                conversation.say(request[:at])
            wait_until_read(talking)
            for at, conversation in zip(places, talking, strict=True):
                conversation.say(request[at:])
            for conversation in talking:
                yield Heard(conversation.answer()).constant


def test_byte_by_byte(ways: Ways) -> None:
    with Conversation(ways.hot.port) as hot, Conversation(ways.stock.port) as stock:
        for byte in b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":
            for conversation in (hot, stock):
                conversation.say(bytes([byte]))
            wait_until_read([hot, stock])
        answers = {Heard(conversation.rest()).constant for conversation in (hot, stock)}
    assert len(answers) == 1
    assert answers.pop().startswith(b"HTTP/1.1 200 OK\r\n")


def test_many_requests_at_once(ways: Ways) -> None:
    """Answered one by one and in order, while the client still sends."""
    requests = b"".join(ways.get(f"X-Request-ID: r{number}") for number in range(MANY))
    hot, stock = (at_once(port, requests + ways.last) for port in ways.ports)
    assert stock.statuses == [200] * (MANY + 1)
    assert [int(found[1:]) for found in ID.findall(stock.received)] == list(range(MANY))
    assert hot.constant == stock.constant


def at_once(port: int, requests: bytes) -> Heard:
    with Conversation(port) as conversation:
        sender = Thread(target=conversation.say, args=(requests,))
        sender.start()
        heard = Heard(conversation.rest())
        sender.join()
        return heard


@pytest.mark.parametrize("seed", range(2))
def test_all_kinds_of_requests_in_one_pipeline(ways: Ways, seed: int) -> None:
    """Hot reads between what only the stock way can answer, cut into packets anywhere."""
    random = Random(seed)
    kinds = kinds_of_requests(ways)
    chosen = [random.choice(kinds) for _ in range(100)]
    requests = b"".join(
        data.replace(b"\r\n", b"\r\nX-Request-ID: r%d\r\n" % number, 1)
        for number, (data, _) in enumerate(chosen)
    )
    cuts = sorted(random.sample(range(len(requests)), 20))
    pieces = [requests[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    hot, stock = (converse(port, [*pieces, ways.last]) for port in ways.ports)
    assert stock.statuses == [*(status for _, status in chosen), 200]
    assert [int(found[1:]) for found in ID.findall(stock.received)] == list(range(100))
    assert hot.constant == stock.constant


def kinds_of_requests(ways: Ways) -> list[tuple[bytes, int]]:
    chunks = "\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
    return [
        (ways.get(), 200),
        (load(ways, "java"), 200),
        (ways.get(target=f"{ways.path}/tables"), 200),
        (ways.get("Upgrade: TLS/1.2", "Connection: Upgrade"), 200),
        (ways.get(method="HEAD"), 204),
        (ways.get(target=f"{ways.path}/tables/none"), 404),
        (ways.get(target=f"{ways.path}/tables/none", method="HEAD"), 404),
        (ways.get(target="/v1/nowhere"), 400),
        (ways.get(target="/health"), 200),
        (ways.get(method="OPTIONS"), 405),
        (ways.get("Content-Length: 3", "", "abc")[:-4], 200),
        (ways.get(chunks[2:]), 200),
        (create(f"Authorization: Bearer {ways.token}"), 400),
        (create(), 401),
        (ways.get("authorization: Bearer x"), 401),
    ]


ENDS = {
    "one": ([200], lambda ways: ways.get()),
    "two": ([200, 200], lambda ways: ways.get() * 2),
    "half a head": ([], lambda ways: ways.get()[:-2]),
    "one and a half": ([200], lambda ways: ways.get() + ways.get()[:20]),
    "half a body": ([], lambda ways: create()[:-2]),
    "one and half a body": ([200], lambda ways: ways.get() + create()[:-2]),
    "half a chunk": ([], lambda ways: ways.get("Transfer-Encoding: chunked") + b"3\r\na"),
    "nothing": ([], lambda ways: b""),
}


@pytest.mark.parametrize("name", ENDS)
def test_half_closed(ways: Ways, name: str) -> None:
    """What was asked before the client stopped talking is answered."""
    statuses, request = ENDS[name]
    hot, stock = (converse(port, [request(ways)], ends=True) for port in ways.ports)
    assert stock.statuses == statuses
    assert hot.constant == stock.constant


@pytest.mark.parametrize("client", CLIENTS)
def test_half_closed_after_an_answer(ways: Ways, client: str) -> None:
    for port in ways.ports:
        with Conversation(port) as conversation:
            conversation.say(load(ways, client))
            assert conversation.answer().startswith(b"HTTP/1.1 200 OK\r\n")
            conversation.end()
            assert conversation.rest() == b""
