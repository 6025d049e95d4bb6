"""Giving out access tokens: RFC 6749 (client credentials) and RFC 8693 (token exchange), as Iceberg's clients use them.

Java refreshes a token by exchanging it, also after it has expired; then it authenticates as a client beside it.
"""

import base64
import binascii
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote_plus

from app.auth.authenticator import Authenticator
from app.auth.keys import is_key
from app.auth.principals import Principal
from app.auth.scopes import CATALOG, known, wider
from app.auth.secrets import SecretChecks
from app.auth.sessions import Session
from app.auth.tokens import AccessToken, InvalidToken, Signer
from app.config import Settings
from app.errors import NotAuthorizedException

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
TOKEN_TYPES = tuple(
    f"urn:ietf:params:oauth:token-type:{kind}"
    for kind in ("access_token", "refresh_token", "id_token", "saml1", "saml2", "jwt")
)
ACCESS_TOKEN, JWT = TOKEN_TYPES[0], TOKEN_TYPES[-1]
EXPIRED_FOR = 7 * 86_400.0
"""Seconds after its end in which a client may still exchange a token that was its own."""


class OAuthError(Exception):
    """A refusal; ``code`` is one of RFC 6749 (section 5.2), the text says what is wrong."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


class WrongSecret(OAuthError):
    """Somebody may be guessing."""

    def __init__(self) -> None:
        super().__init__("invalid_client", "unknown client, or not its secret")


class TokenRequest(NamedTuple):
    """The parameters, and what the header Authorization holds: ``basic`` still encoded, or ``bearer``."""

    parameters: Mapping[str, str]
    basic: str = ""
    bearer: str = ""

    @property
    def shows_secret(self) -> bool:
        """Whether somebody claims to be a client."""
        return bool(self.basic or self.parameters.get("client_secret"))

    @property
    def client_id(self) -> str:
        """The client that the request names, empty for none; whether it is one is not checked."""
        if self.basic:
            with suppress(OAuthError):
                return _decode_basic(self.basic)[0]
        return self.parameters.get("client_id", "")

    def required(self, name: str) -> str:
        value = self.parameters.get(name, "")
        if not value:
            raise OAuthError("invalid_request", f"{name} is missing")
        return value

    def scopes(self) -> tuple[str, ...]:
        return known(self.parameters.get("scope", "").split())


class Origin(NamedTuple):
    """What a new token comes from, and what it therefore cannot exceed."""

    principal_id: int
    scopes: tuple[str, ...]
    credential: str = ""
    until: float | None = None
    roles: tuple[str, ...] = ()


class Issued(NamedTuple):
    """``text`` is what ``token`` says, signed; ``expires_in`` is in seconds."""

    text: str
    token: AccessToken
    expires_in: int
    principal: Principal


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """``lifetime`` is that of a token in seconds."""

    authenticator: Authenticator
    signer: Signer
    lifetime: float
    checks: SecretChecks = field(default_factory=SecretChecks)

    def issue(self, request: TokenRequest) -> Issued:
        """
        :raises OAuthError: when there is no token for this request
        """
        grant = request.required("grant_type")
        if grant == "client_credentials":
            origin = self._client(request)
            if origin is None:
                raise OAuthError("invalid_client", "client_id and client_secret are needed")
            return self._sign(origin, request.scopes())
        if grant == EXCHANGE:
            return self._sign(self._exchanged(request), request.scopes())
        raise OAuthError("unsupported_grant_type", f"grant_type is none of client_credentials and {EXCHANGE}")

    def _sign(self, origin: Origin, requested: tuple[str, ...]) -> Issued:
        # Clients ask for the scope catalog unless they are told otherwise: what there is.
        scopes = origin.scopes if requested in ((), (CATALOG,)) else requested
        if wider(scopes, origin.scopes):
            raise OAuthError("invalid_scope", f"no more than {' '.join(origin.scopes)} can be had")
        row = self.authenticator.db.fetch_one("load_issuing", id=origin.principal_id)
        if row is None:
            raise OAuthError("invalid_grant", "the principal has been disabled or deleted")
        now = time.time()
        expires_at = now + self.lifetime if origin.until is None else min(now + self.lifetime, origin.until)
        token = AccessToken(
            principal_id=origin.principal_id,
            scopes=scopes,
            issued_at=row.issued_at,
            expires_at=expires_at,
            credential=origin.credential,
            until=origin.until,
            roles=origin.roles,
        )
        principal = Principal(row.id, row.name, row.kind)
        return Issued(self.signer.sign(token), token, max(1, round(expires_at - now)), principal)

    def _client(self, request: TokenRequest) -> Origin | None:
        """The client that authenticates itself, None if none does."""
        offered = list(_credentials(request))
        for name, secret in offered:
            rows = self.authenticator.db.fetch_all("list_client_secrets", name=name)
            index = self.checks.match([row.secret_hash for row in rows], secret)
            if index is not None and not rows[index].disabled:
                row = rows[index]
                until = None if row.expires_at is None else row.expires_at.timestamp()
                return Origin(row.principal_id, (CATALOG,), f"secret:{row.id}", until)
        if offered:
            raise WrongSecret
        return None

    def _exchanged(self, request: TokenRequest) -> Origin:
        subject = request.required("subject_token")
        _check_types(request)
        client, actor = self._client(request), self._actor(request)
        if client is not None and actor is not None and actor.principal_id != client.principal_id:
            raise OAuthError("invalid_grant", "the bearer token is another principal's than the client")
        origin = self._own(subject, is_client=client is not None)
        if origin is None:
            # A claim of somebody else about somebody: the one who shows it acts, as itself.
            return client or actor or self._stranger(subject)
        for other in (client, actor):
            if other is not None and other.principal_id != origin.principal_id:
                raise OAuthError("invalid_grant", "the subject token is another principal's")
        return origin if client is None else origin._replace(credential=client.credential, until=client.until)

    def _own(self, subject: str, *, is_client: bool) -> Origin | None:
        """What a token or key of this server stands for; None for what others made."""
        if not is_key(subject) and not self.signer.is_own(subject):
            return None
        try:
            return self._origin(subject, expired_for=EXPIRED_FOR if is_client else 0.0)
        except InvalidToken as error:
            raise OAuthError("invalid_grant", f"the subject token does not hold: {error}") from error

    def _actor(self, request: TokenRequest) -> Origin | None:
        """Who sends the request by its bearer token or actor token; None if they say nothing that holds."""
        found = None
        for text in (request.bearer, request.parameters.get("actor_token", "")):
            try:
                other = self._origin(text) if text else None
            except InvalidToken:
                continue  # the subject may be that very token, expired
            if found is not None and other is not None and found.principal_id != other.principal_id:
                raise OAuthError(
                    "invalid_grant", "the bearer token and the actor token are not one principal's"
                )
            found = found or other
        return found

    def _stranger(self, subject: str) -> Origin:
        try:
            return self._origin(subject)
        except InvalidToken as error:
            raise OAuthError("invalid_grant", f"the subject token does not hold: {error}") from error

    def _origin(self, text: str, *, expired_for: float = 0.0) -> Origin:
        if not is_key(text) and self.signer.is_own(text):
            token = self.signer.read(text, expired_for=expired_for)
            self.authenticator.of_token(token)
            return Origin(token.principal_id, token.scopes, token.credential, token.until, token.roles)
        try:
            return _of_session(self.authenticator.load(text))
        except NotAuthorizedException as error:
            raise InvalidToken(error.message) from error


def issuer_of(settings: Settings, authenticator: Authenticator | None) -> TokenIssuer | None:
    """Return what gives out tokens, None where nobody does."""
    if authenticator is None or authenticator.signer is None:
        return None
    return TokenIssuer(authenticator, authenticator.signer, settings.auth.token_expiry)


def _of_session(session: Session) -> Origin:
    assert session.principal.id is not None, "whoever has a credential has a row"
    scopes = tuple(sorted(session.scopes)) or (CATALOG,)
    credential = session.credential if session.key_id is not None else ""
    return Origin(session.principal.id, scopes, credential, session.expires_at, session.roles)


def _credentials(request: TokenRequest) -> Iterator[tuple[str, str]]:
    """The pairs of name and secret that a request may mean: clients encode those of Basic, or do not."""
    name, secret = (request.parameters.get(key, "") for key in ("client_id", "client_secret"))
    if request.basic:
        basic_name, basic_secret = _decode_basic(request.basic)
        names = {basic_name, unquote_plus(basic_name)}
        secrets = {basic_secret, unquote_plus(basic_secret)}
        if (name and name not in names) or (secret and secret not in secrets):
            raise OAuthError("invalid_request", "Authorization and the body name different clients")
        yield basic_name, basic_secret
        decoded = unquote_plus(basic_name), unquote_plus(basic_secret)
        if decoded != (basic_name, basic_secret) and not any("\0" in text for text in decoded):
            yield decoded
    elif secret:
        yield name, secret


def _decode_basic(text: str) -> tuple[str, str]:
    try:
        name, colon, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise OAuthError("invalid_client", "Authorization: Basic is not base64 of name:secret") from error
    if not colon or "\0" in name + secret:
        raise OAuthError("invalid_client", "Authorization: Basic is not base64 of name:secret")
    return name, secret


def _check_types(request: TokenRequest) -> None:
    if request.required("subject_token_type") not in TOKEN_TYPES:
        raise OAuthError("invalid_request", "subject_token_type is none that is known")
    if request.parameters.get("actor_token_type", ACCESS_TOKEN) not in TOKEN_TYPES:
        raise OAuthError("invalid_request", "actor_token_type is none that is known")
    if request.parameters.get("requested_token_type", ACCESS_TOKEN) not in (ACCESS_TOKEN, JWT):
        raise OAuthError("invalid_request", f"requested_token_type can only be {ACCESS_TOKEN}")
