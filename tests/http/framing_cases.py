"""Where a request ends, and whether another one may follow."""

from tests.http.cases import PLAIN, Case, broken, fine, head

CHUNKED = "POST /v1/nowhere HTTP/1.1\r\nHost: x\r\nWHO\r\nTransfer-Encoding: chunked\r\n\r\n"
INNER = "GET /admin HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNK = f"{len(INNER):x}\r\n{INNER}\r\n0\r\n\r\n"

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
