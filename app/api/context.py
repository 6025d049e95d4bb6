"""What a view function needs to know about the process and about the request at hand."""

import time
from dataclasses import dataclass
from typing import Any

from werkzeug.wsgi import get_content_length

from app.api.at_hand import at_hand
from app.api.authentication import session
from app.api.delegation import requested_delegation
from app.api.idempotency import idempotency_key
from app.auth.attempts import Attempts
from app.auth.authenticator import Authenticator
from app.auth.authority import Authorities
from app.auth.decide import Policy
from app.auth.oauth import TokenIssuer
from app.auth.principals import Principal
from app.auth.rates import TokenBuckets
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.warehouses import Warehouses
from app.changes.audit import Audit
from app.changes.origin import Origin, shown_user_agent
from app.db.probe import Probe
from app.db.row_buffer import RowBuffer
from app.observability.forwarding import CLIENT_ADDRESS


@dataclass(frozen=True, slots=True)
class Services:
    """What ``create_app`` wired for this process; ``buckets`` are None without a limit of rates."""

    catalog: Catalog
    warehouses: Warehouses
    probe: Probe
    reports: RowBuffer
    audit: Audit
    attempts: Attempts
    authorities: Authorities
    policy: Policy
    authenticator: Authenticator | None
    issuer: TokenIssuer | None
    buckets: TokenBuckets | None


def services() -> Services:
    return at_hand().services


def catalog() -> Catalog:
    return at_hand().services.catalog


def warehouse() -> Warehouse:
    """The warehouse that the request's path names."""
    return at_hand().warehouse


def caller() -> Caller:
    """Who asks for a change, until when, and under which idempotency key. Call it once the body is read."""
    here = at_hand()
    return Caller(
        origin(),
        time.monotonic() + here.services.catalog.settings.server.request_timeout,
        get_content_length(here.request.environ) or 0,
        idempotency_key(),
        requested_delegation(),
    )


def visitor(*delegation: str) -> Caller:
    """Who asks for something that changes nothing.

    :param delegation: ways to the files beside those that the request names
    """
    ways = tuple(dict.fromkeys((*requested_delegation(), *delegation)))
    expires = time.monotonic() + catalog().settings.server.request_timeout
    return Caller(origin(), expires, delegation=ways)


def origin() -> Origin:
    """Who makes this request, and from where."""
    asking = session()
    return origin_of(asking.principal, asking.credential)


def origin_of(principal: Principal, credential: str) -> Origin:
    """The same for somebody who shows who they are by this very request."""
    environ = at_hand().request.environ
    agent = environ.get("HTTP_USER_AGENT")
    return Origin(
        principal=principal.name,
        principal_id=principal.id,
        principal_kind=principal.kind,
        credential=credential or None,
        request_id=str(environ["bingsan.request_id"]),
        address=_address(environ),
        user_agent=shown_user_agent(agent) if agent else None,
    )


def client_address() -> str | None:
    """Where the request comes from: the address of the connection, or what a trusted proxy says."""
    return _address(at_hand().request.environ)


def request_id() -> str:
    return str(at_hand().request.environ["bingsan.request_id"])


def _address(environ: dict[str, Any]) -> str | None:
    return environ.get(CLIENT_ADDRESS) or environ.get("REMOTE_ADDR") or None
