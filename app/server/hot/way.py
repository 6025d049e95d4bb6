"""One worker's hot way: from the head of a request to a reply that still holds, or to what has to be kept of the answer
that Flask will give instead."""

import time
from collections.abc import Hashable, Iterable
from email.utils import formatdate
from typing import Any, Final, NamedTuple

from app.auth.sessions import Session
from app.changes.effects import READS, Reads, Tag
from app.config import Settings
from app.db.snapshots import Snapshots
from app.observability.failpoints import failpoint
from app.observability.forwarding import TrustedProxies
from app.observability.lines import RequestEntry
from app.observability.logs import request_level
from app.observability.metrics import metrics
from app.observability.middleware import observe
from app.observability.request_ids import accept_request_id
from app.server.hot.heads import Head, Heads
from app.server.hot.replies import Replies, Reply
from app.server.hot.services import HotServices
from app.server.hot.validation import Validation

KEPT: Final = frozenset({200, 204, 304, 404})
_NOT_MODIFIED: Final = 304


class Fill(NamedTuple):
    """What an answer of Flask has to be kept under, if it may be; ``since`` is the moment before its first read."""

    key: tuple[Hashable, ...]
    reads: Reads
    since: int
    version: int

    def environ(self) -> dict[str, Any]:
        """What the application is told."""
        return {READS: self.reads, "bingsan.security_version": self.version}


class HotWay:
    """The parts of the hot way, wired for one worker."""

    def __init__(self, settings: Settings, services: HotServices) -> None:
        limits = settings.limits
        self._services = services
        self._proxies = TrustedProxies(settings.server.trusted_proxies)
        self._date = (0, b"")
        self.heads = Heads(
            limits.max_url_length,
            limits.max_header_size,
            settings.cache.max_bytes // 8,
            with_credentials=services.authenticator is not None,
        )
        self.replies = Replies(settings.cache.max_bytes)
        is_blind = not settings.testing.cache_invalidation
        self.validation = Validation(Snapshots(settings), self._evict, is_blind=is_blind)
        metrics.add_sampler(self._sample)

    def find(self, head: Head, version: int | None, peer: str) -> Reply | Fill | None:
        """Return the reply to a request, or what to keep of Flask's; None to leave it to Flask altogether.

        :param version: the ``security_version`` that holds, None when nobody knows
        """
        if version is None:
            return None
        who: Hashable = None
        session = None
        if self._services.authenticator is not None:
            session = self._services.authenticator.remembered(head.digest or b"", version)
            if session is None:
                return None
            who = session.principal.id, session.scopes, session.roles, session.granting
        elif self._services.buckets is not None:
            return None  # counted by address: Flask does it
        key = who, head.asked, self._proxies.trusts(peer)
        reply = self._known(key, head)
        if reply is None:
            metrics.cache_misses.inc()
            return Fill(key, Reads(), self.replies.moment, version)
        return reply if self._admit(session) else None

    def probe(self, head: Head, peer: str) -> Reply | Fill:
        """The reply to a question whether the process answers, which depends on nothing."""
        key = "/health", head.asked, self._proxies.trusts(peer)
        return self.replies.find(key) or Fill(key, Reads(), self.replies.moment, 0)

    def _evict(self, tags: frozenset[Tag] | None) -> None:
        if tags is None:
            self._services.forget()
        self.replies.evict(tags)

    def _admit(self, session: Session | None) -> bool:
        """Count a request that is answered here; what is left to Flask is counted there."""
        buckets = self._services.buckets
        return session is None or buckets is None or not buckets.take(f"principal {session.principal.name}")

    def _known(self, key: tuple[Hashable, ...], head: Head) -> Reply | None:
        asked = head.if_none_match
        if asked is None:
            return self.replies.find(key)
        not_modified = self.replies.find((*key, _NOT_MODIFIED))
        if not_modified is not None and self._names(not_modified, asked):
            return not_modified
        whole = self.replies.find(key)
        return None if whole is None or whole.etag is None or self._names(whole, asked) else whole

    def _names(self, reply: Reply, asked: str) -> bool:
        return reply.etag is not None and self._services.names(reply.etag, asked)

    def keep(
        self, fill: Fill, status: int, head: str, body: bytes, environ: dict[str, Any], etag: str | None
    ) -> None:
        """Keep an answer of Flask if it may be given again.

        :param head: the status line and the headers as they were sent, up to the empty line
        """
        failpoint("reply.keep")
        if status not in KEPT or not fill.reads.is_kept:
            return
        pieces = _cut(head, str(environ["bingsan.request_id"]))
        if pieces is None:
            return
        reply = Reply(
            status,
            pieces,
            body,
            etag=etag,
            route=environ.get("bingsan.route", "unmatched"),
            principal=environ.get("bingsan.principal"),
            warehouse=environ.get("bingsan.warehouse"),
            error=environ.get("bingsan.error"),
        )
        key = (*fill.key, _NOT_MODIFIED) if status == _NOT_MODIFIED else fill.key
        self.replies.keep(key, reply, frozenset(fill.reads.tags), fill.since)

    def head_of(self, reply: Reply, request_id: str) -> bytes:
        return b"".join((reply.before, self._now(), reply.middle, request_id.encode("latin-1"), reply.after))

    def client_address(self, head: Head, peer: str) -> str:
        return self._proxies.client_address(peer, head.forwarded_for)

    def _now(self) -> bytes:
        second = int(time.time())
        if self._date[0] != second:
            self._date = second, formatdate(second, usegmt=True).encode()
        return self._date[1]

    def _sample(self) -> None:
        metrics.cache_bytes.set(self.replies.bytes)
        metrics.cache_entries.set(len(self.replies))


def request_id_of(head: Head) -> str:
    return accept_request_id(head.request_id)


def record(head: Head, reply: Reply, request_id: str, seconds: float, client: str) -> None:
    """Count and log a request that was answered the hot way, as Flask's are."""
    metrics.hot_answers.values[()] += 1
    entry = RequestEntry(
        time.time(),
        "DEBUG" if head.is_probe else request_level(reply.status),
        head.method,
        head.path,
        reply.status,
        seconds,
        request_id,
        reply.route,
        reply.principal,
        reply.warehouse,
        0,
        len(reply.body),
        reply.error,
        client,
    )
    observe(metrics, entry, is_probe=head.is_probe)


def _cut(head: str, request_id: str) -> tuple[bytes, bytes, bytes] | None:
    """The head of an answer in three, without the values of Date and X-Request-ID; None if it is not like that, or if
    the body was sent in chunks."""
    before, date, rest = head.partition("\r\nDate: ")
    old, end, rest = rest.partition("\r\n")
    middle, name, after = rest.partition(f"X-Request-ID: {request_id}\r\n")
    stays = "\r\nConnection: keep-alive\r\n" in head and "\r\nTransfer-Encoding: " not in head
    if not (date and end and name and old and stays):
        return None
    pieces: Iterable[str] = (before + date, f"\r\n{middle}X-Request-ID: ", f"\r\n{after}")
    first, second, third = (piece.encode("latin-1") for piece in pieces)
    return first, second, third
