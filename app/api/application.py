"""Flask without what this service has not: sessions, views that are coroutines, hosts that differ."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask, Request
from flask.globals import request_ctx
from flask.sessions import NullSession, SessionInterface
from flask.typing import ResponseReturnValue

from app.api.at_hand import AtHand, at_hand

if TYPE_CHECKING:
    from app.api.context import Services


class _NoSessions(SessionInterface):
    """There are no cookies: all requests have the same session, which takes nothing."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002 - the signature is Flask's
        return self._none


class Application(Flask):
    """Flask's application, which keeps what belongs to a request in ``AtHand``."""

    app_ctx_globals_class = AtHand  # type: ignore[assignment]
    session_interface = _NoSessions()

    def __init__(self, name: str, services: "Services") -> None:
        super().__init__(name, static_folder=None)
        self.services = services

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def preprocess_request(self) -> ResponseReturnValue | None:
        here = at_hand()
        here.services, here.request = self.services, request_ctx.request
        return super().preprocess_request()
