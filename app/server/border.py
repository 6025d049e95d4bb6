"""The outermost layer of the application: who is asking, and what browsers may do with an answer."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from app.observability.forwarding import TrustedProxies
from app.observability.logs import get_logger

log = get_logger("server")

Headers = list[tuple[str, str]]
StartResponse = Callable[..., Callable[[bytes], Any]]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""On every answer that does not say otherwise itself."""

_BY_NAME = tuple((name.lower(), (name, value)) for name, value in SECURITY_HEADERS.items())
STRICT_TRANSPORT: Final = ("Strict-Transport-Security", "max-age=31536000")


class Border:
    """A WSGI application that notes ``bingsan.client_address`` and adds the security headers."""

    def __init__(self, application: Application, proxies: TrustedProxies) -> None:
        self._application = application
        self._proxies = proxies
        self._warned = False

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not self._proxies.apply(environ) and "HTTP_X_FORWARDED_FOR" in environ and not self._warned:
            self._warned = True  # a proxy that nobody named makes all its clients one address
            peer = environ.get("REMOTE_ADDR")
            log.warning("X-Forwarded-For is ignored: not from server.trusted_proxies", address=peer)
        secure = environ.get("wsgi.url_scheme") == "https"

        def start(status: str, headers: Headers, *fault: Any) -> Callable[[bytes], Any]:
            return start_response(status, with_security_headers(headers, secure=secure), *fault)

        return self._application(environ, start)


def with_security_headers(headers: Headers, *, secure: bool) -> Headers:
    """``headers`` and those of ``SECURITY_HEADERS`` that are not among them; ``secure``: the client spoke TLS."""
    present = {name.lower() for name, _ in headers}
    whole = headers + [pair for name, pair in _BY_NAME if name not in present]
    if secure:
        whole.append(STRICT_TRANSPORT)
    return whole
