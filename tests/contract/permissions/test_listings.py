"""Lists show exactly what may be seen, however they are cut into pages, and nothing of the rest."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.calls import ok
from tests.contract.permissions.asked import Sent, request_of
from tests.contract.permissions.places import Place
from tests.contract.permissions.table import Rights
from tests.contract.permissions.world import ROOT, World, creation

INSIDE = "li me re wr wo cr dr pm gm ve vw ne"
ABOVE = "wa wc wd sa sr kr kw km"
# Written by hand: who finds which names in a list.
LISTS: dict[tuple[str, str], dict[str, str]] = {
    ("listNamespaces", "top"): {
        f"{INSIDE} t1 v1 ch ot": "home",
        "os": "side",
        f"{ABOVE} mv": "home side",
    },
    ("listNamespaces", "home"): {
        f"{INSIDE} mv {ABOVE}": "child doomed empty",
        "ch": "child",
        "t1 v1 ot": "",
    },
    ("listNamespaces", "side"): {f"os mv {ABOVE}": "empty"},
    ("listTables", "home"): {f"{INSIDE} mv {ABOVE}": "t u", "t1 ot": "t", "v1 ch": ""},
    ("listTables", "home.child"): {f"{INSIDE} ch mv {ABOVE}": "t"},
    ("listViews", "home"): {f"{INSIDE} mv {ABOVE}": "v", "v1": "v", "t1 ot ch": ""},
    ("listViews", "side"): {f"os mv {ABOVE}": "v"},
    ("listFunctions", "home"): {f"{INSIDE} mv {ABOVE}": "f", "t1 ot v1 ch": ""},
    ("listWarehouses", "-"): {
        "no": "",
        f"{INSIDE} t1 v1 ch ot os mv wa wc wd": "default",
        "ow": "other",
        "sa sr kr kw km": "default other spare",
    },
}
CASES = [
    (operation, target, principal, names.split())
    for (operation, target), found in LISTS.items()
    for principals, names in found.items()
    for principal in principals.split()
]


@pytest.mark.parametrize(("operation", "target", "principal", "expected"), CASES)
@pytest.mark.parametrize("size", [None, 1, 2])
def test_list(
    world: World, operation: str, target: str, principal: str, expected: list[str], size: int | None
) -> None:
    sent = request_of(operation, target, world.facts)
    pages = list(read(world, principal, sent, size))
    assert [name for page in pages for name in page] == expected
    if size is not None:
        assert all(len(page) == size for page in pages[:-1])
        assert len(pages) == max(1, -(-len(expected) // size)), pages


def read(world: World, principal: str, sent: Sent, size: int | None) -> Iterator[list[str]]:
    """Read a list page by page."""
    token = ""
    while token is not None:
        extra = {"pageSize": size, "pageToken": token} if size else {}
        joined = "&".join(f"{name}={value}" for name, value in extra.items())
        path = f"{sent.path}{'&' if '?' in sent.path else '?'}{joined}" if extra else sent.path
        body = ok(world.ask(principal, sent._replace(path=path)))
        yield names_of(body)
        token = body["next-page-token"]
        assert size or token is None


def names_of(body: dict[str, Any]) -> list[str]:
    if "identifiers" in body:
        found = body["identifiers"]
        return [item["name"] if isinstance(item, dict) else item[-1] for item in found]
    if "warehouses" in body:
        return [item["name"] for item in body["warehouses"]]
    return [levels[-1] for levels in body["namespaces"]]


class Crowd:
    """A namespace of 30 tables, 30 views and 30 child namespaces; ``seen`` are those that ``spotty`` may see."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.names = [f"secret{number:02}" for number in range(30)]
        self.seen = [name for number, name in enumerate(self.names) if number in {3, 4, 9, 17, 18, 28}]
        world.enter("spotty", Rights())
        ok(world.ask(ROOT, creation("namespace", Place.of("crowd"))))
        for kind in ("table", "view", "namespace"):
            for name in self.names:
                ok(world.ask(ROOT, creation(kind, Place.of(f"crowd.{kind[0]}{name}"))))
            for name in self.seen:
                world.allow("spotty", "list", f"{kind}:crowd.{kind[0]}{name}")


@pytest.fixture(scope="module")
def crowd(world: World) -> Iterator[Crowd]:
    yield Crowd(world)
    world.restore()


LISTED = {"table": "listTables", "view": "listViews", "namespace": "listNamespaces"}


@pytest.mark.parametrize("kind", LISTED)
@pytest.mark.parametrize("size", [*range(1, 9), 29, 30, 31, None])
def test_few_of_many(crowd: Crowd, kind: str, size: int | None) -> None:
    """Pages are full, the last one ends the list, and a page boundary says nothing of what lies behind it."""
    sent = request_of(LISTED[kind], "crowd", crowd.world.facts)
    pages = list(read(crowd.world, "spotty", sent, size))
    expected = [kind[0] + name for name in crowd.seen]
    assert pages == [expected[at : at + (size or 99)] for at in range(0, len(expected), size or 99)]


@pytest.mark.parametrize("kind", LISTED)
def test_tokens_name_nothing_unseen(crowd: Crowd, kind: str) -> None:
    path = request_of(LISTED[kind], "crowd", crowd.world.facts).path
    token: str | None = ""
    while token is not None:
        extra = f"{'&' if '?' in path else '?'}pageSize=1&pageToken={token}"
        token = ok(crowd.world.ask("spotty", Sent("GET", path + extra)))["next-page-token"]
        text = base64.urlsafe_b64decode((token or "") + "==").decode("latin-1")
        assert [name for name in crowd.names if name in text and name not in crowd.seen] == []


@pytest.mark.parametrize("kind", LISTED)
def test_a_token_is_no_right(crowd: Crowd, kind: str) -> None:
    """The page token of one who sees all shows somebody else only what he may see."""
    path = request_of(LISTED[kind], "crowd", crowd.world.facts).path
    page = f"{path}{'&' if '?' in path else '?'}pageSize=5"
    token = ok(crowd.world.ask(ROOT, Sent("GET", page)))["next-page-token"]
    rest = ok(crowd.world.ask("spotty", Sent("GET", f"{page}&pageToken={token}")))
    assert names_of(rest) == [kind[0] + name for name in crowd.seen[2:]]
