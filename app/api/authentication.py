"""Who makes the request at hand."""

from typing import cast

from app.api.at_hand import AtHand, at_hand
from app.api.rate_limit import admit_address, admit_principal
from app.auth.authenticator import Authenticator
from app.auth.principals import Principal
from app.auth.sessions import NOBODY_IN_PARTICULAR, Session
from app.auth.shown import not_authorized, shown_credential
from app.auth.tokens import InvalidToken
from app.errors import NotAuthorizedException


def authenticate() -> Session:
    """Find out who asks; every view function but those of open routes runs behind it.

    :raises NotAuthorizedException: when that is needed and the request does not show it
    :raises TooManyRequestsException: who asks has asked too often
    """
    here = at_hand()
    authenticator = here.services.authenticator
    here.security_version = 0
    if authenticator is None:
        found = NOBODY_IN_PARTICULAR
        admit_address()
    else:
        try:
            found = _session(here, authenticator)
        except NotAuthorizedException:
            admit_address()
            raise
        admit_principal(found.principal.name)
    here.session = found
    here.request.environ["bingsan.principal"] = found.principal.name
    return found


def session() -> Session:
    """The session of the request at hand."""
    return cast(Session, at_hand().session)


def principal() -> Principal:
    """Who makes the request at hand."""
    return session().principal


def _session(here: AtHand, authenticator: Authenticator) -> Session:
    environ = here.request.environ
    credential = shown_credential(environ.get("HTTP_AUTHORIZATION"), environ.get("HTTP_X_API_KEY", ""))
    # The worker may have asked already, after the request came.
    here.security_version = environ.get("bingsan.security_version") or authenticator.freshness.version()
    try:
        return authenticator.session(credential, here.security_version)
    except InvalidToken as error:
        raise not_authorized(str(error), error.reason, "invalid_token") from error
    except NotAuthorizedException as error:
        raise not_authorized(error.message, "provider", "invalid_token") from error
