"""What is sent to a provider, and what is taken from it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from app.auth.fetching import FetchFailed, Source
from app.auth.openid import Provider
from app.config import ProviderSettings


class Web:
    """Answers what it is told to on a port of its own, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.seen: list[tuple[str, str | None]] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.seen.append((self.path, self.headers.get("Authorization")))
                status, headers, body = web.answers.get(self.path, (404, {}, b"{}"))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def gives(self, path: str, document: object) -> None:
        self.answers[path] = (200, {}, json.dumps(document).encode())


@pytest.fixture
def webs() -> Iterator[tuple[Web, Web]]:
    both = Web(), Web()
    threads = [threading.Thread(target=web.server.serve_forever, args=(0.01,)) for web in both]
    for thread in threads:
        thread.start()
    yield both
    for web, thread in zip(both, threads, strict=True):
        web.server.shutdown()
        thread.join()
        web.server.server_close()


def test_own_token_goes_to_the_configured_place_only(webs: tuple[Web, Web], tmp_path: Path) -> None:
    api, elsewhere = webs
    file = tmp_path / "token"
    file.write_text("hush\n")
    source = Source(token_file=str(file), token_url=f"{api.url}/keys")
    for web in webs:
        web.gives("/x", {"a": 1})
        assert source.fetch(f"{web.url}/x") == {"a": 1}
    assert api.seen == [("/x", "Bearer hush")]
    assert elsewhere.seen == [("/x", None)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(webs: tuple[Web, Web], status: int) -> None:
    web, elsewhere = webs
    elsewhere.gives("/keys", {"keys": []})
    web.answers["/keys"] = (status, {"Location": f"{elsewhere.url}/keys"}, b"")
    with pytest.raises(FetchFailed, match=str(status)):
        Source().fetch(f"{web.url}/keys")
    assert elsewhere.seen == []


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b"\xff", b"[" * 100_000], ids=len)
def test_what_is_no_object_is_refused(webs: tuple[Web, Web], body: bytes) -> None:
    web, _ = webs
    web.answers["/keys"] = (200, {}, body)
    with pytest.raises(FetchFailed, match="JSON object"):
        Source().fetch(f"{web.url}/keys")


def test_compressed_flood_is_refused(webs: tuple[Web, Web]) -> None:
    import gzip

    web, _ = webs
    web.answers["/keys"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b" " * 50_000_000))
    with pytest.raises(FetchFailed, match="more than"):
        Source().fetch(f"{web.url}/keys")


def test_unreachable_place_fails(webs: tuple[Web, Web], tmp_path: Path) -> None:
    with pytest.raises(FetchFailed):
        Source().fetch("http://127.0.0.1:1/keys")
    with pytest.raises(FetchFailed, match="No such file"):
        Source(token_file=str(tmp_path / "none"), token_url=webs[0].url).fetch(f"{webs[0].url}/keys")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "about the issuer"),
        ({"issuer": "{url}/other", "jwks_uri": "{url}/keys"}, "about the issuer"),
        ({"issuer": "{url}"}, "no jwks_uri"),
        ({"issuer": "{url}", "jwks_uri": 7}, "no jwks_uri"),
        ({"issuer": "{url}", "jwks_uri": "file:///etc/passwd"}, "not a URL"),
        ({"issuer": "{url}", "jwks_uri": "http://keys.example/keys"}, "unencrypted"),
        ({"issuer": "{url}", "jwks_uri": "{url}/empty"}, "no key"),
        ({"issuer": "{url}", "jwks_uri": "{url}/list"}, "no key set"),
    ],
    ids=str,
)
def test_discovery_document_has_to_be_about_the_issuer(
    webs: tuple[Web, Web], document: dict[str, object], reason: str
) -> None:
    web, _ = webs
    told = json.loads(json.dumps(document).replace("{url}", web.url))
    web.gives("/.well-known/openid-configuration", told)
    web.gives("/empty", {"keys": []})
    web.gives("/list", {"keys": 7})
    with pytest.raises(FetchFailed, match=reason):
        Provider(ProviderSettings(issuer=web.url, audience=("x",)))._fetch_keys()
