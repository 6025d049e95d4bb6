"""Who makes the request at hand."""

from typing import cast

from flask import g, request

from app.auth.principals import Principal
from app.auth.sessions import NOBODY_IN_PARTICULAR, Session


def authenticate() -> Session:
    """Find out who asks; every view function but those of open routes runs behind it.

    :raises NotAuthorizedException: when that is needed and the request does not show it
    """
    current = NOBODY_IN_PARTICULAR
    g.session = current
    request.environ["bingsan.principal"] = current.principal.name
    return current


def session() -> Session:
    """The session of the request at hand."""
    return cast(Session, g.session)


def principal() -> Principal:
    """Who makes the request at hand."""
    return session().principal
