"""Who makes the request at hand."""

from typing import cast

from flask import current_app, g, request

from app.api.rate_limit import admit_address, admit_principal
from app.auth.authenticator import Authenticator
from app.auth.principals import Principal
from app.auth.sessions import NOBODY_IN_PARTICULAR, Session
from app.auth.shown import not_authorized, shown_credential
from app.auth.tokens import InvalidToken
from app.errors import NotAuthorizedException

EXTENSION = "bingsan.authenticator"


def authenticate() -> Session:
    """Find out who asks; every view function but those of open routes runs behind it.

    :raises NotAuthorizedException: when that is needed and the request does not show it
    :raises TooManyRequestsException: who asks has asked too often
    """
    authenticator: Authenticator | None = current_app.extensions[EXTENSION]
    g.security_version = 0
    if authenticator is None:
        current = NOBODY_IN_PARTICULAR
        admit_address()
    else:
        try:
            current = _session(authenticator)
        except NotAuthorizedException:
            admit_address()
            raise
        admit_principal(current.principal.name)
    g.session = current
    request.environ["bingsan.principal"] = current.principal.name
    return current


def session() -> Session:
    """The session of the request at hand."""
    return cast(Session, g.session)


def principal() -> Principal:
    """Who makes the request at hand."""
    return session().principal


def security_version() -> int:
    """The ``security_version`` that the request at hand goes by; 0 without authentication."""
    return cast(int, g.security_version)


def _session(authenticator: Authenticator) -> Session:
    credential = _credential()
    # The worker may have asked already, after the request came.
    g.security_version = request.environ.get("bingsan.security_version") or authenticator.freshness.version()
    try:
        return authenticator.session(credential, g.security_version)
    except InvalidToken as error:
        raise not_authorized(str(error), error.reason, "invalid_token") from error
    except NotAuthorizedException as error:
        raise not_authorized(error.message, "provider", "invalid_token") from error


def _credential() -> str:
    environ = request.environ
    return shown_credential(environ.get("HTTP_AUTHORIZATION"), environ.get("HTTP_X_API_KEY", ""))
