"""Every error leaves as the one JSON envelope, whoever raised it."""

import re

from flask import Flask, request
from werkzeug.exceptions import HTTPException

from app.api import oauth
from app.api.answers import Response, json_answer
from app.api.authentication import authenticate
from app.api.context import catalog
from app.api.denials import identified, note_denial
from app.db import PoolExhausted
from app.errors import (
    BadRequestException,
    ForbiddenException,
    InternalServerError,
    MethodNotAllowedException,
    NoSuchTableException,
    NoSuchViewException,
    NotAuthorizedException,
    NotFoundException,
    RequestTooLargeException,
    ServiceError,
    TooManyRequestsException,
    UnsupportedMediaTypeException,
    UriTooLongException,
)
from app.observability.logs import get_logger
from app.observability.metrics import metrics

log = get_logger(__name__)
# What Spark asks for when somebody writes `t.snapshots` without the namespace of `t`.
_WITHOUT_NAMESPACE = re.compile(r"/v1/(?:[^/]+/)?namespaces//(table|view)s/[^/]+")
# Below these nobody learns even which routes there are without saying who they are.
_CLOSED = re.compile(r"/(v1|management)(/|$)")
_ABSENT: dict[str, type[ServiceError]] = {"table": NoSuchTableException, "view": NoSuchViewException}
_BY_STATUS: dict[int, type[ServiceError]] = {
    405: MethodNotAllowedException,
    413: RequestTooLargeException,
    414: UriTooLongException,
    415: UnsupportedMediaTypeException,
}


def install_error_handlers(app: Flask) -> None:
    app.register_error_handler(ServiceError, render)
    app.register_error_handler(HTTPException, _render_framework_error)
    app.register_error_handler(Exception, _render_fault)


def render(error: ServiceError) -> Response:
    """The envelope of an error; a HEAD gets none."""
    if isinstance(error, PoolExhausted):
        metrics.rejected_requests.inc("database_pool")
    if isinstance(error, PoolExhausted) and request.method in {"POST", "DELETE"}:
        # Java repeats any method on 429, but a POST on 503 only by chance of a header.
        error = TooManyRequestsException(error.message, headers=error.headers)
    if isinstance(error, ForbiddenException):
        error = identified(error)
        note_denial(error)
    if isinstance(error, NotAuthorizedException):
        metrics.auth_failures.inc(error.reason)
    if request.path == oauth.PATH:
        return oauth.render(error)
    request.environ["bingsan.error"] = f"{error.type}: {error.message}"
    if error.code >= 500:
        log.debug("request failed", error=error, request_id=request.environ["bingsan.request_id"])
    envelope = {"error": {"message": error.message, "type": error.type, "code": error.code}}
    return json_answer(envelope, error.code, error.headers)


def _render_framework_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status in {404, 405} and request.path != oauth.PATH and _CLOSED.match(request.path):
        try:
            authenticate()
        except ServiceError as refusal:
            return render(refusal)
    if status == 404:
        return render(_no_route())
    if status == 405:
        return render(_method_not_allowed(error))
    if status == 413:
        return render(_too_large())
    kind = _BY_STATUS.get(status, BadRequestException if status < 500 else InternalServerError)
    return render(kind(error.description or error.name))


def _render_fault(error: Exception) -> Response:
    request_id = request.environ["bingsan.request_id"]
    log.error(
        "unexpected error", error=error, request_id=request_id, method=request.method, path=request.path
    )
    return render(
        InternalServerError(f"Internal error; the log has the details under request id {request_id}")
    )


def _no_route() -> ServiceError:
    nameless = _WITHOUT_NAMESPACE.fullmatch(request.path)
    if nameless:
        return _ABSENT[nameless[1]](f"{nameless[1].capitalize()} does not exist: its namespace has no name")
    message = f"No route for request: {request.method} {request.path}"
    return (
        BadRequestException(message) if f"{request.path}/".startswith("/v1/") else NotFoundException(message)
    )


def _method_not_allowed(error: HTTPException) -> ServiceError:
    allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    return MethodNotAllowedException(
        f"Method {request.method} is not allowed for {request.path}; allowed: {allowed}",
        headers={"Allow": allowed},
    )


def _too_large() -> ServiceError:
    limit, name = catalog().settings.limits.max_request_body_size, "limits.max_request_body_size"
    if request.path == oauth.PATH:
        limit, name = oauth.LARGEST_BODY, "the most of a token request"
    size = request.content_length
    got = f"{size} bytes" if size is not None else "more"
    return RequestTooLargeException(f"The request body is too large: {got}; {name} is {limit} bytes")
