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
CHUNKED = "POST /v1/nowhere HTTP/1.1\r\nHost: x\r\nWHO\r\nTransfer-Encoding: chunked\r\n\r\n"
INNER = "GET /admin HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNK = f"{len(INNER):x}\r\n{INNER}\r\n0\r\n\r\n"


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


REQUEST_LINES = [
    first("plain", "GET TARGET HTTP/1.1", 200, stays=True),
    first("HEAD", "HEAD TARGET HTTP/1.1", 204, stays=True),
    first("trailing slash", "GET TARGET/ HTTP/1.1", 200, stays=True),
    first("two trailing slashes", "GET TARGET// HTTP/1.1", 400, stays=True),
    first("two leading slashes", "GET /TARGET HTTP/1.1", 200, stays=True),
    first("empty query", "GET TARGET? HTTP/1.1", 200, stays=True),
    first("query", "GET TARGET?a=b&a=%20 HTTP/1.1", 200, stays=True),
    first("fragment", "GET TARGET#a HTTP/1.1", 404, stays=True),
    first("dots", "GET /v1/x/../namespaces HTTP/1.1", 400, stays=True),
    first("encoded letters", "GET /v1/n%61mespaces HTTP/1.1", 400, stays=True),
    first("bad escape", "GET TARGET%zz HTTP/1.1", 404, stays=True),
    first("no UTF-8", "GET TARGET%FF HTTP/1.1", 400, stays=True),
    first("encoded NUL", "GET TARGET%00 HTTP/1.1", 400, stays=True),
    first("backslash", "GET \\TARGET HTTP/1.1", 400),
    first("absolute form", "GET http://xTARGET HTTP/1.1", 200, stays=True),
    first("absolute form of https", "GET https://xTARGET HTTP/1.1", 200, stays=True),
    first("absolute form of another host", "GET http://other:1TARGET HTTP/1.1", 200, stays=True),
    first("absolute form without a path", "GET http://x HTTP/1.1", 404, stays=True),
    first("absolute form with a query", "GET http://xTARGET?a=b HTTP/1.1", 200, stays=True),
    first("absolute form of another scheme", "GET ftp://xTARGET HTTP/1.1", 400),
    first("absolute form with a user", "GET http://a@xTARGET HTTP/1.1", 400),
    first("absolute form in capitals", "GET HTTP://xTARGET HTTP/1.1", 200, stays=True),
    first("absolute form without a host", "GET http://TARGET HTTP/1.1", 400),
    first("absolute form with a broken host", "GET http://[xTARGET HTTP/1.1", 400),
    first("authority form", "GET x:80 HTTP/1.1", 400),
    first("asterisk form", "GET * HTTP/1.1", 400),
    first("OPTIONS *", "OPTIONS * HTTP/1.1", 404, stays=True),
    first("CONNECT", "CONNECT x:443 HTTP/1.1", 404),
    first("CONNECT to a path", "CONNECT TARGET HTTP/1.1", 405),
    first("TRACE", "TRACE TARGET HTTP/1.1", 405, stays=True),
    first("unknown method", "BREW TARGET HTTP/1.1", 405, stays=True),
    first("small letters", "get TARGET HTTP/1.1", 400),
    first("Mixed letters", "Get TARGET HTTP/1.1", 400),
    first("no method", " TARGET HTTP/1.1", 400),
    first("method with a sign", "G@T TARGET HTTP/1.1", 400),
    first("long method", "A" * 30 + " TARGET HTTP/1.1", 400),
    first("no target", "GET HTTP/1.1", 400),
    first("empty target", "GET  HTTP/1.1", 400),
    first("two spaces", "GET  TARGET HTTP/1.1", 400),
    first("two spaces before the version", "GET TARGET  HTTP/1.1", 400),
    first("space at the end", "GET TARGET HTTP/1.1 ", 400),
    first("space at the beginning", " GET TARGET HTTP/1.1", 400),
    first("space in the target", "GET TARGET a HTTP/1.1", 400),
    first("tabs", "GET\tTARGET\tHTTP/1.1", 400),
    first("tab in the target", "GET TARGET\ta HTTP/1.1", 400),
    first("NUL in the target", "GET TARGET\0 HTTP/1.1", 400),
    first("control in the target", "GET TARGET\x01 HTTP/1.1", 400),
    first("DEL in the target", "GET TARGET\x7f HTTP/1.1", 400),
    first("raw UTF-8 in the target", "GET TARGET\xc3\xa4 HTTP/1.1", 400),
    first("bare CR in the line", "GET TARGET\r HTTP/1.1", 400),
    first("bare LF in the line", "GET TARGET\n HTTP/1.1", 400),
    first("HTTP/1.0", "GET TARGET HTTP/1.0", 200),
    first("HTTP/1.2", "GET TARGET HTTP/1.2", 200, stays=True),
    first("HTTP/2.0", "GET TARGET HTTP/2.0", 400),
    first("HTTP/1.10", "GET TARGET HTTP/1.10", 400),
    first("HTTP/1", "GET TARGET HTTP/1", 400),
    first("HTTP/01.1", "GET TARGET HTTP/01.1", 400),
    first("http/1.1", "GET TARGET http/1.1", 400),
    first("ICE/1.1", "GET TARGET ICE/1.1", 400),
    first("no version", "GET TARGET", 400),
    Case("HTTP/0.9", "GET TARGET\r\n\r\n", (400,)),
    Case("HTTP/1.0 without Host", "GET TARGET HTTP/1.0\r\nWHO\r\n\r\n", (200,)),
    Case(
        "HTTP/1.0 that stays",
        "GET TARGET HTTP/1.0\r\nWHO\r\nConnection: keep-alive\r\n\r\n",
        (200,),
        stays=True,
    ),
    Case("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400,)),
    Case("proxy protocol", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + PLAIN + "\r\n", (400,)),
    Case("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", (400,)),
    Case("garbage", "\xff\xfe\xfd\r\n\r\n", (400,)),
    Case("one empty line before", "\r\n" + PLAIN + "\r\n", (200,), stays=True),
    Case("two empty lines before", "\r\n\r\n" + PLAIN + "\r\n", (400,)),
    Case("a bare LF before", "\n" + PLAIN + "\r\n", (400,)),
    Case("garbage behind", PLAIN + "\r\nGARBAGE\r\n\r\n", (200, 400)),
    Case("a body that nobody announced", PLAIN + '\r\n{"a": 1}', (200, 400), swallows=True),
]

HEADS = [
    Case("no Host", "GET TARGET HTTP/1.1\r\nWHO\r\n\r\n", (400,)),
    Case("no header", "GET TARGET HTTP/1.1\r\n\r\n", (400,)),
    Case("empty Host", "GET TARGET HTTP/1.1\r\nHost:\r\nWHO\r\n\r\n", (200,), stays=True),
    *(
        Case(f"Host {host!r}", f"GET TARGET HTTP/1.1\r\nHost: {host}\r\nWHO\r\n\r\n", (200,), stays=True)
        for host in ("a", "a:1", "a_b:1", "[::1]:80", "A.B", "127.0.0.1", "a:")
    ),
    *(
        Case(f"Host {host!r}", f"GET TARGET HTTP/1.1\r\nHost: {host}\r\nWHO\r\n\r\n", (400,))
        for host in (
            "a b",
            "a, b c",
            "a/b",
            "b@a",
            "a:x",
            "[::1",
            "a\x00",
            "a\\b",
            "a?b",
            "a#b",
            "<a>",
            '"a"',
        )
    ),
    broken("two Hosts", "Host: x"),
    broken("two different Hosts", "host: y"),
    broken("space before the colon", "X-A : 1"),
    broken("tab before the colon", "X-A\t: 1"),
    broken("no colon", "X-A"),
    broken("no name", ": 1"),
    broken("space in a name", "X A: 1"),
    broken("NUL in a name", "X\0A: 1"),
    broken("sign in a name", "X(A): 1"),
    broken("raw UTF-8 in a name", "X\xc3\xa4: 1"),
    broken("NUL in a value", "X-A: 1\x002"),
    broken("control in a value", "X-A: 1\x012"),
    broken("DEL in a value", "X-A: 1\x7f2"),
    broken("bare CR in a value", "X-A: 1\r2"),
    broken("bare CR at the end of a value", "X-A: 1\r"),
    broken("bare LF between headers", "X-A: 1\nX-B: 2"),
    broken("request behind a bare LF", "X-A: 1\n\nGET /admin HTTP/1.1"),
    broken("folded with a space", "X-A: 1\r\n 2"),
    broken("folded with a tab", "X-A: 1\r\n\t2"),
    broken("folded Host", "X-A: 1\r\n Host: y"),
    fine("tab in a value", "X-A: 1\t2"),
    fine("raw bytes in a value", "X-A: \xc3\xa4\xff"),
    fine("no space behind the colon", "X-A:1"),
    fine("spaces around a value", "X-A: \t 1 \t "),
    fine("empty value", "X-A:"),
    fine("many colons", "X-A: :a:b: "),
    fine("underscores", "X_A: 1"),
    fine("length with an underscore", "Content_Length: 5"),
    fine("coding with an underscore", "Transfer_Encoding: chunked"),
    Case("first line of the head is folded", "GET TARGET HTTP/1.1\r\n Host: x\r\nWHO\r\n\r\n", (400,)),
    Case("the head ends with bare LFs", "GET TARGET HTTP/1.1\nHost: x\nWHO\n\n", (400,)),
    Case("the first line ends with a bare LF", "GET TARGET HTTP/1.1\nHost: x\r\nWHO\r\n\r\n", (400,)),
    Case("the head ends with a bare LF", PLAIN + "\n", (400,)),
    Case("the head ends with a bare CR", PLAIN + "\r", (400,), swallows=True),
    head("token twice", "WHO", 401, stays=True),
    head("another token too", "authorization: Bearer x", 401, stays=True),
    head("a hundred headers", "\r\n".join(f"X-{number}: 1" for number in range(98)), 200, stays=True),
    head("too many headers", "\r\n".join(f"X-{number}: 1" for number in range(99)), 431),
    head("a long header", "X-A: " + "a" * 8000, 200, stays=True),
    head("too long a header", "X-A: " + "a" * 40000, 431),
    first("a long target", "GET TARGET?" + "a" * 8000 + " HTTP/1.1", 200, stays=True),
    first("too long a target", "GET TARGET?" + "a" * 8200 + " HTTP/1.1", 414),
    fine("delegation twice", "X-Iceberg-Access-Delegation: a\r\nX-Iceberg-Access-Delegation: b"),
    fine("content type without content", "Content-Type: application/json"),
    broken("content type twice", "Content-Type: a\r\nContent-Type: b"),
    fine("request id", "X-Request-ID: mine"),
    fine("request id twice", "X-Request-ID: mine\r\nX-Request-ID: yours"),
    fine("request id that is none", "X-Request-ID: a b"),
    fine("request id that would be a header", "X-Request-ID: a%0d%0aSet-Cookie: b"),
    fine(
        "forwarded by nobody", "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: y"
    ),
    fine(
        "another path by the way",
        "SCRIPT_NAME: /v1\r\nPATH_INFO: /health\r\nScript-Name: /v1\r\nX-Original-URL: /",
    ),
    fine("another method by the way", "X-HTTP-Method-Override: DELETE"),
    fine("range", "Range: bytes=0-1"),
]

LENGTHS = [
    fine("no body", "Content-Length: 0"),
    fine("no body, many zeros", "Content-Length: 000"),
    *(
        broken(f"length {length!r}", f"Content-Length: {length}")
        for length in (
            "-1",
            "+0",
            "-0",
            "0x0",
            "0, 0",
            "0 0",
            "0,",
            "",
            "a",
            "1e0",
            "0.0",
            "1_0",
            "\xb2",
            "0\t0",
        )
    ),
    broken("length twice", "Content-Length: 0\r\nContent-Length: 0"),
    broken("two lengths", "Content-Length: 0\r\nContent-Length: 5"),
    head("a huge length", "Content-Length: " + "9" * 30, 413),
    broken("an endless length", "Content-Length: " + "9" * 5000),
    Case("GET with a body", f"{PLAIN}Content-Length: {len(INNER)}\r\n\r\n{INNER}", (200,), stays=True),
    Case(
        "HEAD with a body",
        f"HEAD TARGET HTTP/1.1\r\nHost: x\r\nWHO\r\nContent-Length: {len(INNER)}\r\n\r\n{INNER}",
        (204,),
        stays=True,
    ),
    Case("a body that takes what follows", f"{PLAIN}Content-Length: 99999\r\n\r\n", (), swallows=True),
]

CODINGS = [
    Case("GET in chunks", f"{PLAIN}Transfer-Encoding: chunked\r\n\r\n{CHUNK}", (200,), stays=True),
    Case("GET in no chunk", f"{PLAIN}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (200,), stays=True),
    Case("Chunked", f"{PLAIN}Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", (200,), stays=True),
    Case(
        "length, then coding",
        f"{PLAIN}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{INNER}",
        (400,),
    ),
    Case(
        "coding, then length",
        f"{PLAIN}Transfer-Encoding: chunked\r\nContent-Length: {len(CHUNK)}\r\n\r\n{CHUNK}",
        (400,),
    ),
    Case(
        "coding and no length",
        f"{PLAIN}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n{CHUNK}",
        (400,),
    ),
    *(
        Case(
            f"coding {coding!r} and a length",
            f"{PLAIN}Content-Length: 5\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\n",
            (400,),
        )
        for coding in (
            "xchunked",
            "identity",
            "chunked, chunked",
            '"chunked"',
            "\x0bchunked",
            "chunked\x00",
            "",
        )
    ),
    *(
        Case(f"coding {coding!r}", f"{PLAIN}Transfer-Encoding: {coding}\r\n\r\n0\r\n\r\n", (400,))
        for coding in (
            *("xchunked", "identity", "gzip", "chunked, gzip", "chunked, identity", "chunked, chunked"),
            *("chunked,", ",chunked", "chunked;q=1", '"chunked"', "\x0bchunked", "chunked\x00", ""),
        )
    ),
    Case(
        "two codings",
        f"{PLAIN}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        (400,),
    ),
    Case(
        "coding twice",
        f"{PLAIN}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        (400,),
    ),
    Case(
        "space before the colon of the coding", f"{PLAIN}Transfer-Encoding : chunked\r\n\r\n{CHUNK}", (400,)
    ),
    Case("folded coding", f"{PLAIN}Transfer-Encoding:\r\n chunked\r\n\r\n{CHUNK}", (400,)),
    Case("coding behind a bare LF", f"{PLAIN}X-A: 1\nTransfer-Encoding: chunked\r\n\r\n{CHUNK}", (400,)),
    Case("coding behind a bare CR", f"{PLAIN}X-A: 1\rTransfer-Encoding: chunked\r\n\r\n{CHUNK}", (400,)),
    Case(
        "chunks in HTTP/1.0",
        "GET TARGET HTTP/1.0\r\nHost: x\r\nWHO\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n",
        (400,),
    ),
    fine("TE", "TE: trailers"),
    Case("a body in chunks", f"{CHUNKED}{CHUNK}", (400,), stays=True),
    Case("an extension", f"{CHUNKED}1;a=b\r\nx\r\n0\r\n\r\n", (400,), stays=True),
    Case("a trailer", f"{CHUNKED}0\r\nX-A: 1\r\n\r\n", (400,), stays=True),
    Case("a size with zeros", f"{CHUNKED}0001\r\nx\r\n000\r\n\r\n", (400,), stays=True),
    *(
        Case(f"chunks {chunks!r}", f"{CHUNKED}{chunks}\r\n0\r\n\r\n", (400,))
        for chunks in (
            *(
                "-1\r\nx",
                "+1\r\nx",
                "0x1\r\nx",
                "1 \r\nx",
                " 1\r\nx",
                "g\r\nx",
                "\r\nx",
                "1\nx",
                "1;a\rb\r\nx",
            ),
            *("1\r\nxy", "2\r\nx\r\n", "1;a=\x00\r\nx", "1;\x00\r\nx", "1_0\r\nx", "1\r\nx\n", "1;a\nb\r\nx"),
        )
    ),
    *(
        Case(f"trailer {trailer!r}", f"{CHUNKED}0\r\n{trailer}\r\n\r\n", (400,))
        for trailer in (
            "Content-Length: 5",
            "Transfer-Encoding: chunked",
            "Host: y",
            "X A: 1",
            "X-A: 1\r\n 2",
            "WHO",
        )
    ),
    Case("a huge chunk", f"{CHUNKED}{'f' * 20}\r\n", (), swallows=True),
    Case("chunks without an end", f"{CHUNKED}1\r\nx\r\n", (400,), swallows=True),
]

CONNECTIONS = [
    fine("keep-alive", "Connection: keep-alive"),
    fine("Keep-Alive", "Connection: Keep-Alive\r\nKeep-Alive: timeout=5, max=1"),
    fine("as Java wants TLS", "Upgrade: TLS/1.2\r\nConnection: Upgrade"),
    fine("Upgrade to h2c", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"),
    head("Upgrade to websocket", "Connection: Upgrade\r\nUpgrade: websocket", 405, stays=True),
    fine("Upgrade without saying so", "Upgrade: h2c"),
    fine("hop by hop", "Connection: Authorization"),
    fine("nothing", "Connection:"),
    fine("unknown option", "Connection: stay"),
    fine("close, but for the proxy", "Proxy-Connection: close"),
    *(
        head(f"Connection {option!r}", f"Connection: {option}", 200)
        for option in (
            "close",
            "CLOSE",
            "close, TE",
            "TE, close",
            "keep-alive, close",
            "close,keep-alive",
            ",close",
        )
    ),
    head("close in the second", "Connection: keep-alive\r\nConnection: close", 200),
    head("close in the first", "Connection: close\r\nConnection: keep-alive", 200),
    head("100-continue", "Expect: 100-continue", 100, 200, stays=True),
    head("100-Continue", "Expect: 100-Continue\r\nContent-Length: 0", 100, 200, stays=True),
    broken("other expectation", "Expect: tea"),
    broken("two expectations", "Expect: 100-continue, tea"),
    Case(
        "100-continue in HTTP/1.0",
        "GET TARGET HTTP/1.0\r\nHost: x\r\nWHO\r\nExpect: 100-continue\r\n\r\n",
        (200,),
    ),
]

CASES = [*REQUEST_LINES, *HEADS, *LENGTHS, *CODINGS, *CONNECTIONS]
