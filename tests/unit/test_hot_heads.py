"""Which requests are answered the hot way: those that can be read in one way only."""

import hashlib
import tracemalloc

import pytest

from app.server.hot.heads import Heads

LIMIT = 1_000_000
HEADS = Heads(8192, 16_384, LIMIT, with_credentials=False)
PYICEBERG = (
    b"GET /v1/namespaces/a/tables/t?snapshots=all HTTP/1.1\r\nHost: 127.0.0.1:8181\r\nUser-Agent: PyIceberg/0.11\r\n"
    b"Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n"
    b"X-Iceberg-Access-Delegation: vended-credentials\r\nContent-type: application/json\r\n\r\n"
)
JAVA = (
    b"HEAD /v1/main/namespaces/a%1Fb HTTP/1.1\r\nHost: catalog\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def request(
    *lines: str, target: str = "/v1/namespaces", method: str = "GET", version: str = "HTTP/1.1"
) -> bytes:
    head = [f"{method} {target} {version}", "Host: a", *lines]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n"


def test_what_clients_send() -> None:
    head = HEADS.read(PYICEBERG)
    assert head is not None
    assert (head.method, head.path, head.if_none_match, head.digest) == (
        "GET",
        "/v1/namespaces/a/tables/t",
        None,
        None,
    )
    assert HEADS.read(PYICEBERG) is head, "what was read is remembered"
    java = HEADS.read(JAVA)
    assert java is not None
    assert (java.method, java.path) == ("HEAD", "/v1/main/namespaces/a%1Fb")
    assert java.asked != head.asked


@pytest.mark.parametrize(
    "target",
    [
        "/health",
        "/v1/config",
        "/v1/config?warehouse=main",
        "/v1/namespaces?parent=a%1Fb&pageSize=3",
        "/v1/namespaces/a",
        "/v1/main/namespaces/a",
        "/v1/namespaces/a/tables",
        "/v1/namespaces/a/views/v",
        "/v1/namespaces/a+b/tables/t%2Fu",
    ],
)
def test_targets_that_are_answered(target: str) -> None:
    assert HEADS.read(request(target=target)) is not None


@pytest.mark.parametrize(
    "target",
    [
        "/metrics",
        "/ready",
        "/v1",
        "/v1/namespaces/",
        "/v1/namespaces/a/tables/t/credentials",
        "/v1/namespaces/a/tables/t/plan",
        "/v1/namespaces/a/tables/t#fragment",
        "/v1/namespaces/a|b",
        '/v1/namespaces/a"b',
        "/v1/namespaces/a\xe4",
        "http://a/v1/namespaces",
        "//v1/namespaces",
        "*",
        "/management/v1/warehouses",
        "/v1/namespaces?a=" + "x" * 8192,
    ],
)
def test_targets_that_are_left_to_others(target: str) -> None:
    assert HEADS.read(request(target=target)) is None


@pytest.mark.parametrize(
    "line",
    [
        "Host: b",
        "Transfer-Encoding: chunked",
        "Content-Length: 1",
        "Content-Length: 00",
        "Expect: 100-continue",
        "Connection: close",
        "Connection: keep-alive, x-request-id",
        "Connection: Upgrade",
        "Upgrade: TLS/1.2",
        "Upgrade: websocket",
        "Origin: https://a",
        "Idempotency-Key: 0190a8d5-8a4e-7c2e-9d6a-000000000000",
        "Range: bytes=0-",
        "X_Request_ID: a",
        "X-Odd: a\x01",
        "X-Odd: \xe4",
        "X-Odd : a",
        "X-Odd:  a",
        "X-Odd:a",
        " folded",
        "X-Large: " + "x" * 16_384,
        "X-Bare: a\nX-Line: end",
        "X-Bare: a\rX-Return: b",
        "no header",
        "X-Nul: \0",
    ],
)
def test_headers_that_are_left_to_others(line: str) -> None:
    assert HEADS.read(request(line)) is None


def test_repeated_headers_are_left_to_others() -> None:
    assert HEADS.read(request("If-None-Match: a", "if-none-match: b")) is None


@pytest.mark.parametrize(
    "data",
    [
        request(method="POST"),
        request(method="get"),
        request(version="HTTP/1.0"),
        request(version="HTTP/1.2"),
        request(version="HTTP/2.0"),
        request() + b"x",
        request() + request(),
        b"\r\n" + request(),
        request()[:-2],
        request()[:-4],
        request().replace(b" /", b"  /"),
        request().replace(b"Host: a", b"Host: "),
        request().replace(b"Host: a\r\n", b""),
        request().replace(b"\r\n", b"\n"),
        b"",
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_messages_that_are_left_to_others(data: bytes) -> None:
    assert HEADS.read(data) is None


def test_credentials() -> None:
    heads = Heads(8192, 16_384, LIMIT, with_credentials=True)
    digest = hashlib.sha256(b"secret").digest()
    for lines in (
        ["Authorization: Bearer secret"],
        ["authorization: bearer  secret"],
        ["X-API-Key: secret"],
        ["Authorization: Bearer secret", "X-API-Key: secret"],
    ):
        head = heads.read(request(*lines))
        assert head is not None
        assert head.digest == digest
    for lines in ([], ["Authorization: Basic secret"], ["Authorization: Bearer a", "X-API-Key: b"]):
        assert heads.read(request(*lines)) is None
        assert heads.read(request(*lines, target="/health")) is not None


def test_headers_that_make_a_difference() -> None:
    plain = HEADS.read(request())
    assert plain is not None
    for line in (
        "Accept-Encoding: gzip",
        "X-Forwarded-Proto: https",
        "X-Iceberg-Access-Delegation: remote-signing",
    ):
        other = HEADS.read(request(line))
        assert other is not None
        assert other.asked != plain.asked
    same = HEADS.read(request("User-Agent: x", "X-Request-ID: y"))
    assert same is not None
    assert same.asked == plain.asked
    assert same.request_id == "y"


@pytest.mark.parametrize("padding", [10, 1_000, 3_000])
def test_what_is_remembered_stays_below_its_limit(padding: int) -> None:
    heads = Heads(8192, 16_384, LIMIT, with_credentials=False)
    lines = [f"User-Agent: {'x' * padding}", "Accept: */*", "If-None-Match: a", "X-Request-ID: b"]
    datas = [request(*lines, target=f"/v1/namespaces/a{number}") for number in range(3_000)]
    tracemalloc.start()
    for data in datas:
        head = heads.read(bytes(bytearray(data)))  # a copy, as every request comes in one
        assert heads.read(data) is head
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert LIMIT // 4 < most < LIMIT


def test_long_paths_count_as_what_is_made_of_them() -> None:
    heads = Heads(8192, 16_384, LIMIT, with_credentials=False)
    datas = [request(target=f"/v1/namespaces/{'a' * 3_000}{number}") for number in range(500)]
    tracemalloc.start()
    for data in datas:
        assert heads.read(bytes(bytearray(data))) is not None
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < LIMIT


BODY = b'{"namespace": ["a"]}'


def creation(*lines: str, target: str = "/v1/namespaces", length: int = len(BODY)) -> bytes:
    lines = ("Content-Type: application/json", f"Content-Length: {length}", *lines)
    return request(*lines, target=target, method="POST")


@pytest.mark.parametrize("target", ["/v1/namespaces", "/v1/main/namespaces", "/v1/a%2Fb/namespaces"])
def test_a_namespace_to_create(target: str) -> None:
    found = HEADS.read_creation(creation("User-Agent: x", target=target) + BODY)
    assert found is not None
    head, body = found
    assert body == BODY
    assert (head.method, head.path, head.length, head.user_agent) == ("POST", target, len(BODY), "x")


def test_a_body_that_has_not_arrived() -> None:
    for got in (b"", BODY[:1], BODY[:-1]):
        found = HEADS.read_creation(creation() + got)
        assert found is not None
        assert found[1] == got
        assert HEADS.read(creation() + got) is None, "it is no read"
    for at in range(1, len(creation())):
        assert HEADS.read_creation(creation()[:at]) is None


@pytest.mark.parametrize(
    "data",
    [
        creation() + BODY + b"G",
        creation() + BODY + creation() + BODY,
        creation(target="/v1/namespaces?a=b") + BODY,
        creation(target="/v1/namespaces/a") + BODY,
        creation(target="/v1//namespaces") + BODY,
        creation(target="http://a/v1/namespaces") + BODY,
        creation(length=0),
        creation(length=100_000),
        creation("Content-Length: 20") + BODY,
        creation("Transfer-Encoding: chunked") + BODY,
        creation("Expect: 100-continue") + BODY,
        creation("Idempotency-Key: 0191b7c6-0000-7000-8000-000000000000") + BODY,
        creation("Connection: close") + BODY,
        creation("Content-Encoding: gzip\r\n a") + BODY,
        creation().replace(b"Length: 20", b"Length: +20") + BODY,
        creation().replace(b"Length: 20", b"Length: 020") + BODY,
        creation().replace(b"Length: 20", b"Length: 0x14") + BODY,
        creation().replace(b"Length: 20", b"Length: 20,20") + BODY,
        creation().replace(b"Length: 20", b"Length : 20") + BODY,
        creation().replace(b"/json", b"/json; charset=utf-8") + BODY,
        creation().replace(b"/json", b"/x-www-form-urlencoded") + BODY,
        creation().replace(b"POST", b"PUT") + BODY,
        creation().replace(b"POST", b"post") + BODY,
        creation().replace(b"1.1", b"1.0") + BODY,
        creation().replace(b"Host: a\r\n", b"") + BODY,
        creation().replace(b"\r\n", b"\n") + BODY,
        request("Content-Type: application/json", method="POST") + BODY,
    ],
)
def test_changes_that_are_left_to_others(data: bytes) -> None:
    assert HEADS.read_creation(data) is None
    assert HEADS.read(data) is None
