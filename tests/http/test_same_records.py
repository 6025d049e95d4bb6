"""What the lean loop answers is logged and counted as what Flask answers."""

from typing import Any

import pytest

from tests.factories import unique_name
from tests.http.conversation import Conversation
from tests.http.world import Ways
from tests.support.process import eventually
from tests.support.server import TestServer

DIFFERENT = {"time", "duration_ms", "request_id"}
READS = (
    *(
        ("GET", ""),
        ("HEAD", ""),
        ("GET", "/tables"),
        ("GET", "/views"),
        ("GET", "/tables/t"),
        ("HEAD", "/tables/t"),
    ),
    *(("GET", "/tables/none"), ("GET", "/tables/t?snapshots=refs"), ("HEAD", "/views/none"), ("GET", "?a=b")),
)
COUNTED = "iceberg_catalog_http_requests_total"


def line_of(server: TestServer, request_id: str) -> dict[str, Any]:
    """Return the log line of a request without what belongs to this one only."""

    def found() -> list[dict[str, Any]]:
        return [line for line in server.logs() if line.get("request_id") == request_id]

    (line,) = eventually(found, 30, "the request is logged")
    return {name: value for name, value in line.items() if name not in DIFFERENT}


@pytest.mark.parametrize(("method", "below"), READS)
def test_same_line(ways: Ways, method: str, below: str) -> None:
    ids = [unique_name("id") for _ in range(4)]
    lines = []
    for port, chosen in ((ways.hot.port, ids[:3]), (ways.stock.port, ids[3:])):
        with Conversation(port) as conversation:
            for request_id in chosen:
                more = (f"X-Request-ID: {request_id}", "X-Forwarded-For: 1.2.3.4", "User-Agent: x")
                conversation.say(ways.get(*more, target=f"{ways.path}{below}", method=method))
                conversation.answer(method)
    lines += [line_of(ways.hot, request_id) for request_id in ids[:3]]
    lines += [line_of(ways.stock, request_id) for request_id in ids[3:]]
    assert lines[0]["status"] in {200, 204, 404}
    assert lines == [lines[3]] * 4


def test_same_counts(ways: Ways) -> None:
    """Also the ones that were answered on the event loop are in the figures of their route."""
    counted = []
    for server in (ways.hot, ways.stock):
        before = server.metric(COUNTED, status_code="200")
        with Conversation(server.port) as conversation:
            for _ in range(10):
                conversation.say(ways.get())
                conversation.answer()
        counted.append(server.metric(COUNTED, status_code="200") - before)
    assert counted == [10, 10]
