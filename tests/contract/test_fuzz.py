"""Corpora of bad requests for every operation: never a 5xx, never a broken connection, nothing half done.

Examples are derived from the test, not from chance: a run is like the one before it.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import MakeServer
from tests.contract import corpora
from tests.contract.bodies import ASSERT_CREATE, append, staged_updates
from tests.contract.calls import create_view_request, ok, rename_request, view_version
from tests.contract.wire import Answer, Request, assert_nothing_half_done, faults, send
from tests.factories import (
    commit_request,
    create_table_request,
    field,
    function_metadata,
    schema,
    set_properties,
)
from tests.support.contract import Contract
from tests.support.server import TestServer

UUID = "3b6fb1f5-38a2-4a4d-9e0e-5b9a6a6f0000"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "X"]
PARAMETER = re.compile(r"\{[a-z-]+\}")


TIMES = int(os.environ.get("FUZZ_TIMES", "1"))


def examples(number: int) -> Any:
    """Settings of a corpus of ``number`` examples; with ``FUZZ_TIMES`` of that many times as many, by chance."""
    return settings(
        max_examples=number * TIMES,
        derandomize=TIMES == 1,
        deadline=None,
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
        answer = send(self.server, request)
        assert not (found := faults(self.contract, request, answer)), (found, request, answer)
        self.outcomes[answer.status] += 1
        return answer


@pytest.fixture(scope="module")
def corpus(make_server: MakeServer) -> Iterator[Corpus]:
    with make_server(settings={"server.read_timeout": "2s"}) as server:
        yield Corpus(server)


@pytest.fixture(autouse=True)
def whole(corpus: Corpus) -> Iterator[None]:
    """After each corpus the server still works, nothing is half done, and not everything was refused."""
    corpus.outcomes.clear()
    yield
    assert_nothing_half_done(corpus.server)
    corpus.ensure()
    assert any(status >= 400 for status in corpus.outcomes), corpus.outcomes


def fill(path: str, values: Iterator[bytes]) -> bytes:
    return PARAMETER.sub(lambda _: next(values).decode("latin-1"), path).encode("latin-1")


@examples(600)
@given(data=st.data())
def test_path_names(corpus: Corpus, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(corpus.operations))
    names = iter(data.draw(st.lists(corpora.segments, min_size=4, max_size=4)))
    corpus.send(Request(method, fill(path, names), b"{}" if method == "POST" else None))


@examples(200)
@given(
    method=st.sampled_from(METHODS),
    start=st.sampled_from(
        [b"/", b"/v1/", b"/v1/namespaces/", b"/v1/default/", b"/management/v1/", b"", b"x:", b"//"]
    ),
    rest=st.lists(corpora.segments, max_size=4),
)
def test_paths_of_any_shape(corpus: Corpus, method: str, start: bytes, rest: list[bytes]) -> None:
    corpus.send(Request(method, (start + b"/".join(rest)) or b"/"))


def right_bodies() -> dict[str, Any]:
    """A request body that would be accepted, by path."""
    table = "/v1/namespaces/fuzz/tables/t"
    wide = schema(
        field(1, "id", required=True),
        field(2, "names", {"type": "list", "element-id": 3, "element": "string", "element-required": False}),
        **{"identifier-field-ids": [1]},
    )
    new = create_table_request(
        "x",
        schema=wide,
        properties={"a": "b"},
        **{
            "stage-create": True,
            "partition-spec": {"fields": [{"name": "p", "transform": "bucket[4]", "source-id": 1}]},
            "write-order": {
                "order-id": 1,
                "fields": [
                    {"transform": "identity", "source-id": 1, "direction": "asc", "null-order": "nulls-first"}
                ],
            },
        },
    )
    plan = {
        "table-uuid": UUID,
        "format-version": 3,
        "schemas": [wide],
        "partition-specs": [{"spec-id": 0, "fields": []}],
        "sort-orders": [{"order-id": 0, "fields": []}],
        "location": "",
        "properties": {"a": "b"},
    }
    staged = [update for update in staged_updates(plan) if update["action"] != "set-location"]
    update = commit_request(
        {"action": "remove-snapshots", "snapshot-ids": [1]},
        *append(1, 1),
        set_properties(a="1"),
        {"action": "add-schema", "schema": wide},
        {"action": "set-current-schema", "schema-id": -1},
        {"action": "add-spec", "spec": new["partition-spec"]},
        {"action": "set-default-spec", "spec-id": -1},
        {"action": "add-sort-order", "sort-order": new["write-order"]},
        {"action": "set-default-sort-order", "sort-order-id": -1},
        identifier={"namespace": ["fuzz"], "name": "t"},
    )
    version = [
        {"action": "add-view-version", "view-version": view_version("SELECT 2")},
        {"action": "set-current-view-version", "view-version-id": -1},
    ]
    return {
        "/v1/namespaces": {"namespace": ["fuzz", "new"], "properties": {"a": "b"}},
        "/v1/namespaces/fuzz/properties": {"removals": ["a"], "updates": {"b": "c"}},
        "/v1/namespaces/fuzz/tables": new,
        table: update,
        "/v1/namespaces/fuzz/tables/new": commit_request(*staged, requirements=[ASSERT_CREATE]),
        "/v1/namespaces/fuzz/register": {"name": "r", "metadata-location": "file:///x", "overwrite": True},
        "/v1/namespaces/fuzz/register-view": {"name": "r", "metadata-location": "file:///x"},
        "/v1/namespaces/fuzz/views": create_view_request("x"),
        "/v1/namespaces/fuzz/views/v": commit_request(*version),
        f"{table}/unregister": {},
        f"{table}/metrics": {"report-type": "commit-report", "table-name": "t", "snapshot-id": 1},
        "/v1/tables/rename": rename_request(("fuzz", "t"), ("fuzz", "u")),
        "/v1/views/rename": rename_request(("fuzz", "v"), ("fuzz", "w")),
        "/v1/transactions/commit": {
            "table-changes": [
                {
                    "identifier": {"namespace": ["fuzz"], "name": "t"},
                    "requirements": [],
                    "updates": update["updates"],
                }
            ]
        },
        "/management/v1/warehouses": {
            "name": "w",
            "storage-profile": {
                "type": "local",
                "root-location": "file:///nowhere",
                "allowed-locations": ["file:///nowhere/x"],
                "credentials": {"type": "default"},
            },
            "soft-delete": {"enabled": True, "hold-seconds": 60},
        },
        MANAGED: {"protected": True, "soft-delete": {"enabled": True, "hold-seconds": 60}},
        f"{MANAGED}/namespaces/fuzz/functions": {
            "name": "f",
            "metadata": function_metadata(**{"function-uuid": UUID}),
        },
        f"{MANAGED}/namespaces/fuzz%1Fa/rename": {"destination": ["fuzz", "a"]},
        f"{MANAGED}/namespaces/fuzz%1Fa/protection": {"protected": True},
        f"{MANAGED}/namespaces/fuzz/tables/t/protection": {"protected": False},
    }


MANAGED = "/management/v1/warehouses/default"
CREATED_BY_COMMIT = "/v1/namespaces/fuzz/tables/new"
BODIES = {path: body for path, body in right_bodies().items() if body}


@pytest.mark.parametrize("path", BODIES)
@examples(60)
@given(data=st.data())
def test_bodies(corpus: Corpus, path: str, data: st.DataObject) -> None:
    method = {"protection": "PUT", "default": "PATCH"}.get(path.rpartition("/")[2], "POST")
    answer = corpus.send(Request(method, path.encode(), data.draw(corpora.bodies(BODIES[path]))))
    if answer.status == 200 and path == CREATED_BY_COMMIT:
        assert corpus.send(Request("DELETE", path.encode())).status == 204


@examples(100)
@given(
    path=st.sampled_from(list(right_bodies())),
    kind=st.one_of(
        corpora.header_values,
        st.sampled_from(
            [b"application/json;charset=utf-16", b"application/json;", b";", b"/", b"application/JSON"]
        ),
    ),
    encoding=st.sampled_from([None, b"gzip", b"identity", b"deflate, gzip", b"x"]),
)
def test_types_of_bodies(corpus: Corpus, path: str, kind: bytes, encoding: bytes | None) -> None:
    headers = [(b"Content-Type", kind)] + ([(b"Content-Encoding", encoding)] if encoding else [])
    corpus.send(Request("POST", path.encode(), b"[]", tuple(headers)))


HEADERS = [
    *(
        b"Idempotency-Key",
        b"If-None-Match",
        b"X-Iceberg-Access-Delegation",
        b"X-Request-ID",
        b"Accept",
        b"Range",
    ),
    *(
        b"Accept-Encoding",
        b"Authorization",
        b"Cookie",
        b"Expect",
        b"Upgrade",
        b"X-Forwarded-For",
        b"Forwarded",
    ),
    *(
        b"traceparent",
        b"Transfer-Encoding",
        b"Content-Length",
        b"Host",
        b"Connection",
        b"X-HTTP-Method-Override",
    ),
]


@examples(300)
@given(
    operation=st.sampled_from([("GET", b"/v1/namespaces/fuzz/tables/t"), ("DELETE", b"/v1/namespaces/none")]),
    headers=st.lists(st.tuples(st.sampled_from(HEADERS), corpora.header_values), min_size=1, max_size=3),
)
def test_headers(corpus: Corpus, operation: tuple[str, bytes], headers: list[tuple[bytes, bytes]]) -> None:
    corpus.send(Request(*operation, None, tuple(headers)))


@examples(150)
@given(
    keys=st.lists(st.one_of(corpora.nearly_uuids(), corpora.header_values), min_size=1, max_size=2),
    removed=st.booleans(),
)
def test_idempotency_keys(corpus: Corpus, keys: list[bytes], *, removed: bool) -> None:
    body = {"removals": ["a"], "updates": {}} if removed else {"removals": [], "updates": {"a": "1"}}
    headers = tuple((b"Idempotency-Key", key) for key in keys)
    request = Request("POST", b"/v1/namespaces/fuzz/properties", json.dumps(body).encode(), headers)
    first = corpus.send(request)
    assert (first.status, first.body) == corpus.send(request)[::2] or first.status == 200


@examples(200)
@given(data=st.data())
def test_entity_tags(corpus: Corpus, data: st.DataObject) -> None:
    tag = data.draw(corpora.nearly_etags(corpus.etag))
    headers = ((b"If-None-Match", tag),)
    answer = corpus.send(Request("GET", b"/v1/namespaces/fuzz/tables/t", None, headers))
    assert answer.status in {200, 304, 400}, answer


LISTINGS = [b"/v1/namespaces", b"/v1/namespaces/fuzz/tables", b"/v1/namespaces/fuzz/views"]
SIZES = [
    b"1",
    b"0",
    b"-1",
    b"1000000000000000000000",
    b"1.5",
    b"",
    b"x",
    b"%31",
    b"%D9%A1",
    b"1e3",
    b" 1",
    b"+1",
]


@examples(250)
@given(data=st.data())
def test_page_tokens(corpus: Corpus, data: st.DataObject) -> None:
    token = data.draw(corpora.nearly_tokens(corpus.token)).replace(b"#", b"")
    size, listing = data.draw(st.sampled_from(SIZES)), data.draw(st.sampled_from(LISTINGS))
    parent = data.draw(st.sampled_from([b"", b"&parent=fuzz", b"&parent=fuzz%1Fa"]))
    corpus.send(Request("GET", listing + b"?pageToken=" + token + b"&pageSize=" + size + parent))


QUERIES = [
    b"parent",
    b"snapshots",
    b"purgeRequested",
    b"warehouse",
    b"pageSize",
    b"pageToken",
    b"referenced-by",
    b"force",
]


@examples(200)
@given(data=st.data())
def test_query_parameters(corpus: Corpus, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from([op for op in corpus.operations if op[0] != "POST"]))
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(QUERIES), corpora.segments), min_size=1, max_size=3))
    target = fill(path, iter([b"fuzz", b"none", b"none", b"none"]))
    if method == "DELETE":
        target = target.replace(b"fuzz", b"none")
    corpus.send(Request(method, target + b"?" + b"&".join(name + b"=" + value for name, value in pairs)))
