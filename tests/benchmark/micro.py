"""What observing one request costs in this process: prints nanoseconds per call as one JSON object.

Run: ``python -m tests.benchmark.micro``. Lines go to /dev/null; nothing is asserted.
"""

import json
import os
import time
import timeit
from collections.abc import Callable, Iterable
from typing import Any

from app.observability.lines import RequestEntry, render
from app.observability.logs import log_request, writer
from app.observability.metrics import Metrics
from app.observability.middleware import ObservedApplication
from app.observability.request_ids import new_request_id

ROUNDS = 7
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


def nanoseconds(call: Callable[[], Any]) -> float:
    """The best of several rounds: the cost without what else the machine does."""
    return round(min(timeit.repeat(call, number=CALLS, repeat=ROUNDS)) / CALLS * 1e9, 1)


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
    print(json.dumps({"nanoseconds": costs}))


if __name__ == "__main__":
    main()
