"""Listings in pages: opaque keyset tokens, good for one listing, at ease with concurrent changes."""

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.calls import (
    assert_error,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
)
from tests.factories import unique_name
from tests.support.server import Client

NAMES = ["B", "a", "a.b", "a/b", "aa", "ab", "b", "é", "日", "🦆"]  # in byte order


@pytest.fixture(params=["tables", "views", "namespaces"])
def listing(request: pytest.FixtureRequest, client: Client, namespace: str) -> "Listing":
    return Listing(client, namespace, request.param)


class Listing:
    """One of the three listings, below a namespace."""

    def __init__(self, client: Client, namespace: str, kind: str) -> None:
        self.client, self.namespace, self.kind = client, namespace, kind
        self.path = "/v1/namespaces" if kind == "namespaces" else f"{namespace_path(namespace)}/{kind}"

    def add(self, name: str) -> None:
        if self.kind == "namespaces":
            ok(self.client.post("/v1/namespaces", json={"namespace": [self.namespace, name]}))
        else:
            {"tables": make_table, "views": make_view}[self.kind](self.client, self.namespace, name)

    def drop(self, name: str) -> None:
        if self.kind == "namespaces":
            no_content(self.client.delete(namespace_path(self.namespace, name)))
        else:
            no_content(self.client.delete(f"{self.path}/{name}"))

    def get(self, **parameters: Any) -> Any:
        if self.kind == "namespaces":
            parameters["parent"] = self.namespace
        return self.client.get(self.path, params=parameters)

    def page(self, **parameters: Any) -> tuple[list[str], str | None]:
        """Return the names of a page and the token of the next one."""
        body = ok(self.get(**parameters))
        if self.kind == "namespaces":
            assert all(levels[:-1] == [self.namespace] for levels in body["namespaces"])
            return [levels[-1] for levels in body["namespaces"]], body["next-page-token"]
        assert all(item["namespace"] == [self.namespace] for item in body["identifiers"])
        return [item["name"] for item in body["identifiers"]], body["next-page-token"]

    def pages(self, size: int, between: Callable[[int], None] = lambda _: None) -> Iterator[list[str]]:
        """Follow the tokens to the end; ``between`` is called with the number of each page that was read."""
        token, number = None, 0
        while True:
            names, token = self.page(pageSize=size, **({"pageToken": token} if token else {}))
            yield names
            if token is None:
                return
            between(number)
            number += 1
            assert token


@pytest.mark.parametrize("size", [1, 3, 5, 9, 10, 11, 1000])
def test_pages_are_a_partition_in_byte_order(listing: Listing, size: int) -> None:
    for name in reversed(NAMES):
        listing.add(name)
    pages = list(listing.pages(size))
    assert [name for page in pages for name in page] == NAMES
    assert all(len(page) == size for page in pages[:-1])
    assert 0 < len(pages[-1]) <= size


def test_everything_without_a_page_size(listing: Listing) -> None:
    for name in NAMES:
        listing.add(name)
    for parameters in ({}, {"pageToken": ""}, {"pageSize": 1_000_000}, {"pageSize": "99999999999999999999"}):
        assert listing.page(**parameters) == (NAMES, None)


def test_empty_listing(listing: Listing) -> None:
    for parameters in ({}, {"pageSize": 1}, {"pageToken": "", "pageSize": 5}):
        assert listing.page(**parameters) == ([], None)


def test_changes_between_pages_neither_repeat_nor_skip(listing: Listing) -> None:
    for number in range(10, 30):
        listing.add(f"n{number}")

    def change(number: int) -> None:
        if number > 4:
            return
        listing.add(f"m{number}")  # behind what was read
        listing.add(f"o{number}")  # ahead
        listing.drop(f"n{10 + number * 4}")  # read already

    names = [name for page in listing.pages(4, change) for name in page]
    assert len(names) == len(set(names))
    assert [name for name in names if name[0] == "n"] == [f"n{number}" for number in range(10, 30)]
    assert [name for name in names if name[0] == "m"] == []
    assert "o0" in names


def test_token_of_a_dropped_name_goes_on(listing: Listing) -> None:
    for name in ("a", "b", "c"):
        listing.add(name)
    names, token = listing.page(pageSize=2)
    assert names == ["a", "b"]
    listing.drop("b")
    assert listing.page(pageSize=2, pageToken=token) == (["c"], None)
    assert listing.page(pageSize=2, pageToken=token) == (["c"], None)


@pytest.mark.parametrize("size", ["0", "-1", "abc", "", "1.5", "1e3", "+5", "٣", " 5", "0x10", "00"])
def test_malformed_page_size(listing: Listing, size: str) -> None:
    assert_error(listing.get(pageSize=size), 400, "BadRequestException", re.compile("pageSize"))


def forge(text: str | bytes) -> str:
    return base64.urlsafe_b64encode(text if isinstance(text, bytes) else text.encode()).decode().rstrip("=")


TOKENS = [
    "x",
    "!!!",
    "%00",
    "é",
    "a" * 2000,
    "=",
    forge("nonsense"),
    forge(b"\xff\0\xff"),
    forge("a\0b"),
    forge("\0"),
]


@pytest.mark.parametrize("token", TOKENS)
def test_malformed_token(listing: Listing, token: str) -> None:
    answer = listing.get(pageToken=token, pageSize=1)
    assert_error(answer, 400, "BadRequestException", re.compile("pageToken"))


def test_token_with_nul(listing: Listing) -> None:
    listing.add("a")
    listing.add("b")
    _, token = listing.page(pageSize=1)
    decoded = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    answer = listing.get(pageToken=forge(decoded + b"\0x"))
    assert_error(answer, 400, "BadRequestException", re.compile("pageToken"))


def test_token_of_another_listing(listing: Listing, client: Client) -> None:
    other = Listing(client, make_namespace(client), listing.kind)
    for kind in {"tables", "views", "namespaces"} - {listing.kind}:
        sibling = Listing(client, listing.namespace, kind)
        assert_refused(listing, sibling)
    assert_refused(listing, other)


def assert_refused(listing: Listing, other: Listing) -> None:
    for _ in range(2):
        listing.add(unique_name("n"))
    _, token = listing.page(pageSize=1)
    message = "Invalid pageToken: it belongs to another listing"
    assert_error(other.get(pageToken=token), 400, "BadRequestException", message)


def test_top_level_namespaces_in_pages(client: Client) -> None:
    made = {make_namespace(client) for _ in range(5)}
    seen: list[str] = []
    token = None
    while True:
        body = ok(
            client.get("/v1/namespaces", params={"pageSize": 3, **({"pageToken": token} if token else {})})
        )
        seen += [levels[0] for levels in body["namespaces"]]
        token = body["next-page-token"]
        if token is None:
            break
    assert len(seen) == len(set(seen))
    assert made <= set(seen)
    assert seen == sorted(seen, key=str.encode)
