"""What a request shows of who makes it."""

from app.errors import NotAuthorizedException

_SCHEMES = frozenset({"bearer", "x-api-key"})


def shown_credential(authorization: str | None, key: str) -> str:
    """Return the token or key of a request.

    :param authorization: its ``Authorization``
    :param key: its ``X-API-Key``, or an empty text
    :raises NotAuthorizedException: when there is none, or another one than the request seems to show
    """
    shown = key
    if authorization is not None:
        scheme, _, text = authorization.partition(" ")
        text = text.strip()
        if scheme.lower() not in _SCHEMES or not text:
            raise not_authorized(
                "expected Authorization: Bearer TOKEN or x-api-key KEY", "scheme", "invalid_token"
            )
        if shown and shown != text:
            raise not_authorized("Authorization and X-API-Key differ", "two", "invalid_request")
        shown = text
    if not shown:
        raise not_authorized("a bearer token or an API key is needed", "missing")
    return shown


def not_authorized(why: str, reason: str, error: str = "") -> NotAuthorizedException:
    """401 as RFC 6750 has it; without ``error`` nothing was shown that could be wrong."""
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    headers = {"WWW-Authenticate": challenge}
    return NotAuthorizedException(f"Not authorized: {why}", reason=reason, headers=headers)
