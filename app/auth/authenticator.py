"""From a credential to a session."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.auth.freshness import Freshness
from app.auth.keys import hash_key, is_key
from app.auth.last_used import LastUsed
from app.auth.principals import Principal
from app.auth.sessions import Session, SessionCache
from app.auth.tokens import AccessToken, InvalidToken, Signer, signing_keys
from app.config import Settings
from app.db import Database

Provider = Callable[[str], Session | None]
"""Makes the token of an external provider a session; None when the token is not one of its own.

It raises NotAuthorizedException when the token does not hold.
"""


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Knows every kind of credential that the settings allow. Safe to share between greenlets."""

    db: Database
    freshness: Freshness
    last_used: LastUsed
    signer: Signer | None = None
    accepts_keys: bool = True
    providers: Sequence[Provider] = ()
    cache: SessionCache = field(default_factory=SessionCache)

    def session(self, credential: str, version: int) -> Session:
        """Return whose credential it is, remembered as long as nothing changed since ``version``.

        :param version: the newest ``security_version`` that the request at hand knows of
        :raises InvalidToken: when it is nobody's, or not any more
        """
        digest = hashlib.sha256(credential.encode("utf-8", "surrogateescape")).digest()
        session = self.remembered(digest, version)
        if session is None:
            session = self.load(credential)
            self.cache.keep(digest, version, session)
            self._note(session)
        return session

    def remembered(self, digest: bytes, version: int) -> Session | None:
        """Return the session of a credential, by its SHA-256, if nothing has to be looked up for it."""
        session = self.cache.find(digest, version)
        if session is not None:
            self._note(session)
        return session

    def _note(self, session: Session) -> None:
        if session.key_id is not None:
            self.last_used.note(session.key_id)

    def load(self, credential: str) -> Session:
        """
        :raises InvalidToken: when it is nobody's, or not any more
        :raises NotAuthorizedException: when an external provider's token does not hold
        """
        if is_key(credential):
            return self._of_key(credential)
        if self.signer is not None and self.signer.is_own(credential):
            return self.of_token(self.signer.read(credential))
        for provider in self.providers:
            session = provider(credential)
            if session is not None:
                return session
        raise InvalidToken("it is not a credential that this server knows")

    def of_token(self, token: AccessToken) -> Session:
        """Return the session of a token whose signature is good.

        :raises InvalidToken: when it was revoked, by itself or with its principal or the credential behind it
        """
        kind, _, number = token.credential.partition(":")
        row = self.db.fetch_one(
            "load_token_session",
            principal_id=token.principal_id,
            token_id=token.id,
            issued_at=token.issued_at,
            key_id=int(number) if kind == "key" else None,
            secret_id=int(number) if kind == "secret" else None,
        )
        if row is None:
            raise InvalidToken("the token has been revoked", "revoked")
        return Session(
            Principal(token.principal_id, row.name, row.kind),
            f"token:{token.id}",
            frozenset(token.scopes),
            _sooner(token.expires_at, row.expires_at),
            token.roles,
            granting=frozenset(token.scopes) if kind == "key" else frozenset(),
        )

    def _of_key(self, key: str) -> Session:
        row = self.db.fetch_one("load_key_session", key_hash=hash_key(key)) if self.accepts_keys else None
        if row is None:
            raise InvalidToken("it is not an API key that this server knows, or not any more")
        scopes = frozenset(row.scopes)
        return Session(
            Principal(row.principal_id, row.principal_name, row.principal_kind),
            f"key:{row.id}",
            scopes,
            None if row.expires_at is None else row.expires_at.timestamp(),
            granting=scopes,
            key_id=row.id,
        )


def _sooner(seconds: float, at: datetime | None) -> float:
    return seconds if at is None else min(seconds, at.timestamp())


def authenticator_of(settings: Settings, db: Database, providers: Sequence[Provider] = ()) -> Authenticator:
    """Return the authenticator of one worker as the settings want it."""
    auth = settings.auth
    return Authenticator(
        db,
        Freshness.of(db),
        LastUsed(db),
        Signer(signing_keys(auth.signing_key)) if auth.oauth2.enabled else None,
        accepts_keys=auth.api_key.enabled,
        providers=providers,
    )
