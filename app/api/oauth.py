"""The token endpoint. It answers as OAuth has it, in success and in failure, and not as the rest of the API does."""

import json
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, request

from app.api.answers import Response, json_answer
from app.api.context import catalog, client_address, origin_of, services
from app.api.declarations import Answer, declare
from app.api.rate_limit import admit_address
from app.auth.oauth import ACCESS_TOKEN, Issued, OAuthError, TokenIssuer, TokenRequest, WrongSecret
from app.changes.audit import AuditEvent, AuditObject, record_issued
from app.errors import (
    RequestHeaderFieldsTooLargeException,
    RequestTimeoutException,
    ServiceError,
    UriTooLongException,
)
from app.observability.metrics import metrics

PATH = "/v1/oauth/tokens"
LARGEST_BODY = 64 << 10
_MOST_PARAMETERS = 50
_FORM = "application/x-www-form-urlencoded"
_FAILURES = (400, 401, 405, 413, 429, 500, 503)
_HEADERS = {401: ("WWW-Authenticate",), 405: ("Allow",), 429: ("Retry-After",), 503: ("Retry-After",)}

blueprint = Blueprint("oauth", __name__)
declarations = {
    f"POST {PATH}": declare(
        "Get an access token, or exchange one",
        "get_token",
        body="OAuthTokenRequest",
        body_types=(_FORM, "application/json"),
        answers={
            200: "OAuthTokenResponse",
            **{status: Answer("OAuthError", _HEADERS.get(status, ())) for status in _FAILURES},
        },
        fails=(RequestTimeoutException, UriTooLongException, RequestHeaderFieldsTooLargeException),
        plain=True,
    )
}


@blueprint.post(PATH)
def get_token() -> Response:
    request.environ["bingsan.route"] = PATH
    issuer = services().issuer
    try:
        if issuer is None:
            raise OAuthError(
                "unsupported_grant_type", "this server gives out no tokens (auth.oauth2.enabled)"
            )
        admit_address()
        issued = _issue(issuer, _token_request())
    except OAuthError as error:
        return refuse(error.code, str(error), 401 if error.code == "invalid_client" else 400)
    request.environ["bingsan.principal"] = issued.principal.name
    _record(issued)
    return json_answer(
        {
            "access_token": issued.text,
            "token_type": "bearer",
            "expires_in": issued.expires_in,
            "issued_token_type": ACCESS_TOKEN,
            "scope": " ".join(issued.token.scopes),
        },
        headers={"Pragma": "no-cache"},
    )


def _issue(issuer: TokenIssuer, asked: TokenRequest) -> Issued:
    """Issue a token; an address that showed too many wrong secrets lately is not even heard."""
    if not asked.shows_secret:
        return issuer.issue(asked)
    with services().attempts.attempt(client_address() or "", asked.client_id) as attempt:
        try:
            issued = issuer.issue(asked)
        except WrongSecret as error:
            refusal = error  # the attempt has failed
        except OAuthError:
            attempt.succeed()
            raise
        else:
            attempt.succeed()
            return issued
    raise refusal


def _record(issued: Issued) -> None:
    """Have the audit know of a token before it leaves."""
    token, principal = issued.token, issued.principal
    event = AuditEvent(
        action="token.issued",
        outcome="success",
        status=200,
        level="manage",
        origin=origin_of(principal, token.credential),
        on=AuditObject("principal", principal.id, name=principal.name),
        operation=f"POST {PATH}",
        details={"id": token.id, "scopes": token.scopes, "expires-at-ms": int(token.expires_at * 1000)},
    )
    record_issued(catalog().db, catalog().settings.audit, event)


def render(error: ServiceError) -> Response:
    """An error that is not OAuth's own, in its shape; clients know no other codes than these."""
    return refuse("invalid_request", error.message, error.code, error.headers)


def refuse(code: str, description: str, status: int, headers: dict[str, str] | None = None) -> Response:
    request.environ["bingsan.error"] = f"{code}: {description}"
    headers = {"Pragma": "no-cache", **(headers or {})}
    if status == 401:
        metrics.auth_failures.inc("client")
        headers["WWW-Authenticate"] = 'Basic realm="bingsan", charset="UTF-8"'
    return json_answer({"error": code, "error_description": _ascii(description)}, status, headers)


def _token_request() -> TokenRequest:
    request.max_content_length = LARGEST_BODY
    scheme, _, text = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    kind, text = scheme.lower(), text.strip()
    parameters = _parameters(request.get_data(cache=False))
    return TokenRequest(
        parameters,
        basic=text if kind == "basic" else "",
        bearer=text if kind == "bearer" else "",
    )


def _parameters(body: bytes) -> dict[str, str]:
    """
    :raises OAuthError: when a parameter is there twice, or the body is neither a form nor a JSON object of strings
    """
    try:
        text = body.decode()
        if request.mimetype == "application/json":
            pairs: Any = json.loads(text, object_pairs_hook=_Pairs)
        else:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except (ValueError, RecursionError) as error:
        raise OAuthError("invalid_request", "the body is neither a form nor JSON") from error
    if request.mimetype not in {"", _FORM, "application/json"}:
        raise OAuthError("invalid_request", f"the body has to be {_FORM} or application/json")
    if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
        raise OAuthError("invalid_request", "the body has to be one JSON object whose values are strings")
    if len({name for name, _ in pairs}) < len(pairs):
        raise OAuthError("invalid_request", "a parameter is there more than once")
    if any("\0" in value for _, value in pairs):
        raise OAuthError("invalid_request", "a parameter holds U+0000")
    return dict(pairs)


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, repeated ones too."""


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, tuple) and isinstance(pair[1], str)


def _ascii(description: str) -> str:
    """RFC 6749 allows a description no other characters, and no quotes."""
    return "".join(
        character if " " <= character <= "~" and character not in '"\\' else "?" for character in description
    )
