"""What is remembered of answers, and for how long."""

import pytest

from app.server.hot.replies import OVERHEAD, Replies, Reply

A, B = ("tabular", 1), ("tabular", 2)


def reply(body: bytes = b"") -> Reply:
    return Reply(
        200, (b"", b"", b""), body, etag=None, route="/v1", principal=None, warehouse=None, error=None
    )


def keep(replies: Replies, key: str, *tags: tuple[object, ...], size: int = 0) -> bool:
    return replies.keep(key, reply(b"x" * size), frozenset(tags), replies.moment)


def found(replies: Replies, *keys: str) -> list[str]:
    return [key for key in keys if replies.find(key) is not None]


def test_what_is_touched_is_forgotten() -> None:
    replies = Replies(1 << 20)
    assert keep(replies, "a", A)
    assert keep(replies, "b", B)
    assert keep(replies, "both", A, B)
    assert keep(replies, "none")
    replies.evict(frozenset([A]))
    assert found(replies, "a", "b", "both", "none") == ["b", "none"]
    replies.evict(None)
    assert found(replies, "a", "b", "both", "none") == []
    assert (len(replies), replies.bytes) == (0, 0)


def test_the_least_recently_used_gives_way() -> None:
    replies = Replies(10 * OVERHEAD)
    for key in "abcd":
        assert keep(replies, key, A, size=OVERHEAD)
    assert replies.find("a")
    assert keep(replies, "e", A, size=OVERHEAD)
    assert keep(replies, "f", A, size=OVERHEAD)
    assert found(replies, *"abcdef") == ["a", "c", "d", "e", "f"]
    assert replies.bytes == 10 * OVERHEAD


def test_nothing_takes_all_the_room() -> None:
    replies = Replies(40 * OVERHEAD)
    assert keep(replies, "a", A, size=9 * OVERHEAD)
    assert not keep(replies, "b", A, size=9 * OVERHEAD + 1)
    assert found(replies, "a", "b") == ["a"]


def test_a_newer_reply_takes_the_place_of_the_older() -> None:
    replies = Replies(1 << 20)
    keep(replies, "a", A, size=100)
    keep(replies, "a", B, size=10)
    assert replies.bytes == OVERHEAD + 10
    replies.evict(frozenset([A]))
    assert found(replies, "a") == ["a"]


@pytest.mark.parametrize("touched", [frozenset([A]), frozenset([A, B]), None])
def test_what_was_touched_while_it_was_read_is_not_kept(touched: frozenset | None) -> None:
    replies = Replies(1 << 20)
    before = replies.moment
    replies.evict(frozenset([B]))
    replies.evict(touched)
    replies.evict(frozenset([B]))
    assert not replies.keep("a", reply(), frozenset([A]), before)
    assert replies.keep("a", reply(), frozenset([A]), replies.moment)


def test_changes_elsewhere_do_not_keep_it_from_being_remembered() -> None:
    replies = Replies(1 << 20)
    before = replies.moment
    for _ in range(500):
        replies.evict(frozenset([B]))
    assert replies.keep("a", reply(), frozenset([A]), before)


def test_a_read_that_took_longer_than_evictions_are_known_is_not_kept() -> None:
    replies = Replies(1 << 20)
    before = replies.moment
    for _ in range(1001):
        replies.evict(frozenset([B]))
    assert not replies.keep("a", reply(), frozenset([A]), before)
