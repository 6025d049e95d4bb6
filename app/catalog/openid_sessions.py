"""Sessions of principals that an external OpenID provider vouches for; they get a row when they are first seen."""

import time
from collections.abc import Callable

from app.auth.openid import OpenIdProviders, TokenRefused, Vouched
from app.auth.principals import Principal
from app.auth.sessions import Session
from app.catalog.principal_rows import record_security
from app.changes.origin import Origin
from app.config import Settings
from app.db import Database, Row
from app.observability.logs import get_logger

_log = get_logger("openid")


class OpenIdSessions:
    """
    :param origin_of: says where the request at hand comes from; it is given who makes it, and by what credential
    """

    def __init__(
        self, settings: Settings, db: Database, origin_of: Callable[[Principal, str], Origin]
    ) -> None:
        self._providers = OpenIdProviders(settings.auth.openid.all().values())
        self._db = db
        self._origin_of = origin_of

    def __call__(self, token: str) -> Session | None:
        """The session of a token that one of the providers issued, None for others.

        :raises TokenRefused: when the token is not good, or its principal may not come in
        :raises ServiceUnavailableException: when the provider's keys cannot be had
        """
        provider = self._providers.find(token)
        if provider is None:
            return None
        try:
            session = self._session(provider.verify(token))
        except TokenRefused as refusal:
            _log.warning("token of a provider refused", provider=provider.name, reason=refusal.reason)
            raise
        _log.debug(
            "token of a provider accepted", principal=session.principal.name, roles=list(session.roles)
        )
        return session

    def _session(self, vouched: Vouched) -> Session:
        row = self._load(vouched) or self._create(vouched) or self._load(vouched)
        if row is None:
            raise TokenRefused(f"the name {vouched.name} is that of a principal of another issuer")
        return _session(vouched, Principal(row.id, row.name, "openid"))

    def _load(self, vouched: Vouched) -> Row:
        row = self._db.fetch_one(
            "load_openid_principal",
            issuer=vouched.issuer,
            subject=vouched.subject,
            issued_at=vouched.issued_at,
            token_id=vouched.credential if vouched.token_id else None,
        )
        if row is not None:
            _check(row)
        return row

    def _create(self, vouched: Vouched) -> Row:
        if not vouched.may_create:
            raise TokenRefused(f"there is no principal {vouched.name}, and create_principals is false")
        with self._db.transaction() as tx:
            row = tx.fetch_one(
                "create_openid_principal",
                name=vouched.name,
                issuer=vouched.issuer,
                subject=vouched.subject,
                created_by=vouched.name,
            )
            if row is not None:
                # security_version stays: of somebody new nobody can remember anything.
                origin = self._origin_of(Principal(row.id, row.name, "openid"), vouched.credential)
                details = {"display-name": vouched.display_name} if vouched.display_name else {}
                record_security(tx, "principal.created", row, origin, issuer=vouched.issuer, **details)
        return row


def _check(row: Row) -> None:
    if row.deleted:
        raise TokenRefused(f"the principal {row.name} has been deleted")
    if row.disabled:
        raise TokenRefused(f"the principal {row.name} is disabled")
    if row.revoked:
        raise TokenRefused("the token has been revoked")
    if not row.issued_in_time:
        raise TokenRefused(f"all tokens of {row.name} that were issued until then have been revoked")


def _session(vouched: Vouched, principal: Principal) -> Session:
    return Session(
        principal,
        vouched.credential,
        expires_at=vouched.expires_at,
        roles=vouched.roles,
        recheck_at=time.time() + vouched.recheck_seconds,
    )
