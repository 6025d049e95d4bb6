"""Answers of the server itself, in the same envelope as the application's.

gunicorn would send an HTML page for everything that never reaches the application.
"""

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

import msgspec
from gunicorn.http import errors as http

from app.errors import (
    BadRequestException,
    ForbiddenException,
    InternalServerError,
    RequestHeaderFieldsTooLargeException,
    ServiceError,
    UriTooLongException,
)
from app.observability.lines import RequestEntry
from app.observability.logs import log_request, request_level
from app.observability.metrics import metrics
from app.server.border import SECURITY_HEADERS, STRICT_TRANSPORT

SERVER_NAME = "iceberg-catalog"
_UNMATCHED = "unmatched"

_MALFORMED = (
    http.InvalidRequestLine,
    http.InvalidRequestMethod,
    http.InvalidHTTPVersion,
    http.InvalidHeader,
    http.InvalidHeaderName,
    http.InvalidSchemeHeaders,
    http.UnsupportedTransferCoding,
    http.ObsoleteFolding,
    http.ExpectationFailed,
    http.InvalidChunkSize,
    http.ChunkMissingTerminator,
    http.InvalidChunkExtension,
    http.InvalidH2CPreface,
    http.InvalidProxyLine,
)
_OURS = (http.InvalidResponseHeader, http.InvalidResponseHeaderName)


def service_error(error: BaseException, max_url_length: int, max_header_size: int) -> ServiceError:
    """What a failure outside the application means to the client; anything unknown is an internal error."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, http.LimitRequestLine):
        return UriTooLongException(
            f"The request target is longer than limits.max_url_length, {max_url_length} bytes"
        )
    if isinstance(error, http.LimitRequestHeaders):
        return RequestHeaderFieldsTooLargeException(
            f"The request head is larger than limits.max_header_size, {max_header_size} bytes"
        )
    if isinstance(error, http.ForbiddenProxyRequest):
        return ForbiddenException("Requests of this proxy are not accepted")
    if isinstance(error, _MALFORMED) and not isinstance(error, _OURS):
        return BadRequestException(f"Malformed request: {error}"[:500])
    return InternalServerError("Internal server error")


def refusal(error: ServiceError, request_id: str, *, head: bool = False, secure: bool = False) -> bytes:
    """The whole HTTP/1.1 answer; the connection closes behind it. ``head`` leaves the body out; ``secure``: over
    TLS."""
    envelope = {"message": error.message, "type": error.type, "code": error.code}
    body = msgspec.json.encode({"error": envelope})
    headers = {
        "Server": SERVER_NAME,
        "Date": formatdate(usegmt=True),
        "Connection": "close",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-Request-ID": request_id,
        **SECURITY_HEADERS,
        **error.headers,
    }
    headers |= dict([STRICT_TRANSPORT]) if secure else {}
    lines = [f"HTTP/1.1 {error.code} {HTTPStatus(error.code).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + (b"" if head else body)


def record(request: Any, error: ServiceError, request_id: str, seconds: float, client: str) -> None:
    """Count and log a request that the application never saw; ``None`` if it cannot even be parsed."""
    method, path = getattr(request, "method", None) or "", getattr(request, "path", None) or ""
    metrics.requests.record(method, _UNMATCHED, error.code, seconds)
    log_request(
        RequestEntry(
            time.time(),
            request_level(error.code),
            method,
            path,
            error.code,
            seconds,
            request_id,
            _UNMATCHED,
            principal=None,
            warehouse=None,
            bytes_in=0,
            bytes_out=0,
            error=error.message,
            client_address=client,
        )
    )
