"""Heads with a few bytes changed: whatever it is, both ways think the same of it."""

from random import Random

import pytest

from tests.clients.header_sets import CLIENTS, header_set
from tests.http.conversation import Heard, converse
from tests.http.world import Ways

ROUNDS = range(20)
HEADS = 12
LOAD = "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}"
PIECES = (
    *(
        b"\r",
        b"\n",
        b"\r\n",
        b"\n\n",
        b"\r\n\r\n",
        b"\0",
        b"\x01",
        b"\x7f",
        b"\x80",
        b"\xff",
        b"\t",
        b" ",
        b"  ",
    ),
    *(
        b":",
        b"::",
        b",",
        b";",
        b"/",
        b"//",
        b"?",
        b"#",
        b"%",
        b"%2F",
        b"+",
        b"*",
        b"\\",
        b'"',
        b"_",
        b"-",
        b"0",
    ),
    *(b"\r\n ", b"\r\nHost: y\r\n", b"\r\nConnection: close\r\n", b"\r\nContent-Length: 3\r\n", b"HTTP/1.0"),
    *(b"\r\nTransfer-Encoding: chunked\r\n", b"\r\nContent-Length: 0", b"\r\nExpect: 100-continue", b"GET "),
    *(
        b"\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2",
        b"\r\nIf-None-Match: *",
        b"HEAD /v1/config HTTP/1.1\r\n",
    ),
)


def spoiled(random: Random, head: bytes) -> bytes:
    """Return a head with one to three faults."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        at = random.randrange(len(head) + 1)
        gone = random.choice((0, 0, 0, 1, 1, 2, 9))
        head = head[:at] + random.choice((*PIECES, b"")) + head[at + gone :]
    return head


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("seed", ROUNDS)
def test_same_answers(ways: Ways, client: str, seed: int) -> None:
    random = Random(f"{client} {seed}")
    whole = header_set(client, LOAD).head(f"{ways.path}/tables/t", "localhost", ways.token)
    for _ in range(HEADS):
        request = spoiled(random, whole)
        pieces = random.choice(([request], [request[:50], request[50:]]))
        hot, stock = (heard(port, ways, pieces) for port in ways.ports)
        assert hot.constant == stock.constant, request
        assert stock.statuses[0] == 200, request
        assert max(stock.statuses) < 500, request


def heard(port: int, ways: Ways, pieces: list[bytes]) -> Heard:
    """A plain request, then this one, then another one."""
    return converse(port, [ways.get() + pieces[0], *pieces[1:], ways.last], ends=True)
