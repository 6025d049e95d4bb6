"""Settings of authentication and authorization."""

# ruff: noqa: RUF009 - section() makes a dataclass field, not a default

from dataclasses import dataclass

from app.config.openid import OpenIdSettings
from app.config.options import boolean, choice, duration, integer, secret, section, text


@dataclass(frozen=True)
class OAuth2Settings:
    enabled: bool = boolean(False, "Accept access tokens, and give them out at /v1/oauth/tokens.")
    client_id: str = text(
        "", "Name of a principal that is made at start, with administer on the server; for the first one."
    )
    client_secret: str = secret(
        "",
        "Its client secret, at least 16 characters; when it changes the one before ends at the next start.",
    )


@dataclass(frozen=True)
class ApiKeySettings:
    enabled: bool = boolean(False, "Accept API keys.")


@dataclass(frozen=True)
class AclSettings:
    enabled: bool = boolean(
        True,
        "Whether privileges are asked for; without, whoever is authenticated may do all but manage principals, roles,"
        " grants, keys and the audit.",
    )
    default_permission: str = choice(
        "none",
        ("none", "read", "write", "manage"),
        "What whoever is authenticated may do with everything, beside what was granted: nothing; load and read; write,"
        " create and set properties as well; all of it but what is about security.",
    )


@dataclass(frozen=True)
class AuthSettings:
    enabled: bool = boolean(
        False, "Whether requests must show who makes them; needs one of the methods below."
    )
    token_expiry: float = duration(
        "1h", "How long an access token is good; 15 minutes or more are best.", low="1s"
    )
    signing_key: str = secret(
        "",
        "Signs access tokens: 32 bytes in base64 (`openssl rand -base64 32`), the same on all nodes. Older keys, whose"
        " tokens are still accepted, follow it after commas. Only a node with an embedded database makes its own.",
    )
    oauth2: OAuth2Settings = section(OAuth2Settings)
    api_key: ApiKeySettings = section(ApiKeySettings)
    acl: AclSettings = section(AclSettings)
    max_failures_per_minute: int = integer(
        20,
        1,
        10_000,
        "Wrong secrets that one address may send to the token endpoint within a minute (per worker); then 429.",
    )
    openid: OpenIdSettings = section(OpenIdSettings)
