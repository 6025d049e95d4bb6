"""Containment of locations, judged segment by segment, with neighbours that are nearly inside."""

import posixpath
from collections.abc import Iterator
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadRequestException
from app.storage.locations import AllowedLocations, is_within, normalise, spellings

nasty = st.sampled_from(
    [*"*%+.tT_-=$&;,:@!'()~ ", "..", "...", "%2F", "%2e", "%2E%2e", "%5c", "\\", "ü", "u\u0308", "🦆"]
)
letters = st.one_of(nasty, st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/?#"))
segments = st.lists(letters, min_size=1, max_size=5).map("".join)
roots = st.sampled_from(["s3://bucket", "s3a://bucket", "file://", "file:", "", "file://localhost"])
families = {"s3://bucket": "s3", "s3a://bucket": "s3"}


def taken(location: str) -> bool:
    try:
        normalise(location)
    except BadRequestException:
        return False
    return True


def joined(root: str, parts: list[str]) -> str:
    return "/".join([root, *parts])


def is_dotted(part: str) -> bool:
    """Whether any reader could take a segment for a step to itself or upwards."""
    readings = {part, unquote(part)}
    return any(step in {".", ".."} for reading in readings for step in reading.split("/")[:1])


lists = st.lists(segments, min_size=1, max_size=4)


@given(roots, roots, lists, lists)
def test_inside_is_a_matter_of_segments(root: str, other: str, outer: list[str], inner: list[str]) -> None:
    """Whatever the texts: one place is in another when its segments begin with the other's."""
    prefix, location = joined(root, outer), joined(other, inner)
    if taken(prefix) and taken(location):
        same_store = families.get(root) == families.get(other)
        assert is_within(location, prefix) == (same_store and inner[: len(outer)] == outer)


@given(roots, lists, lists)
def test_below_is_inside(root: str, outer: list[str], inner: list[str]) -> None:
    prefix, location = joined(root, outer), joined(root, [*outer, *inner])
    if taken(prefix) and taken(location):
        assert is_within(location, prefix)
        assert not is_within(prefix, location)
        assert all(is_within(one, another) for one in spellings(location) for another in spellings(prefix))


def neighbours(location: str) -> Iterator[str]:
    """Texts that begin like a location, or are like it, and name another place."""
    yield from (
        f"{location}{end}" for end in ("2", ".", " ", "-old", "%2Fx", "%00", "\u0308", "\\x", "*", "$")
    )
    yield from (location[:-1], f"{location.rpartition('/')[0]}/x", location.replace("bucket", "bucket2"))
    yield from (quote(location, safe="/:"), location.swapcase())


@given(roots, lists)
def test_neighbours_are_outside(root: str, parts: list[str]) -> None:
    prefix = joined(root, parts)
    if not taken(prefix):
        return
    place = normalise(prefix)
    for other in neighbours(prefix):
        if taken(other):
            found = normalise(other)
            expected = found[:2] == place[:2] and found.path.split("/")[: len(parts)] == place.path.split("/")
            assert is_within(other, prefix) == expected, (other, prefix)


@given(roots, lists, st.sampled_from([".", "..", "%2e", "%2E%2e", ".%2e", "..%2f..", "%2e%2e%2Fx"]), lists)
def test_no_step_upwards(root: str, before: list[str], step: str, after: list[str]) -> None:
    """However it is written, as every store and file system would take it."""
    location = joined(root, [*before, step, *after])
    assert not taken(location)
    assert not AllowedLocations([f"{root}/"]).allows(location)


@given(st.sampled_from(["", "file://"]), lists)
def test_the_kernel_agrees(root: str, parts: list[str]) -> None:
    """What is taken is, as a path, what the operating system makes of it: nothing is left to resolve."""
    location = joined(root, parts)
    if taken(location):
        path = "/" + normalise(location).path
        assert posixpath.normpath(path) == path


@given(lists)
def test_what_is_taken_has_no_steps(parts: list[str]) -> None:
    if taken(joined("s3://bucket", parts)):
        assert not any(is_dotted(part) for part in parts)


@pytest.mark.parametrize("part", ["%252e%252e", "%252e", "%25252e"])
def test_encoded_twice_is_a_name(part: str) -> None:
    """Nobody decodes twice: a store that is asked for this gets these very letters."""
    assert normalise(f"s3://bucket/a/{part}/b").path == f"a/{part}/b"
