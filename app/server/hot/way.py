"""One worker's hot way: from the head of a request to a reply that still holds, or to what has to be kept of the answer
that Flask will give instead."""

import time
from collections.abc import Hashable
from email.utils import formatdate
from typing import Any, Final, NamedTuple

from app.changes.effects import READS, Reads, Tag
from app.config import Settings
from app.db.snapshots import Snapshots
from app.observability.failpoints import failpoint
from app.observability.forwarding import TrustedProxies
from app.observability.lines import RequestEntry
from app.observability.logs import request_level
from app.observability.metrics import metrics
from app.observability.middleware import observe
from app.server.hot.creations import Creations
from app.server.hot.heads import Head, Heads
from app.server.hot.replies import Replies, Reply, cut
from app.server.hot.services import HotServices
from app.server.hot.validation import Validation

KEPT: Final = frozenset({200, 204, 304, 404})
_NOT_MODIFIED: Final = 304


class Fill(NamedTuple):
    """What an answer of Flask has to be kept under, if it may be; ``since`` is the moment before its first read."""

    way: "HotWay"
    key: tuple[Hashable, ...]
    reads: Reads
    since: int
    version: int

    def environ(self) -> dict[str, Any]:
        """What the application is told."""
        return {READS: self.reads, "bingsan.security_version": self.version}

    def keep(self, status: int, head: str, body: bytes, environ: dict[str, Any], etag: str | None) -> None:
        """Keep the answer if it may be given again.

        :param head: the status line and the headers as they were sent, up to the empty line
        """
        self.way.keep(self, status, head, body, environ, etag)


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
        self.creations = Creations(settings, services, self._proxies)
        metrics.add_sampler(self._sample)

    def start(self) -> None:
        self.validation.start()
        self.creations.start()

    def close(self) -> None:
        self.creations.close()
        self.validation.close()

    def find(self, head: Head, version: int | None, peer: str) -> Reply | Fill | None:
        """Return the reply to a request, or what to keep of Flask's; None to leave it to Flask altogether.

        :param version: the ``security_version`` that holds, None when nobody knows
        """
        if version is None:
            return None
        session = self._services.session(head, version)
        if session is None:
            return None
        who = session.principal.id, session.scopes, session.roles, session.granting
        key = who, head.asked, self._proxies.trusts(peer)
        reply = self._known(key, head)
        if reply is None:
            metrics.cache_misses.inc()
            return Fill(self, key, Reads(), self.replies.moment, version)
        return reply if self._services.admits(session) else None

    def probe(self, head: Head, peer: str) -> Reply | Fill:
        """The reply to a question whether the process answers, which depends on nothing."""
        key = "/health", head.asked, self._proxies.trusts(peer)
        return self.replies.find(key) or Fill(self, key, Reads(), self.replies.moment, 0)

    def _evict(self, tags: frozenset[Tag] | None) -> None:
        if tags is None:
            self._services.warehouses.forget()
        self.replies.evict(tags)

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
        """Keep an answer of Flask if it may be given again, as :meth:`Fill.keep` has it."""
        failpoint("reply.keep")
        if status not in KEPT or not fill.reads.is_kept:
            return
        pieces = cut(head, str(environ["bingsan.request_id"]))
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
        head.length,
        len(reply.body),
        reply.error,
        client,
    )
    observe(metrics, entry, is_probe=head.is_probe)
