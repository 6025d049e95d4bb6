"""Corpora of bad requests for every operation: never a 5xx, never a broken connection, nothing half done.

Examples are derived from the test, not from chance: a run is like the one before it.
"""

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract import corpora
from tests.contract.fuzzing import Corpus, examples
from tests.contract.wire import Request

pytestmark = pytest.mark.usefixtures("whole")
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "X"]
PARAMETER = re.compile(r"\{[a-z-]+\}")


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
