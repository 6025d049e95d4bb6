"""What observing, authenticating, signing one request, and answering it the hot way costs in this process: prints
nanoseconds per call as one JSON object.

Run: ``python -m tests.benchmark.micro``. Lines go to /dev/null; nothing is asserted.
"""

import hashlib
import json
import os
import socket
import time
import timeit
from collections.abc import Callable, Iterable
from typing import Any

from botocore.credentials import ReadOnlyCredentials

from app.auth.authenticator import Authenticator
from app.auth.freshness import Freshness
from app.auth.last_used import LastUsed
from app.auth.principals import Principal
from app.auth.sessions import Session, SessionCache
from app.auth.tokens import AccessToken, Signer
from app.config import Settings
from app.db import Database
from app.observability.lines import RequestEntry, render
from app.observability.logs import log_request, writer
from app.observability.metrics import Metrics
from app.observability.middleware import ObservedApplication
from app.observability.request_ids import new_request_id
from app.server.hot.replies import Reply
from app.server.hot.services import HotServices
from app.server.hot.way import Fill, HotWay, record, request_id_of
from app.storage.locations import normalise
from app.storage.s3_addresses import Store
from app.storage.s3_signer import sign
from app.storage.signing import Asked, approve
from tests.clients.header_sets import header_set

ROUNDS = 7
TABLE = "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}"
PEER = "127.0.0.1"
CALLS = 20_000


def hello(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["bingsan.route"] = "/v1/namespaces/{namespace}"
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
    return [b"{}"]


def answer(application: Callable[..., Any]) -> None:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/v1/namespaces/db", "RAW_URI": "/v1/namespaces/db"}
    body = application(environ, lambda status, headers: None)
    for _ in body:
        pass
    if hasattr(body, "close"):
        body.close()


def nanoseconds(call: Callable[[], Any], calls: int = CALLS) -> float:
    """The best of several rounds: the cost without what else the machine does."""
    return round(min(timeit.repeat(call, number=calls, repeat=ROUNDS)) / calls * 1e9, 1)


def signing_costs() -> dict[str, float]:
    """Checking and signing what Java asks for to read a range, and to delete 100 objects."""
    host, place = "127.0.0.1:9000", normalise("s3://lake/warehouse/db/t-3f0c")
    store = Store(f"http://{host}", "us-east-1", path_style=True, is_bounded=True)
    headers = {"Host": [host], "Range": ["bytes=0-1023"], "amz-sdk-invocation-id": ["1"], "User-Agent": ["x"]}
    reading = Asked("GET", f"http://{host}/lake/{place.path}/data/1.parquet", "us-east-1", headers)
    keys = "".join(f"<Object><Key>{place.path}/data/{n}.parquet</Key></Object>" for n in range(100))
    deleting = Asked("POST", f"http://{host}/lake?delete", "us-east-1", {}, f"<Delete>{keys}</Delete>")
    credentials = ReadOnlyCredentials("key", "secret", "token" * 100)
    approved = approve(reading, store, place)
    return {
        "approve_read": nanoseconds(lambda: approve(reading, store, place), 2_000),
        "approve_delete_100": nanoseconds(lambda: approve(deleting, store, place), 200),
        "sign": nanoseconds(lambda: sign(approved, credentials), 2_000),
    }


def authentication(authenticator: Authenticator, signer: Signer, text: str) -> dict[str, float]:
    """What a credential costs that the worker knows, and what a token costs that it does not."""

    def known() -> None:
        authenticator.session(text, authenticator.freshness.version())

    return {"known_credential": nanoseconds(known), "verify_token": nanoseconds(lambda: signer.read(text))}


def known_token() -> tuple[Authenticator, Signer, str]:
    """An access token, and who remembers it."""
    signer = Signer([os.urandom(32)])
    ends_at = time.time() + 3600
    token = AccessToken(principal_id=1, scopes=("catalog",), issued_at=time.time(), expires_at=ends_at)
    text, cache = signer.sign(token), SessionCache()
    session = Session(Principal(1, "p", "service"), f"token:{token.id}", expires_at=ends_at)
    database = Database(Settings.load(environ={"ICEBERG_DATABASE_HOST": "nowhere.invalid"}), pool_size=1)
    authenticator = Authenticator(database, Freshness(lambda: 1), LastUsed(database), signer, cache=cache)
    cache.find(b"", 1)
    cache.keep(hashlib.sha256(text.encode()).digest(), 1, session)
    return authenticator, signer, text


def hot_costs(authenticator: Authenticator, text: str) -> dict[str, float]:
    """The steps of an answer of 5 KB that is remembered, and one message of that size between two sockets."""
    services = HotServices(authenticator, None, lambda *_: False, lambda: None)
    way = HotWay(Settings.load(environ={"ICEBERG_DATABASE_HOST": "nowhere.invalid"}), services)
    data = header_set("pyiceberg", TABLE).head("/v1/namespaces/db/tables/t", "127.0.0.1:8181", text)
    head = way.heads.read(data)
    assert head is not None
    fill = way.find(head, 1, PEER)
    assert isinstance(fill, Fill)
    way.replies.keep(fill.key, example_reply(), frozenset(), fill.since)
    reply = way.find(head, 1, PEER)
    assert isinstance(reply, Reply)
    writer._running = True
    costs = {
        "hot_read_known_head": nanoseconds(lambda: way.heads.read(data)),
        "hot_read_new_head": nanoseconds(lambda: way.heads._read(data)),
        "hot_find_reply": nanoseconds(lambda: way.find(head, 1, PEER)),
        "hot_make_head": nanoseconds(lambda: way.head_of(reply, request_id_of(head))),
        "hot_record": nanoseconds(lambda: record(head, reply, "request", 0.0001, PEER)),
        "message_5k": nanoseconds(exchange(bytes(5_000))),
        "message_300": nanoseconds(exchange(bytes(300))),
    }
    writer._queue.clear()
    return costs


def example_reply() -> Reply:
    pieces = b"HTTP/1.1 200 OK\r\nDate: ", b"\r\nX-Request-ID: ", b"\r\nContent-Length: 5000\r\n\r\n"
    route = "/v1/namespaces/{namespace}/tables/{table}"
    return Reply(200, pieces, bytes(5_000), etag='"e"', route=route, principal="p", warehouse="w", error=None)


def exchange(message: bytes) -> Callable[[], Any]:
    """What sends a message over the loopback interface and receives it at the other end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()

    def call() -> None:
        server.send(message)
        client.recv(65_536)

    return call


def main() -> None:
    figures = Metrics()
    entry = RequestEntry(
        time.time(), "INFO", "GET", "/v1/namespaces/db", 200, 0.0012, new_request_id(),
        "/v1/namespaces/{namespace}", "anonymous", "default", 0, 1024, None, "127.0.0.1",
    )  # fmt: skip
    writer._fd = os.open(os.devnull, os.O_WRONLY)
    writer._capacity = 10_000_000
    observed = ObservedApplication(hello, figures=figures)
    costs = {
        "record_request": nanoseconds(lambda: figures.requests.record("GET", "/v1/config", 200, 0.0012)),
        "count_commit": nanoseconds(figures.commits.inc),
        "new_request_id": nanoseconds(new_request_id),
        "render_line": nanoseconds(lambda: render(entry)),
    }
    writer._running = True  # only the queue is measured here, the thread would take its share of the time
    costs["queue_line"] = nanoseconds(lambda: log_request(entry))
    writer._queue.clear()
    bare = nanoseconds(lambda: answer(hello))
    costs["observe_request"] = round(nanoseconds(lambda: answer(observed)) - bare, 1)
    authenticator, signer, text = known_token()
    costs |= authentication(authenticator, signer, text) | signing_costs() | hot_costs(authenticator, text)
    print(json.dumps({"nanoseconds": costs}))


if __name__ == "__main__":
    main()
