"""Answers that hold until something that they depend on changes, byte for byte as Flask gave them."""

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable
from typing import Final

from app.changes.effects import Tag
from app.observability.metrics import metrics

OVERHEAD: Final = 1_000
"""Bytes that a reply takes beside its head and body: keys, tags, indexes."""
_REMEMBERED: Final = 1_000
"""Evictions that are known to those who began to read before them."""


class Reply:
    """One answer in the pieces between which the date and the request id stand, and what is told of it in log and
    metrics. ``etag`` is that of its body, or of the body that a 304 stands for."""

    __slots__ = (
        "after",
        "before",
        "body",
        "error",
        "etag",
        "middle",
        "principal",
        "route",
        "size",
        "status",
        "warehouse",
    )

    def __init__(
        self,
        status: int,
        head: tuple[bytes, bytes, bytes],
        body: bytes,
        *,
        etag: str | None,
        route: str,
        principal: str | None,
        warehouse: str | None,
        error: str | None,
    ) -> None:
        self.status = status
        self.before, self.middle, self.after = head
        self.body = body
        self.etag = etag
        self.route = route
        self.principal = principal
        self.warehouse = warehouse
        self.error = error
        self.size = len(body) + sum(map(len, head)) + OVERHEAD


def cut(head: str, request_id: str) -> tuple[bytes, bytes, bytes] | None:
    """Return the head of an answer in three, without the values of Date and X-Request-ID; None if it is not like that,
    or if the body was sent in chunks."""
    before, date, rest = head.partition("\r\nDate: ")
    old, end, rest = rest.partition("\r\n")
    middle, name, after = rest.partition(f"X-Request-ID: {request_id}\r\n")
    stays = "\r\nConnection: keep-alive\r\n" in head and "\r\nTransfer-Encoding: " not in head
    if not (date and end and name and old and stays):
        return None
    pieces: Iterable[str] = (before + date, f"\r\n{middle}X-Request-ID: ", f"\r\n{after}")
    first, second, third = (piece.encode("latin-1") for piece in pieces)
    return first, second, third


class Replies:
    """At most ``limit`` bytes of replies of one worker; the least recently used give way.

    ``moment`` grows with every eviction: who wants to keep a reply says what it was before the first read for it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, tuple[Reply, frozenset[Tag]]] = OrderedDict()
        self._by_tag: dict[Tag, set[Hashable]] = {}
        self._evicted: deque[tuple[int, frozenset[Tag] | None]] = deque(maxlen=_REMEMBERED)
        self.moment = 0
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: Hashable) -> Reply | None:
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def keep(self, key: Hashable, reply: Reply, tags: frozenset[Tag], since: int) -> bool:
        """Keep a reply; False when it is too large, or may be out of date by now.

        :param since: ``moment`` before the first read for it
        """
        if reply.size > self._limit // 4 or self._is_touched(tags, since):
            return False
        self._forget(key)
        self._kept[key] = reply, tags
        self.bytes += reply.size
        for tag in tags:
            self._by_tag.setdefault(tag, set()).add(key)
        while self.bytes > self._limit:
            self._forget(next(iter(self._kept)))
        return True

    def evict(self, tags: frozenset[Tag] | None) -> None:
        """Forget what depends on any of ``tags``; all there is for None."""
        self.moment += 1
        self._evicted.append((self.moment, tags))
        if tags is None:
            metrics.cache_evictions.inc(by=len(self._kept))
            self._kept.clear()
            self._by_tag.clear()
            self.bytes = 0
            return
        keys = {key for tag in tags for key in self._by_tag.get(tag, ())}
        metrics.cache_evictions.inc(by=len(keys))
        for key in keys:
            self._forget(key)

    def _is_touched(self, tags: frozenset[Tag], since: int) -> bool:
        if since == self.moment:
            return False
        if self.moment - since > len(self._evicted):
            return True
        newer = (evicted for moment, evicted in self._evicted if moment > since)
        return any(evicted is None or not tags.isdisjoint(evicted) for evicted in newer)

    def _forget(self, key: Hashable) -> None:
        found = self._kept.pop(key, None)
        if found is None:
            return
        reply, tags = found
        self.bytes -= reply.size
        for tag in tags:
            keys = self._by_tag[tag]
            keys.discard(key)
            if not keys:
                del self._by_tag[tag]
