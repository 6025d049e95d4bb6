"""Rights go down, never up or sideways, and through roles of roles: random grants on a tree of similar names.

What is expected is said here once more, in the fewest words; the service has it in SQL.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.contract.calls import ok
from tests.contract.permissions.asked import Sent
from tests.contract.permissions.places import Place
from tests.contract.permissions.table import Rights
from tests.contract.permissions.world import ROOT, World, creation

Path = tuple[str, ...]
NAMESPACES: list[Path] = [
    ("a",),
    ("a", "b"),
    ("a", "b", "c"),
    ("a", "bc"),
    ("ab",),
    ("ab", "c"),
    ("A",),
    ("a.b",),
    ("a%",),
    ("a_",),
    ("a*",),
    ("a*", "b"),
    ("ä",),
]
ROLES = ("r0", "r1", "r2", "r3")
PRIVILEGES = ("list", "read-metadata", "write-data", "create", "vend", "administer")
READING = {"read-metadata", "administer"}
ROUNDS = 25


class Given(NamedTuple):
    """A privilege on a place, to the principal or to a role; ``kind`` is namespace, table or view."""

    to: str
    privilege: str
    kind: str
    path: Path


class Trial(NamedTuple):
    grants: list[Given]
    members: list[tuple[str, str]]

    def mine(self) -> set[str]:
        """Who I am: myself, and every role that I come to."""
        found, before = {"me"}, set[str]()
        while found != before:
            before = set(found)
            found |= {role for role, member in self.members if member in before}
        return found

    def held(self, kind: str, path: Path) -> set[str]:
        """What I may do with a thing: what was given on it, or on a namespace around it."""
        around = {("namespace", path[:depth]) for depth in range(1, len(path) + (kind == "namespace"))}
        places = {(kind, path)} | around
        mine = self.mine()
        return {each.privilege for each in self.grants if each.to in mine and each[2:] in places}

    def sees(self, kind: str, path: Path) -> bool:
        below = kind == "namespace" and any(
            each.path[: len(path)] == path and each.path != path and each.to in self.mine()
            for each in self.grants
        )
        return bool(self.held(kind, path)) or below


def things() -> Iterator[tuple[str, Path]]:
    for path in NAMESPACES:
        yield "namespace", path
        yield "table", (*path, "t")
        yield "view", (*path, "v")


THINGS = list(things())


def trial(seed: int) -> Trial:
    chance = random.Random(seed)
    everybody = ["me", *ROLES]
    grants = {
        Given(chance.choice(everybody), chance.choice(PRIVILEGES), *chance.choice(THINGS))
        for _ in range(chance.randint(1, 6))
    }
    # Roles may well be members of each other in a circle: that is refused, but must do no harm.
    members = {(chance.choice(ROLES), chance.choice(everybody)) for _ in range(chance.randint(0, 6))}
    return Trial(sorted(grants), sorted(pair for pair in members if pair[0] != pair[1]))


@pytest.fixture(scope="module")
def tree(world: World) -> Iterator[World]:
    for path in NAMESPACES:
        ok(world.ask(ROOT, creation("namespace", Place("default", list(path)))))
        for kind in ("table", "view"):
            ok(world.ask(ROOT, creation(kind, Place("default", [*path, kind[0]]))))
    yield world
    world.restore()


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_random_grants(tree: World, seed: int) -> None:
    made = trial(seed)
    name = f"random-{seed}"
    tree.enter(name, Rights())
    roles = {role: tree.seed.role(f"{role}-{seed}") for role in ROLES}
    mine = tree.number(name)
    for role, member in made.members:
        who = {"principal": mine} if member == "me" else {"role": roles[member]}
        tree.seed.join(f"{role}-{seed}", **who)
    for given in made.grants:
        who = {"principal": mine} if given.to == "me" else {"role": roles[given.to]}
        tree.seed.grant_at(given.privilege, given.kind, Place("default", list(given.path)), **who)
    faults = []
    for kind, path in THINGS:
        place = Place("default", list(path))
        target = place.namespace if kind == "namespace" else place.object(kind)
        held, seen = made.held(kind, path), made.sees(kind, path)
        expected = (204 if seen else 404, 200 if held & READING else 403 if seen else 404)
        found = tuple(tree.ask(name, Sent(method, target)).status_code for method in ("HEAD", "GET"))
        faults += [] if found == expected else [(kind, path, found, expected)]
    assert faults == [], made


def test_trials_see_something_and_not_everything() -> None:
    seen = [made.sees(*thing) for made in map(trial, range(ROUNDS)) for thing in THINGS]
    assert 0.1 < sum(seen) / len(seen) < 0.9
