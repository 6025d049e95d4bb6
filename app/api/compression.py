"""Large answers to GET go out as gzip where the client takes it; each document is compressed once, in a thread.

An entity tag names one form of an answer, so those who take gzip get other tags, also where the answer is too small to
be compressed: which one depends on nothing but the request.

What holds credentials is never compressed: its length would tell about them (BREACH).
"""

import gzip
from collections import OrderedDict
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, Final

from flask import Flask
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from app.api.answers import JSON, Response
from app.api.at_hand import at_hand
from app.api.etags import GZIP
from app.config import Settings
from app.errors import ServiceUnavailableException
from app.storage.executor import Executor

LEVEL: Final = 4
"""2 MB of snapshots take 13 ms for a seventh of their size; higher levels gain nothing on them."""
OVERHEAD: Final = 500


class Compressed:
    """Bodies that were compressed, at most ``limit`` bytes of them; the least recently used give way."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._bytes = 0

    def find(self, key: Hashable) -> bytes | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Hashable, body: bytes) -> None:
        size = len(body) + OVERHEAD
        if size > self._limit // 4 or key in self._kept:
            return
        self._kept[key] = body
        self._bytes += size
        while self._bytes > self._limit:
            self._bytes -= len(self._kept.popitem(last=False)[1]) + OVERHEAD


class Compression:
    """Compresses what Flask answers."""

    def __init__(self, settings: Settings, threads: Executor) -> None:
        self._least = settings.server.compress_min_size
        self._threads = threads
        self._made = Compressed(settings.cache.max_bytes // 4)

    def install(self, app: Flask) -> None:
        app.after_request(self._finish_ours)

    def _finish_ours(self, response: Any) -> Any:
        if isinstance(response, Response):
            self._finish(response)
        return response

    def _finish(self, response: Response) -> None:
        etag = response.headers.get("ETag")
        is_large = self._is_large(response)
        if etag is None and not is_large:
            return
        response.headers["Vary"] = "Accept-Encoding"
        if _takes_gzip(at_hand().request.environ.get("HTTP_ACCEPT_ENCODING", "")):
            if etag is not None:
                response.headers["ETag"] = f'{etag[:-1]}{GZIP}"'
            if is_large:
                self._compress(response)

    def _is_large(self, response: Response) -> bool:
        here = at_hand()
        return (
            len(response.body) >= self._least
            and here.request.method == "GET"
            and response.status == 200
            and response.headers["Content-Type"] == JSON
            and not here.holds_secrets
        )

    def _compress(self, response: Response) -> None:
        body = response.body
        key = at_hand().body_key
        made = self._made.find(key) if key is not None else None
        if made is None:
            try:
                made = self._threads.run(lambda: gzip.compress(body, LEVEL, mtime=0))
            except ServiceUnavailableException:
                return  # all threads are busy: it goes as it is
            if key is not None:
                self._made.keep(key, made)
        response.body, response.headers["Content-Length"] = made, str(len(made))
        response.headers["Content-Encoding"] = "gzip"


@lru_cache(maxsize=256)
def _takes_gzip(accept_encoding: str) -> bool:
    return (
        bool(parse_accept_header(accept_encoding, Accept).quality("gzip") > 0) if accept_encoding else False
    )
