"""Settings of external OpenID providers: one in variables or the file, any number as a list in the file."""

from dataclasses import dataclass, replace
from typing import Any

from app.config.item_list import item_list
from app.config.options import boolean, choice, duration, text, text_list

KUBERNETES = "kubernetes"
# Key pairs only: with a shared secret whoever can verify a token can also make one.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
_IN_CLUSTER = {
    "issuer": "https://kubernetes.default.svc.cluster.local",
    "jwks_url": "https://kubernetes.default.svc/openid/v1/jwks",
    "ca_file": "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
    "token_file": "/var/run/secrets/kubernetes.io/serviceaccount/token",
}


@dataclass(frozen=True)
class ProviderSettings:
    name: str = text("openid", "Name of the provider: its principals are called `name:subject`.")
    type: str = choice(
        "generic",
        ("generic", KUBERNETES),
        "`kubernetes` takes the service accounts of the cluster it runs in.",
    )
    issuer: str = text("", "Issuer, exactly as the tokens name it; without it there is no such provider.")
    audience: tuple[str, ...] = text_list("Audiences that tokens may be for; at least one.")
    discovery_url: str = text(
        "", "URL of the discovery document; default: `/.well-known/openid-configuration` below the issuer."
    )
    jwks_url: str = text("", "URL of the provider's keys; default: what the discovery document says.")
    allow_http: bool = boolean(False, "Permit unencrypted URLs of other machines; never in production.")
    ca_file: str = text(
        "", "File of the authorities that its certificate is checked by; default: the system's."
    )
    token_file: str = text("", "File whose content is sent as bearer token when keys are fetched.")
    algorithms: tuple[str, ...] = text_list("Algorithms that tokens may be signed with.", "RS256,ES256")
    token_types: tuple[str, ...] = text_list(
        "Values of `typ` in a token's header; without one it counts as JWT. `at+jwt` alone takes access tokens"
        " of RFC 9068 only.",
        "JWT,at+jwt",
    )
    clock_skew: float = duration("60s", "How far the clocks may be apart.", high="5m")
    subject_claim: str = text("sub", "Claim that names the principal for good, unique within the provider.")
    name_claim: str = text(
        "", "Claim with a readable name of the principal, kept in the change log when it is created."
    )
    roles_claim: str = text(
        "", "Claim with the roles or groups, a path such as `realm_access.roles`; a list, or words."
    )
    role_mapping: tuple[str, ...] = text_list(
        "Which role here a role of the claim gives, as `theirs=ours`; one of theirs may be named often."
    )
    roles_by_name: bool = boolean(
        False, "A role of the claim without mapping gives the role here that has the same name."
    )
    default_roles: tuple[str, ...] = text_list("Roles here that every principal of the provider has.")
    required_claims: tuple[str, ...] = text_list(
        "What tokens must say, as `claim=value`; of a claim with many values one has to be it."
    )
    create_principals: bool = boolean(
        True, "Create a principal when its first token comes; otherwise it has to be there."
    )
    keys_refresh: float = duration(
        "5m", "Age at which keys are fetched again; until then a withdrawn key is still good.", low="1s"
    )
    keys_keep: float = duration(
        "12h", "How long keys are used while the provider cannot be reached; then 503.", low="1s"
    )

    def complete(self) -> "ProviderSettings":
        """With what a provider of this type has by default."""
        if self.type != KUBERNETES:
            return self
        in_cluster = not (self.jwks_url or self.discovery_url)
        names = _IN_CLUSTER if in_cluster else ("issuer",)
        missing: dict[str, Any] = {name: _IN_CLUSTER[name] for name in names if not getattr(self, name)}
        return replace(self, **missing)


@dataclass(frozen=True)
class OpenIdSettings(ProviderSettings):
    providers: tuple[ProviderSettings, ...] = item_list(
        ProviderSettings,
        "More providers: a list of mappings with the keys above, in a variable as JSON.",
    )

    def all(self) -> dict[str, ProviderSettings]:
        """The complete providers by where they are set: ``auth.openid``, ``auth.openid.providers[0]``."""
        key = "auth.openid"
        own = {key: self.complete()} if self.issuer or self.type == KUBERNETES else {}
        listed = {
            f"{key}.providers[{index}]": item.complete() for index, item in enumerate(self.providers) if item
        }
        return {**own, **listed}
