"""Around the application: request id in and out, one record and one line per request, bytes counted."""

import io
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from app.observability import middleware
from app.observability.lines import RequestEntry
from app.observability.metrics import Metrics
from app.observability.middleware import ObservedApplication
from app.observability.request_ids import accept_request_id, new_request_id


class Answer:
    """What a server would have sent."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: dict[str, str] = {}
        self.body = b""

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        self.status, self.headers = status, dict(headers)
        return self.write

    def write(self, data: bytes) -> None:
        self.body += data


class Observed:
    """An application under observation, with what was logged and counted."""

    def __init__(self, wsgi_app: Callable[..., Iterable[bytes]], entries: list[RequestEntry]) -> None:
        self.figures = Metrics()
        self.entries = entries
        self.application = ObservedApplication(wsgi_app, figures=self.figures)

    def request(self, *, take: int | None = None, **environ: Any) -> Answer:
        """Answer one request as a server does; ``take`` chunks only, then the client is gone."""
        answer = Answer()
        full = {"REQUEST_METHOD": "GET", "PATH_INFO": "/v1/x", "wsgi.input": io.BytesIO()} | environ
        body = self.application(full, answer.start)
        try:
            for number, chunk in enumerate(body):
                if number == take:
                    break
                answer.write(chunk)
        finally:
            body.close()
        return answer

    @property
    def entry(self) -> RequestEntry:
        [entry] = self.entries
        return entry

    def counted(self) -> dict[tuple[str, str, int], int]:
        return {key: int(sum(slot[:-1])) for key, slot in self.figures.requests.slots.items()}


@pytest.fixture
def observe(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Observed]:
    entries: list[RequestEntry] = []
    monkeypatch.setattr(middleware, "log_request", entries.append)
    return lambda wsgi_app: Observed(wsgi_app, entries)


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    environ["bingsan.route"] = "/v1/{x}"
    environ["bingsan.principal"] = "reader"
    environ["bingsan.warehouse"] = "default"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello ", b"world"]


def test_one_request_is_counted_and_logged_once(observe: Callable[..., Observed]):
    observed = observe(hello)
    answer = observed.request(RAW_URI="/v1/x%2Fy?token=hunter2", CONTENT_LENGTH="12")
    assert answer.body == b"hello world"
    assert observed.counted() == {("GET", "/v1/{x}", 200): 1}
    entry = observed.entry
    assert (entry.method, entry.path, entry.status, entry.level) == ("GET", "/v1/x%2Fy", 200, "INFO")
    assert (entry.route, entry.principal, entry.warehouse) == ("/v1/{x}", "reader", "default")
    assert (entry.bytes_in, entry.bytes_out, entry.error) == (12, 11, None)
    assert entry.duration >= 0
    assert observed.figures.sent_bytes.values[()] == 11
    assert observed.figures.received_bytes.values[()] == 12
    assert observed.figures.requests_in_progress.values[()] == 0


def test_the_request_is_in_progress_until_its_body_is_closed(observe: Callable[..., Observed]):
    observed = observe(hello)
    body = observed.application({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, Answer().start)
    assert observed.figures.requests_in_progress.values[()] == 1
    body.close()
    body.close()
    assert observed.figures.requests_in_progress.values[()] == 0
    assert len(observed.entries) == 1


def test_the_clients_request_id_is_kept_and_sent_back(observe: Callable[..., Observed]):
    seen = {}

    def remember(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen["id"] = environ["bingsan.request_id"]
        return hello(environ, start_response)

    observed = observe(remember)
    answer = observed.request(HTTP_X_REQUEST_ID="client-7")
    assert answer.headers["X-Request-ID"] == observed.entry.request_id == seen["id"] == "client-7"


@pytest.mark.parametrize(
    "received", [None, "", " ", "a b", "x" * 129, "ä", "a\r\nSet-Cookie: x", "a\x00", "\x7f"]
)
def test_any_other_request_id_is_replaced(received: str | None):
    assert accept_request_id(received) != received
    assert len(accept_request_id(received)) == 32


@pytest.mark.parametrize("received", ["a", "x" * 128, "0f8fad5b-d9cb-469f-a165-70867728950e", "a/b~!"])
def test_sane_request_ids_are_accepted(received: str):
    assert accept_request_id(received) == received


def test_request_ids_differ():
    assert len({new_request_id() for _ in range(1000)}) == 1000


def test_an_unknown_route_never_becomes_a_label(observe: Callable[..., Observed]):
    def missing(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["bingsan.error"] = "NotFoundException: no such path"
        start_response("404 Not Found", [])
        return []

    observed = observe(missing)
    observed.request(PATH_INFO="/made/up", REQUEST_METHOD="BREW")
    assert observed.counted() == {("other", "unmatched", 404): 1}
    assert (observed.entry.level, observed.entry.path) == ("WARN", "/made/up")
    assert observed.entry.error == "NotFoundException: no such path"


@pytest.mark.parametrize("path", ["/health", "/ready", "/health/live", "/health/ready", "/metrics"])
def test_probes_are_not_counted_and_logged_at_debug(observe: Callable[..., Observed], path: str):
    observed = observe(hello)
    answer = observed.request(PATH_INFO=path)
    assert "X-Request-ID" in answer.headers
    assert observed.counted() == {}
    assert observed.figures.sent_bytes.values[()] == 0
    assert observed.entry.level == "DEBUG"


def test_an_application_that_raises_is_a_500_with_its_error(observe: Callable[..., Observed]):
    def broken(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise LookupError("nothing here")

    observed = observe(broken)
    with pytest.raises(LookupError):
        observed.request()
    assert (observed.entry.status, observed.entry.level) == (500, "ERROR")
    assert observed.entry.error == "LookupError: nothing here"
    assert observed.figures.requests_in_progress.values[()] == 0


def test_a_body_that_raises_is_a_500_with_its_error(observe: Callable[..., Observed]):
    def breaks(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b"part"
        raise OSError("file gone")

    observed = observe(breaks)
    with pytest.raises(OSError, match="file gone"):
        observed.request()
    assert (observed.entry.status, observed.entry.error) == (500, "OSError: file gone")
    assert observed.entry.bytes_out == 4


def test_an_answer_the_client_did_not_take_says_so(observe: Callable[..., Observed]):
    closed = []

    class Body:
        def __iter__(self) -> Any:
            return iter([b"a", b"b", b"c"])

        def close(self) -> None:
            closed.append(True)

    def streams(environ: dict[str, Any], start_response: Any) -> Body:
        start_response("200 OK", [])
        return Body()

    observed = observe(streams)
    observed.request(take=1)
    assert closed == [True]
    assert observed.entry.error == "answer not sent in full"
    assert len(observed.entries) == 1


def test_written_bytes_count_too(observe: Callable[..., Observed]):
    def writes(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        write(b"12345")
        return [b"67"]

    observed = observe(writes)
    assert observed.request().body == b"1234567"
    assert observed.entry.bytes_out == 7


def test_a_body_without_announced_length_is_counted_as_it_is_read(observe: Callable[..., Observed]):
    def reads(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        stream = environ["wsgi.input"]
        parts = [stream.read(3), stream.readline(), *stream.readlines(1), *stream]
        start_response("200 OK", [])
        return parts

    observed = observe(reads)
    body = b"abcdef\nline\nmore\nend"
    answer = observed.request(HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input": io.BytesIO(body)})
    assert answer.body == body
    assert observed.entry.bytes_in == len(body)


def test_an_absolute_request_target_keeps_only_its_path(observe: Callable[..., Observed]):
    observed = observe(hello)
    observed.request(RAW_URI="http://user:hunter2@host/v1/x?y", PATH_INFO="/v1/x")
    assert observed.entry.path == "/v1/x"
