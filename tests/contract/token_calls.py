"""What tests ask of the token endpoint, and what its answers have to look like."""

from typing import Any

import jwt
import requests

from tests.contract.calls import ok
from tests.support.identities import ACCESS_TOKEN, EXCHANGE, Identities

CODES = {
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
}


def refused(answer: requests.Response, code: str) -> str:
    """Check OAuth's own shape of an error and return its description."""
    assert answer.status_code == (401 if code == "invalid_client" else 400), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error", "error_description"}
    assert body["error"] == code
    if code == "invalid_client":
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    return str(body["error_description"])


def given(answer: requests.Response, scope: str = "catalog") -> str:
    """Check what belongs to a token, and return it."""
    body = ok(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(body) == {"access_token", "token_type", "expires_in", "issued_token_type", "scope"}
    assert (body["token_type"], body["issued_token_type"]) == ("bearer", ACCESS_TOKEN)
    assert isinstance(body["expires_in"], int)
    assert body["scope"] == scope
    return str(body["access_token"])


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def exchange(identities: Identities, subject: str, **more: str) -> requests.Response:
    """Exchange a token; ``bearer`` and ``basic`` go into the header."""
    headers = {}
    if "bearer" in more:
        headers["Authorization"] = f"Bearer {more.pop('bearer')}"
    if "basic" in more:
        headers["Authorization"] = more.pop("basic")
    asked = {"grant_type": EXCHANGE, "subject_token": subject, "subject_token_type": ACCESS_TOKEN, **more}
    return identities.ask({key: value for key, value in asked.items() if value}, headers)


def works(identities: Identities, token: str) -> bool:
    status = identities.with_token(token).get("/v1/config").status_code
    assert status in {200, 401}
    return status == 200
