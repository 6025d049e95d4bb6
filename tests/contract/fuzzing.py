"""What corpora of bad requests are sent to."""

import os
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings

from tests.contract.calls import create_view_request, ok
from tests.contract.wire import Answer, Request, faults, send
from tests.factories import create_table_request
from tests.support.contract import Contract
from tests.support.server import TestServer

TIMES = int(os.environ.get("FUZZ_TIMES", "1"))


def examples(number: int) -> Any:
    """Settings of a corpus of ``number`` examples; with ``FUZZ_TIMES`` of that many times as many, by chance."""
    return settings(
        max_examples=number * TIMES,
        derandomize=TIMES == 1,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


class Corpus:
    """A server with a namespace, a table and a view called ``fuzz``, ``t`` and ``v``; counts what it answers."""

    def __init__(self, server: TestServer) -> None:
        self.server = server
        self.outcomes: Counter[int] = Counter()
        client = server.client()
        ok(client.post("/v1/namespaces", json={"namespace": ["fuzz"]}))
        for name in ("a", "b", "c"):
            ok(client.post("/v1/namespaces", json={"namespace": ["fuzz", name]}))
        self.ensure()
        document = ok(client.get("/openapi.json"))
        self.contract = Contract(document)
        self.operations = sorted(
            (method.upper(), path)
            for path, members in document["paths"].items()
            for method in members
            if method in {"get", "head", "post", "put", "patch", "delete"}
            and not path.startswith(("/health", "/ready", "/metrics"))  # may say 503 on a busy machine
            and not path.startswith("/v1/oauth/")  # has errors of its own shape
        )
        self.etag = client.get("/v1/namespaces/fuzz/tables/t").headers["ETag"].encode()
        page = ok(client.get("/v1/namespaces", params={"parent": "fuzz", "pageSize": 1}))
        self.token: str = page["next-page-token"]

    def ensure(self) -> None:
        """Create the table and the view unless they are there."""
        client = self.server.client()
        client.post("/v1/namespaces", json={"namespace": ["fuzz"]})
        tables = client.post("/v1/namespaces/fuzz/tables", json=create_table_request("t"))
        views = client.post("/v1/namespaces/fuzz/views", json=create_view_request("v"))
        assert {tables.status_code, views.status_code} <= {200, 409}
        self.server.close_clients()

    def send(self, request: Request) -> Answer:
        """Send it and judge the answer by the service's own document."""
        answer = self.try_out(request)
        assert not (found := faults(self.contract, request, answer)), (found, request, answer)
        return answer

    def try_out(self, request: Request) -> Answer:
        """The same, but metadata that others wrote may be in the answer, which is passed on as it is."""
        answer = send(self.server, request)
        self.outcomes[answer.status] += 1
        return answer
