"""Flask without what this service has not: sessions, views that are coroutines, hosts that differ."""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Request
from flask import Response as FlaskResponse
from flask.globals import request_ctx
from flask.sessions import NullSession, SessionInterface
from flask.typing import ResponseReturnValue
from werkzeug.routing import Map, MapAdapter
from werkzeug.wsgi import get_host, get_path_info

from app.api.answers import Response
from app.api.at_hand import AtHand, at_hand

if TYPE_CHECKING:
    from app.api.context import Services


class _NoSessions(SessionInterface):
    """There are no cookies: all requests have the same session, which takes nothing."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002 - the signature is Flask's
        return self._none


def _is_common(environ: dict[str, Any]) -> bool:
    return "HTTP_HOST" in environ and environ.get("HTTP_UPGRADE", "").lower() != "websocket"


@lru_cache(maxsize=256)
def _server_name(url_map: Map, scheme: str, host: str) -> str:
    """
    :raises BadHost: when no server can have this name
    """
    name = get_host({"wsgi.url_scheme": scheme, "HTTP_HOST": host})
    return url_map.bind(name, subdomain=url_map.default_subdomain).server_name


class Application(Flask):
    """Flask's application, which keeps what belongs to a request in ``AtHand``."""

    app_ctx_globals_class = AtHand  # type: ignore[assignment]
    session_interface = _NoSessions()

    def __init__(self, name: str, services: "Services") -> None:
        super().__init__(name, static_folder=None)
        self.services = services

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What Flask makes, without checking the same host anew for every request."""
        if request is None or not _is_common(request.environ):
            return super().create_url_adapter(request)
        environ = request.environ
        scheme: str = environ["wsgi.url_scheme"]
        return MapAdapter(
            self.url_map,
            server_name=_server_name(self.url_map, scheme, environ["HTTP_HOST"]),
            script_name=request.root_path,
            subdomain=self.url_map.default_subdomain,
            url_scheme=scheme,
            path_info=get_path_info(environ),
            default_method=environ["REQUEST_METHOD"],
            query_args=environ.get("QUERY_STRING"),
        )

    def preprocess_request(self) -> ResponseReturnValue | None:
        here = at_hand()
        here.services, here.request = self.services, request_ctx.request
        # Flask would look for it through its proxies with every use.
        here.request.max_content_length = self.config["MAX_CONTENT_LENGTH"]
        return super().preprocess_request()

    def make_response(self, rv: ResponseReturnValue) -> FlaskResponse:
        return cast(FlaskResponse, rv) if isinstance(rv, Response) else super().make_response(rv)
