"""Tokens of external OpenID providers: whether they are good, and what they say of whom.

Source: RFC 7519 (JWT), RFC 8725 (its best practices), RFC 9068 (access tokens), OpenID Connect Discovery 1.0.
"""

from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import jwt
import msgspec

from app.auth.claims import Mapping, is_sane, printable_claim, text_claim
from app.auth.fetching import FetchFailed, Source
from app.auth.jwks import Key, KeySet, read_key_set
from app.auth.key_store import KeyStore
from app.config import ProviderSettings
from app.config.openid_checks import url_problem
from app.errors import NotAuthorizedException
from app.observability.logs import get_logger

_LONGEST_TOKEN = 16 * 1024
_LONGEST_SUBJECT = 255
_LONGEST_TOKEN_ID = 100
_DISCOVERY = "/.well-known/openid-configuration"
_Part = TypeVar("_Part")
_log = get_logger("openid")


class TokenRefused(NotAuthorizedException):
    """``reason`` is for the log; the client only reads whether its token has expired."""

    def __init__(self, reason: str, message: str = "The token is not accepted") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a provider vouches for. Times are seconds since the epoch; ``roles`` are names of roles of ours.

    ``recheck_seconds`` is for how long the provider's keys, and so the token, may be remembered as good.
    """

    provider: str
    issuer: str
    subject: str
    roles: tuple[str, ...]
    expires_at: float
    issued_at: float | None = None
    token_id: str | None = None
    display_name: str | None = None
    may_create: bool = True
    recheck_seconds: float = 0.0

    @property
    def name(self) -> str:
        """The name of the principal; no local one has a colon."""
        return f"{self.provider}:{self.subject}"

    @property
    def credential(self) -> str:
        """What the token is called; providers need not give it an id."""
        name = f":{self.token_id}" if self.token_id else ""
        return f"openid:{self.provider}{name}"


class _Header(msgspec.Struct):
    alg: str
    kid: str | None = None
    typ: str | None = None
    crit: Any = None


class _Issuer(msgspec.Struct):
    iss: str


class OpenIdProviders:
    """The configured providers by issuer."""

    def __init__(self, providers: Iterable[ProviderSettings]) -> None:
        self._by_issuer = {settings.issuer: Provider(settings) for settings in providers}

    def find(self, token: str) -> "Provider | None":
        """The provider that a token claims to be of; nothing is verified."""
        if not self._by_issuer or len(token) > _LONGEST_TOKEN:
            return None
        claimed = _part(token, 1, _Issuer)
        if claimed is None:
            return None
        if claimed.iss not in self._by_issuer:
            # What goes wrong most often with a new provider, and nobody else knows.
            _log.warning("token of an issuer that is not configured", issuer=claimed.iss[:200])
        return self._by_issuer.get(claimed.iss)


class Provider:
    """One provider.

    :param fetch: how its keys are had; by default from where the settings say
    """

    def __init__(self, settings: ProviderSettings, fetch: Callable[[], KeySet] | None = None) -> None:
        self._settings = settings
        self._mapping = Mapping(settings)
        self._source = Source(
            settings.ca_file, settings.token_file, settings.jwks_url or self._discovery_url()
        )
        self._keys = KeyStore(
            settings.name, fetch or self._fetch_keys, settings.keys_refresh, settings.keys_keep
        )

    @property
    def name(self) -> str:
        return self._settings.name

    def verify(self, token: str) -> Vouched:
        """
        :raises TokenRefused: when the token is not good
        :raises ServiceUnavailableException: when the provider's keys cannot be had
        """
        header = self._check_header(_part(token, 0, _Header))
        key = self._keys.find(header.kid, header.alg)
        if key is None:
            raise TokenRefused(f"the provider has no key {(header.kid or '')[:100]!r} for {header.alg}")
        return self._read(self._decode(token, header.alg, key))

    def _check_header(self, header: _Header | None) -> _Header:
        if header is None:
            raise TokenRefused("its header cannot be read")
        if header.alg not in self._settings.algorithms:
            raise TokenRefused(f"its algorithm {header.alg[:20]!r} is not among those of the settings")
        if header.crit is not None:
            raise TokenRefused("its header has critical extensions")
        kind = (header.typ or "JWT").lower().removeprefix("application/")
        if kind not in {allowed.lower() for allowed in self._settings.token_types}:
            raise TokenRefused(f"its type {kind[:40]!r} is not among those of the settings")
        return header

    def _decode(self, token: str, algorithm: str, key: Key) -> dict[str, Any]:
        settings = self._settings
        try:
            return jwt.decode(
                token,
                key.public,
                algorithms=[algorithm],
                audience=settings.audience,
                issuer=settings.issuer,
                leeway=settings.clock_skew,
                options={"require": ["exp", "iss", "aud"], "verify_sub": False, "verify_jti": False},
            )
        except jwt.ExpiredSignatureError:
            raise TokenRefused("it has expired", "The token has expired") from None
        except jwt.ImmatureSignatureError as error:
            raise TokenRefused(str(error), "The token is not valid yet") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            raise TokenRefused(f"{type(error).__name__}: {error}") from None

    def _read(self, claims: dict[str, Any]) -> Vouched:
        settings = self._settings
        if "cnf" in claims:
            raise TokenRefused("it is bound to a key of its owner, so the token alone proves nothing")
        if "events" in claims:
            raise TokenRefused("it tells of an event")
        unmet = self._mapping.unmet(claims)
        if unmet:
            raise TokenRefused(f"its claim {unmet} is not what required_claims asks for")
        subject = text_claim(claims, settings.subject_claim)
        if subject is None or not is_subject(subject):
            raise TokenRefused(
                f"its claim {settings.subject_claim} is missing or no text of at most 255 characters"
            )
        issued_at = claims.get("iat")
        return Vouched(
            settings.name,
            settings.issuer,
            subject,
            self._mapping.roles(claims, subject),
            # The clocks may be that far apart, so it is as long as it would be taken anew.
            float(claims["exp"]) + settings.clock_skew,
            None if issued_at is None else max(0.0, float(issued_at)),
            printable_claim(claims, "jti", _LONGEST_TOKEN_ID),
            printable_claim(claims, settings.name_claim),
            settings.create_principals,
            settings.keys_refresh,
        )

    def _fetch_keys(self) -> KeySet:
        url = self._settings.jwks_url or self._discover()
        try:
            keys = read_key_set(self._source.fetch(url))
        except ValueError as error:
            raise FetchFailed(f"{url} is no key set: {error}") from None
        if not keys:
            raise FetchFailed(f"{url} has no key that signatures can be verified with")
        return keys

    def _discovery_url(self) -> str:
        return self._settings.discovery_url or self._settings.issuer.rstrip("/") + _DISCOVERY

    def _discover(self) -> str:
        """The address of the keys, from a document that has to be about the same issuer."""
        url = self._discovery_url()
        document = self._source.fetch(url)
        if document.get("issuer") != self._settings.issuer:
            raise FetchFailed(f"{url} is about the issuer {str(document.get('issuer'))[:200]!r}")
        keys = document.get("jwks_uri")
        if not isinstance(keys, str):
            raise FetchFailed(f"{url} has no jwks_uri")
        problem = url_problem(keys.partition("?")[0], allow_http=self._settings.allow_http)
        if not problem and url.startswith("https:") and not keys.startswith("https:"):
            problem = "unencrypted"
        if problem:
            raise FetchFailed(f"jwks_uri of {url}: {problem}")
        return keys


def is_subject(text: str) -> bool:
    """Whether a provider may call somebody that."""
    return is_sane(text, _LONGEST_SUBJECT)


def _part(token: str, index: int, kind: type[_Part]) -> _Part | None:
    """A part of a token as JSON, or nothing when it is not what it should be; nothing is verified."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        return msgspec.json.decode(
            urlsafe_b64decode(parts[index] + "=" * (-len(parts[index]) % 4)), type=kind
        )
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
