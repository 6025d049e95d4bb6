"""Locations: equal spellings, containment on path boundaries, and everything that must be refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadRequestException, IllegalArgumentException
from app.storage.locations import AllowedLocations, ancestors, is_within, key, normalise, spellings


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/x/y", "file:///x/y"),
        ("/x/y/", "file:///x/y"),
        ("file:/x/y", "file:///x/y"),
        ("file:///x/y", "file:///x/y"),
        ("file:///x/y///", "file:///x/y"),
        ("file://localhost/x/y", "file:///x/y"),
        ("FILE:///x/y", "file:///x/y"),
        ("/", "file://"),
        ("file:///", "file://"),
        ("s3://bucket/a/b", "s3://bucket/a/b"),
        ("s3a://bucket/a/b/", "s3://bucket/a/b"),
        ("s3n://bucket/a/b", "s3://bucket/a/b"),
        ("S3://bucket/a", "s3://bucket/a"),
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("s3://bucket/a b/ü/*.x/..y/...", "s3://bucket/a b/ü/*.x/..y/..."),
        ("s3://bucket/p=a%2Fb/%25", "s3://bucket/p=a%2Fb/%25"),
        ("file:///x/a%20b", "file:///x/a%20b"),
        ("s3://bucket/a:b/", "s3://bucket/a:b"),
    ],
)
def test_equal_spellings_have_one_key(location: str, expected: str) -> None:
    assert key(location) == expected


def test_a_percent_sign_is_literal() -> None:
    assert key("s3://bucket/a%20b") != key("s3://bucket/a b")


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("", "must not be empty"),
        ("warehouse/x", "expected an absolute path"),
        ("./x", "expected an absolute path"),
        ("gs://bucket/x", "expected an absolute path or a URI"),
        ("http://169.254.169.254/latest", "expected an absolute path or a URI"),
        ("file:x", "absolute path"),
        ("file:", "absolute path"),
        ("file://host/x", "must not name a host"),
        ("file://x", "must not name a host"),
        ("//host/x", "empty path segments"),
        ("file:////x", "empty path segments"),
        ("file:///a//b", "empty path segments"),
        ("s3://bucket//a", "empty path segments"),
        ("s3://bucket/a//b", "empty path segments"),
        ("s3://bucket/a/../b", "'..' segments"),
        ("s3://bucket/a/./b", "'.' and"),
        ("s3://bucket/..", "'..' segments"),
        ("/a/..", "'..' segments"),
        ("/a/../", "'..' segments"),
        ("/a/%2e%2e/b", "percent-encoded"),
        ("/a/.%2E/b", "percent-encoded"),
        ("/a/%2e/b", "percent-encoded"),
        ("/a/..%2fetc", "percent-encoded"),
        ("/a/\0b", "control characters"),
        ("/a/b\n", "control characters"),
        ("/a\x7f", "control characters"),
        ("/a\x85", "control characters"),
        ("/a\ud800", "not valid Unicode"),
        ("s3://bucket/a?versionId=1", "'?' and '#'"),
        ("s3://bucket/a#b", "'?' and '#'"),
        ("file:///a#b", "'?' and '#'"),
        ("s3:", "bucket is missing"),
        ("s3:/bucket/a", "bucket is missing"),
        ("s3:///a", "bucket is missing"),
        ("s3://..", "no bucket name"),
        ("s3://ab/x", "no bucket name"),
        ("s3://user:secret@bucket/x", "no bucket name"),
        ("s3://bucket:9000/x", "no bucket name"),
        ("s3://bucket\\x/x", "no bucket name"),
        ("s3://bucket/" + "a" * 1025, "longer than 1024 bytes"),
        ("/" + "ü" * 2048, "longer than 4095 bytes"),
    ],
)
def test_a_location_without_one_meaning_is_refused(location: str, reason: str) -> None:
    with pytest.raises(BadRequestException) as caught:
        normalise(location)
    assert reason in caught.value.message
    assert caught.value.message.startswith("Invalid location")


def test_a_very_long_location_is_not_repeated_in_full() -> None:
    with pytest.raises(BadRequestException) as caught:
        normalise("x" * 100_000)
    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    ("location", "prefix", "expected"),
    [
        ("s3://bucket/a", "s3://bucket/a", True),
        ("s3://bucket/a/b", "s3a://bucket/a/", True),
        ("s3://bucket/ab", "s3://bucket/a", False),
        ("s3://bucket/a", "s3://bucket/a/b", False),
        ("s3://bucket2/a", "s3://bucket", False),
        ("s3://bucket/a", "s3://bucket", True),
        ("s3://Bucket/a", "s3://bucket", False),
        ("file:/x/y", "/x", True),
        ("/xy", "file:///x", False),
        ("/x", "/", True),
        ("/s3", "s3://bucket", False),
        ("s3://bucket/a", "/", False),
    ],
)
def test_containment_is_on_path_boundaries(location: str, prefix: str, expected: bool) -> None:
    assert is_within(location, prefix) is expected


def test_ancestors_are_outermost_first_without_the_location_itself() -> None:
    assert ancestors("s3a://bucket/a/b/") == ["s3://bucket", "s3://bucket/a"]
    assert ancestors("file:/x/y") == ["file://", "file:///x"]
    assert ancestors("s3://bucket") == []
    assert ancestors("/") == []


@pytest.mark.parametrize("location", ["file:/x/y", "s3n://bucket/a/b/"])
def test_all_spellings_have_the_same_key(location: str) -> None:
    others = spellings(location)
    assert len(set(others)) == len(others) >= 3
    assert location.rstrip("/") in others
    assert {key(other) for other in others} == {key(location)}


def test_allowed_locations_admit_every_spelling_inside_and_name_the_setting_otherwise() -> None:
    allowed = AllowedLocations(["file:///srv/warehouse/", "s3://bucket/wh"])
    for inside in ("/srv/warehouse", "file:/srv/warehouse/t", "s3n://bucket/wh/ns/t", "s3://bucket/wh"):
        assert allowed.check(inside).key == key(inside)
        assert allowed.allows(inside)
    for outside in ("/srv/warehouse2", "/srv", "s3://bucket/wh2/t", "s3://other/wh/t"):
        with pytest.raises(IllegalArgumentException, match=r"storage\.allowed_locations"):
            allowed.check(outside)
        assert not allowed.allows(outside)
    for malformed in ("/srv/warehouse/../x", "gs://bucket/wh/t", "s3://bucket/wh/%2e%2e/x"):
        with pytest.raises(BadRequestException):
            allowed.check(malformed)
        assert not allowed.allows(malformed)


def test_nothing_is_allowed_without_a_prefix() -> None:
    assert not AllowedLocations([]).allows("/x")


def test_a_location_too_long_for_an_index_is_refused() -> None:
    with pytest.raises(BadRequestException, match="longer than 2048 bytes"):
        AllowedLocations(["/"]).check("/" + "/".join(["a" * 200] * 11))


SEGMENTS = st.lists(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="/?#%"),
        min_size=1,
        max_size=12,
    ).filter(lambda text: text not in {".", ".."}),
    min_size=1,
    max_size=6,
)


@given(SEGMENTS)
def test_every_ancestor_contains_the_location_and_the_key_is_stable(segments: list[str]) -> None:
    location = "s3a://bucket/" + "/".join(segments) + "/"
    canonical = key(location)
    assert key(canonical) == canonical
    outer = ancestors(location)
    assert len(outer) == len(segments)
    assert all(is_within(location, prefix) and not is_within(prefix, location) for prefix in outer)
    assert not is_within(canonical + "x", canonical)
