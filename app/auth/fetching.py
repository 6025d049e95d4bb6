"""Documents of an OpenID provider, over HTTP: bounded in time and size, and only from the place that was asked."""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec
import urllib3
from gevent import Timeout, monkey

SECONDS = 4.0
_LARGEST = 512 * 1024
_PIECE = 16 * 1024


class FetchFailed(Exception):
    """Why a document could not be had; says nothing that is secret."""


@dataclass(frozen=True, slots=True)
class Source:
    """How a provider is asked. ``token_file`` is only for the host of ``token_url``."""

    ca_file: str = ""
    token_file: str = ""
    token_url: str = ""

    def fetch(self, url: str) -> dict[str, Any]:
        """Return a JSON object.

        :raises FetchFailed: when there is none within ``SECONDS``, or it is too large
        """
        try:
            body = _in_time(lambda: self._read(url))
            return msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise FetchFailed(f"{url} did not answer with a JSON object") from error
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise FetchFailed(f"{url}: {type(error).__name__}: {error}") from error

    def _read(self, url: str) -> bytes:
        with _pool(url, self.ca_file) as pool:
            answer = pool.request(
                "GET",
                url,
                headers={"Accept": "application/json", **self._authorization(url)},
                # Where a redirect leads is nobody's word that was configured.
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=SECONDS / 2, read=SECONDS / 2),
            )
            try:
                if answer.status != 200:
                    raise FetchFailed(f"{url} answered {answer.status}")
                return _body(answer, url)
            finally:
                answer.close()

    def _authorization(self, url: str) -> dict[str, str]:
        if not self.token_file or _place(url) != _place(self.token_url):
            return {}
        # Read every time: Kubernetes replaces it before it expires.
        return {"Authorization": "Bearer " + Path(self.token_file).read_text(encoding="ascii").strip()}


def _in_time(read: Callable[[], bytes]) -> bytes:
    # The time limits of sockets begin anew with every byte.
    if not monkey.is_module_patched("socket"):
        return read()
    with Timeout(SECONDS) as expiry:
        try:
            return read()
        except Timeout as timeout:
            if timeout is not expiry:
                raise
            raise FetchFailed(f"no answer within {SECONDS:g} s") from None


def _body(answer: urllib3.BaseHTTPResponse, url: str) -> bytes:
    ends = time.monotonic() + SECONDS
    body = bytearray()
    for piece in answer.stream(_PIECE, decode_content=True):
        body += piece
        if len(body) > _LARGEST:
            raise FetchFailed(f"{url} answered with more than {_LARGEST} bytes")
        if time.monotonic() > ends:
            raise FetchFailed(f"{url} did not end within {SECONDS:g} s")
    return bytes(body)


def _pool(url: str, ca_file: str) -> urllib3.PoolManager:
    context = ssl.create_default_context(cafile=ca_file or None)
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(parts.netloc):
        return urllib3.ProxyManager(proxy, ssl_context=context)
    return urllib3.PoolManager(ssl_context=context)


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
