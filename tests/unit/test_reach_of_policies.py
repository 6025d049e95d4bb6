"""Session policies against keys that are nearly inside, judged by a matcher that shares nothing with what wrote them.

The matcher walks pattern and text letter by letter. It reads a policy as AWS does, and where nothing had to be escaped
also as a store does that knows no escapes.
"""

import json
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

from hypothesis import assume, given
from hypothesis import strategies as st

from app.storage.locations import Location
from app.storage.policy import Access, PolicyTooLong, needs_escapes, session_policy

BUCKET = "lake"
READ = {"s3:GetObject"}
READ_WRITE = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}
nasty = st.sampled_from(
    [*"*?${}%+.tT_-= ", "**", "${*}", "${aws:userid}", "%2F", "%2e", "ü", "u\u0308", "\u017f", "\u0130", "🦆"]
)
letters = st.one_of(nasty, st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/"))
segments = st.lists(letters, min_size=1, max_size=5).map("".join)
paths = st.lists(segments, min_size=1, max_size=3).map("/".join)
accesses: st.SearchStrategy[Access] = st.sampled_from(["read", "read-write"])


def units(pattern: str, *, escapes: bool) -> list[str]:
    """A pattern letter by letter: ``*`` and ``?`` for the wildcards, ``\\x`` for a letter that is none."""
    found, at = [], 0
    while at < len(pattern):
        piece = pattern[at : at + 4]
        if escapes and piece in {"${*}", "${?}", "${$}"}:
            found.append("\\" + piece[2])
            at += 4
            continue
        assert not (escapes and piece.startswith("${")), f"a variable in {pattern!r}"
        found.append(pattern[at] if pattern[at] in "*?" else "\\" + pattern[at])
        at += 1
    return found


def fits(pattern: str, text: str, *, escapes: bool) -> bool:
    wanted = units(pattern, escapes=escapes)

    @cache
    def rest(of_pattern: int, of_text: int) -> bool:
        if of_pattern == len(wanted):
            return of_text == len(text)
        unit = wanted[of_pattern]
        if unit == "*":
            return any(rest(of_pattern + 1, to) for to in range(of_text, len(text) + 1))
        return (
            of_text < len(text) and unit in {"?", "\\" + text[of_text]} and rest(of_pattern + 1, of_text + 1)
        )

    return rest(0, 0)


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs), pairs
    return dict(pairs)


@cache
def statements(policy: str) -> list[dict[str, Any]]:
    """Anything that this does not know is a failure, not a guess."""
    document = json.loads(policy, object_pairs_hook=without_repeats)
    assert set(document) == {"Version", "Statement"}
    assert all(" " <= letter <= "\u00ff" for letter in policy)
    assert len(policy) <= 2048
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        assert set(statement) <= {"Effect", "Action", "Resource", "Condition"}
        assert not any(wild in name for name in many(statement["Action"]) for wild in "*?")
        condition = statement.get("Condition", {"StringLike": {"s3:prefix": ""}})
        assert list(condition) == ["StringLike"]
        assert list(condition["StringLike"]) == ["s3:prefix"]
    return list(document["Statement"])


def allowed(policy: str, arn: str, prefix: str | None = None, *, escapes: bool = True) -> set[str]:
    """The actions that are allowed on a resource."""
    found: set[str] = set()
    for statement in statements(policy):
        fitting = any(fits(one, arn, escapes=escapes) for one in many(statement["Resource"]))
        if fitting and "Condition" in statement:
            patterns = many(statement["Condition"]["StringLike"]["s3:prefix"])
            fitting = prefix is not None and any(fits(one, prefix, escapes=escapes) for one in patterns)
        if fitting:
            found |= set(many(statement["Action"]))
    return found


def actions_at(policy: str, key: str, *, bucket: str = BUCKET, escapes: bool = True) -> set[str]:
    return allowed(policy, f"arn:aws:s3:::{bucket}/{key}", escapes=escapes)


def listed(policy: str, prefix: str | None, bucket: str = BUCKET) -> bool:
    found = allowed(policy, f"arn:aws:s3:::{bucket}", prefix)
    assert found <= {"s3:ListBucket"}
    return bool(found)


def policy_of(path: str, access: Access) -> str:
    try:
        return session_policy(Location("s3", BUCKET, path), access)
    except PolicyTooLong:
        assume(False)
        raise


Change = Callable[[str], str]
CHANGES: list[Change] = [
    str.upper,
    str.lower,
    str.swapcase,
    str.casefold,
    lambda path: unicodedata.normalize("NFC", path),
    lambda path: unicodedata.normalize("NFD", path),
    lambda path: unicodedata.normalize("NFKC", path),
    quote,
    unquote,
    lambda path: path.replace("*", "x"),
    lambda path: path.replace("*", ""),
    lambda path: path.replace("*", "a/b"),
    lambda path: path.replace("?", "x"),
    lambda path: path.replace("$", ""),
    lambda path: path.replace("${*}", "anything"),
    lambda path: path.replace("${aws:userid}", "AIDA"),
    lambda path: path.replace("/", "//"),
    lambda path: path.replace("/", "\\"),
    lambda path: path.replace(" ", "+"),
    lambda path: path.replace("+", " "),
    lambda path: f"/{path}",
    lambda path: f"./{path}",
    lambda path: f"x/{path}",
    lambda path: f"{path}2",
    lambda path: f"{path}.",
    lambda path: f"{path} ",
    lambda path: f"{path}\u0308",
    lambda path: path[:-1],
    lambda path: path[1:],
    lambda path: path.rpartition("/")[0],
    lambda path: path.partition("/")[0],
]


def near(path: str, place: int, letter: str) -> Iterator[str]:
    """Paths that differ from one by little."""
    at = place % len(path)
    yield from (
        path[:at] + path[at + 1 :],
        path[:at] + letter + path[at + 1 :],
        path[:at] + letter + path[at:],
    )
    yield from (change(path) for change in CHANGES)


@given(paths, accesses, st.integers(0, 99), letters, segments)
def test_nothing_near_is_reached(path: str, access: Access, place: int, letter: str, name: str) -> None:
    policy = policy_of(path, access)
    for other in near(path, place, letter):
        for key in (other, f"{other}/{name}", f"{other}{name}"):
            inside = key.startswith(f"{path}/")
            expected = (READ if access == "read" else READ_WRITE) if inside else set()
            assert actions_at(policy, key) == expected, (path, key)
            assert listed(policy, key) == inside, (path, key)


@given(paths, accesses, st.integers(0, 99), letters, segments)
def test_a_store_without_escapes_reads_the_same(
    path: str, access: Access, place: int, letter: str, name: str
) -> None:
    """Where the path needs none."""
    assume(not needs_escapes(Location("s3", BUCKET, path)))
    policy = policy_of(path, access)
    for other in near(path, place, letter):
        for key in (path, f"{path}/{name}", other, f"{other}/{name}"):
            assert actions_at(policy, key, escapes=False) == actions_at(policy, key)


@given(paths, accesses)
def test_the_place_itself_and_its_surroundings(path: str, access: Access) -> None:
    policy = policy_of(path, access)
    outside = [path, path.rpartition("/")[0], "", "/", f"/{path}/x"]
    assert not any(actions_at(policy, key) for key in outside)
    assert not any(listed(policy, prefix) for prefix in (None, *outside))
    assert listed(policy, f"{path}/")


@given(paths, accesses, segments)
def test_no_other_bucket(path: str, access: Access, name: str) -> None:
    policy = policy_of(path, access)
    for other in (f"{BUCKET}2", BUCKET[:-1], BUCKET.upper(), f"x{BUCKET}", "*", "?ake", ""):
        assert not actions_at(policy, f"{path}/{name}", bucket=other)
        assert not listed(policy, f"{path}/", other)
    assert not any(allowed(policy, arn, f"{path}/") for arn in ("*", "", "arn:aws:s3:::", "arn:aws:s3:::*"))
