"""Large answers are compressed for those who take that; tags and caches can tell the forms apart."""

import json
from typing import Any

import pytest
import requests

from tests.contract.calls import Tabular, namespace_path, ok
from tests.factories import commit_request, set_properties
from tests.support.server import Client, TestServer

PLAIN, GZIP = {"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip, deflate"}
LARGE = {f"p{number}": "größer " * 5000 for number in range(3)}


@pytest.fixture
def large(table: Tabular) -> Tabular:
    table.commit(set_properties(**LARGE))
    return table


def form(answer: requests.Response) -> tuple[str | None, bool]:
    """How the body came, and whether it was as long as what it says."""
    ok(answer)
    assert "Accept-Encoding" in answer.headers.get("Vary", "")
    whole = int(answer.headers["Content-Length"]) == len(answer.content)
    return answer.headers.get("Content-Encoding"), whole


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("gzip, x-gzip, deflate", True),
        ("*", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("br", False),
    ],
)
def test_who_accepts_gzip_gets_it(client: Client, large: Tabular, accepted: str, compressed: bool) -> None:
    answer = client.get(large.path, headers={"Accept-Encoding": accepted})
    assert form(answer) == (("gzip", False) if compressed else (None, True))
    assert answer.json()["metadata"]["properties"]["p0"] == LARGE["p0"]


def test_both_forms_say_the_same_every_time(client: Client, large: Tabular) -> None:
    bodies = {client.get(large.path, headers=headers).content for headers in (PLAIN, GZIP) for _ in range(6)}
    assert len(bodies) == 1


def test_each_form_has_its_tag_and_either_is_known(client: Client, large: Tabular) -> None:
    tags = [client.get(large.path, headers=headers).headers["ETag"] for headers in (PLAIN, GZIP)]
    assert tags[0] != tags[1]
    for headers, own in zip((PLAIN, GZIP), tags, strict=True):
        for known in tags:
            answer = client.get(large.path, headers={**headers, "If-None-Match": known})
            assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", own)
            assert "Accept-Encoding" in answer.headers["Vary"]
    large.commit(set_properties(q="1"))
    for headers, known in zip((PLAIN, GZIP), tags, strict=True):
        assert client.get(large.path, headers={**headers, "If-None-Match": known}).status_code == 200


def test_a_commit_is_seen_in_both_forms(client: Client, large: Tabular) -> None:
    for value in ("1", "2"):
        large.commit(set_properties(q=value))
        for headers in (PLAIN, GZIP):
            assert client.get(large.path, headers=headers).json()["metadata"]["properties"]["q"] == value


def test_small_answers_and_commits_go_as_they_are(client: Client, table: Tabular) -> None:
    small = client.get(table.path, headers=GZIP)
    assert form(small) == (None, True)
    committed = client.post(table.path, json=commit_request(set_properties(**LARGE)), headers=GZIP)
    assert form(committed) == (None, True)
    assert committed.headers["ETag"] == client.get(table.path, headers=GZIP).headers["ETag"]


def test_what_has_no_tag_is_compressed_as_well(server: TestServer, client: Client) -> None:
    answers = [
        requests.get(f"{server.url}/openapi.json", headers=headers, timeout=30) for headers in (PLAIN, GZIP)
    ]
    assert [form(answer) for answer in answers] == [(None, True), ("gzip", False)]
    assert answers[0].content == answers[1].content
    assert json.loads(answers[1].content)["openapi"]
    missing: Any = client.get(f"{namespace_path('missing')}/tables", headers=GZIP)
    assert missing.status_code == 404
    assert "Content-Encoding" not in missing.headers
