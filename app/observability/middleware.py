"""Around the whole application: request id, metrics and one log line for every request.

What only the application knows comes back in the WSGI environ: ``bingsan.route`` (the route's template),
``bingsan.principal``, ``bingsan.warehouse`` and ``bingsan.error`` (text), all optional.
``bingsan.request_id`` is set for it; ``bingsan.client_address`` comes from outside (``app.server.border``).
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from app.observability.failpoints import failpoint
from app.observability.forwarding import CLIENT_ADDRESS
from app.observability.lines import RequestEntry
from app.observability.logs import log_request, request_level
from app.observability.metrics import Metrics, metrics
from app.observability.request_ids import accept_request_id

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
StartResponse = Callable[..., Callable[[bytes], Any]]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

UNMATCHED: Final = "unmatched"
PROBES: Final = frozenset({"/health", "/ready", "/health/live", "/health/ready", "/metrics"})


def observe(figures: Metrics, entry: RequestEntry, *, is_probe: bool) -> None:
    """Count and log an answered request; probes are not counted."""
    if not is_probe:
        figures.requests.record(entry.method, entry.route, entry.status, entry.duration)
        figures.received_bytes.values[()] += entry.bytes_in
        figures.sent_bytes.values[()] += entry.bytes_out
    log_request(entry)


class ObservedApplication:
    """A WSGI application that observes ``wsgi_app``; probes are answered uncounted and logged at DEBUG
    only."""

    def __init__(self, wsgi_app: Application, *, figures: Metrics = metrics) -> None:
        self._wsgi_app = wsgi_app
        self._figures = figures

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        exchange = Exchange(environ, start_response, self._figures)
        try:
            body = self._wsgi_app(environ, exchange.start_response)
        except BaseException as error:
            exchange.fail(error)
            raise
        return exchange.answer(body)


class Exchange:
    """One request and its answer; ends, and is recorded once, when the server closes the body."""

    __slots__ = (
        "_body",
        "_counted_input",
        "_ended",
        "_environ",
        "_figures",
        "_iterator",
        "_probe",
        "_request_id",
        "_sent",
        "_start_response",
        "_started",
        "_status",
        "_whole",
    )

    def __init__(self, environ: Environ, start_response: StartResponse, figures: Metrics) -> None:
        self._started = time.perf_counter()
        self._environ = environ
        self._start_response = start_response
        self._figures = figures
        self._request_id = environ["bingsan.request_id"] = accept_request_id(environ.get("HTTP_X_REQUEST_ID"))
        self._probe = environ.get("PATH_INFO") in PROBES
        self._status = 500
        self._sent = 0
        self._ended = self._whole = False
        self._counted_input: CountedInput | None = None
        if "HTTP_TRANSFER_ENCODING" in environ:
            self._counted_input = environ["wsgi.input"] = CountedInput(environ["wsgi.input"])
        if not self._probe:
            figures.requests_in_progress.values[()] += 1

    def start_response(self, status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], Any]:
        """WSGI's callable: notes the status and adds the request id to the answer's headers."""
        self._status = int(status[:3])
        headers = [*headers, ("X-Request-ID", self._request_id)]
        write = (
            self._start_response(status, headers, exc_info)
            if exc_info
            else self._start_response(status, headers)
        )

        def counted_write(data: bytes) -> Any:
            self._sent += len(data)
            return write(data)

        return counted_write

    def answer(self, body: Iterable[bytes]) -> "Exchange":
        self._body = body
        self._iterator: Iterator[bytes] = iter(body)
        return self

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._iterator)
        except StopIteration:
            self._whole = True
            raise
        except BaseException as error:
            self.fail(error)
            raise
        self._sent += len(chunk)
        return chunk

    def close(self) -> None:
        """WSGI's end of the answer, also of one that broke off."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._end(None if self._whole else "answer not sent in full")
            failpoint("request.answered")

    def fail(self, error: BaseException) -> None:
        """The application raised: recorded as a 500 whatever it had begun to say."""
        self._status = 500
        self._end(f"{type(error).__name__}: {error}")

    def _end(self, trouble: str | None) -> None:
        if self._ended:
            return
        self._ended = True
        duration = time.perf_counter() - self._started
        environ = self._environ
        entry = RequestEntry(
            time.time(),
            "DEBUG" if self._probe else request_level(self._status),
            environ["REQUEST_METHOD"],
            _path(environ),
            self._status,
            duration,
            self._request_id,
            environ.get("bingsan.route") or UNMATCHED,
            environ.get("bingsan.principal"),
            environ.get("bingsan.warehouse"),
            self._received(),
            self._sent,
            environ.get("bingsan.error") or trouble,
            environ.get(CLIENT_ADDRESS),
        )
        observe(self._figures, entry, is_probe=self._probe)
        if not self._probe:
            self._figures.requests_in_progress.values[()] -= 1

    def _received(self) -> int:
        if self._counted_input is not None:
            return self._counted_input.count
        length = self._environ.get("CONTENT_LENGTH")
        return int(length) if length and length.isdecimal() else 0


class CountedInput:
    """``wsgi.input`` of a body whose length is not announced; ``count`` is what was read of it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.count = 0

    def read(self, *size: int) -> bytes:
        return self._counted(self._stream.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._counted(self._stream.readline(*size))

    def readlines(self, *hint: int) -> list[bytes]:
        return [self._counted(line) for line in self._stream.readlines(*hint)]

    def __iter__(self) -> Iterator[bytes]:
        return map(self._counted, self._stream)

    def _counted(self, data: bytes) -> bytes:
        self.count += len(data)
        return data


def _path(environ: Environ) -> str:
    """The path as it was sent, percent-encoded, without query; an absolute request target keeps its path
    only."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if raw.startswith("/"):
        return str(raw.partition("?")[0])
    return str(environ.get("PATH_INFO", ""))
