"""Which web pages may call the service from a browser (CORS); none unless their origin is named."""

from collections.abc import Iterable
from typing import Any, Final

from app.server.border import Application, Headers, StartResponse

_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE"
_REQUEST_HEADERS: Final = (
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-API-Key, X-Client-Version, "
    "X-Iceberg-Access-Delegation, X-Request-ID"
)
_ANSWER_HEADERS: Final = "ETag, Retry-After, WWW-Authenticate, X-Request-ID"
_SECONDS: Final = "600"


class CrossOrigin:
    """A WSGI application that tells browsers which pages may read its answers, and answers their preflights.

    :param origins: exactly as browsers send them (``https://console.example.com``), or ``*``
    :param credentials: whether pages may have cookies and client certificates sent along
    """

    def __init__(self, application: Application, origins: Iterable[str], *, credentials: bool) -> None:
        self._application = application
        self._origins = frozenset(origins)
        self._credentials = credentials

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        permission = self._permission(environ.get("HTTP_ORIGIN", ""))
        preflight = environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        if preflight and permission:
            environ["bingsan.route"] = "preflight"
            start_response("204 No Content", permission + _preflight_headers())
            return []
        exposed = [("Access-Control-Expose-Headers", _ANSWER_HEADERS)] if permission else []

        def start(status: str, headers: Headers, *fault: Any) -> Any:
            vary = [] if "*" in self._origins else [("Vary", "Origin")]
            return start_response(status, [*headers, *permission, *exposed, *vary], *fault)

        return self._application(environ, start)

    def _permission(self, origin: str) -> Headers:
        if "*" in self._origins:
            return [("Access-Control-Allow-Origin", "*")] if origin else []
        if origin not in self._origins:
            return []
        allowed = [("Access-Control-Allow-Origin", origin)]
        return [*allowed, ("Access-Control-Allow-Credentials", "true")] if self._credentials else allowed


def _preflight_headers() -> Headers:
    return [
        ("Access-Control-Allow-Methods", _METHODS),
        ("Access-Control-Allow-Headers", _REQUEST_HEADERS),
        ("Access-Control-Max-Age", _SECONDS),
        ("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    ]
