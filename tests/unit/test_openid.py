"""Which tokens of a provider are good, and what they say."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from app.auth.jwks import read_key_set
from app.auth.openid import OpenIdProviders, Provider, TokenRefused
from app.config import ProviderSettings

ISSUER = "https://login.example/realms/lake"
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
SETTINGS = ProviderSettings(name="corp", issuer=ISSUER, audience=("catalog",))


def jwk(key: Any, **more: Any) -> dict[str, Any]:
    kind = {rsa.RSAPrivateKey: "RS256", ec.EllipticCurvePrivateKey: "ES256"}
    name = next((name for type_, name in kind.items() if isinstance(key, type_)), "EdDSA")
    algorithm = jwt.get_algorithm_by_name(name)
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "use": "sig", **more}


KEYS = {"keys": [jwk(RSA_KEY, kid="r"), jwk(EC_KEY, kid="e", alg="ES256")]}


def claims(**changes: Any) -> dict[str, Any]:
    now = time.time()
    given = {"iss": ISSUER, "aud": "catalog", "sub": "alice", "iat": now, "exp": now + 300, **changes}
    return {name: value for name, value in given.items() if value is not None}


def signed(key: Any = RSA_KEY, algorithm: str = "RS256", kid: str | None = "r", **changes: Any) -> str:
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(claims(**changes), key, algorithm, headers=headers)


def provider(keys: dict[str, Any] = KEYS, **changes: Any) -> Provider:
    return Provider(replace(SETTINGS, **changes).complete(), lambda: read_key_set(keys))


def refusal(token: str, **changes: Any) -> str:
    with pytest.raises(TokenRefused) as caught:
        provider(**changes).verify(token)
    return caught.value.reason


def raw(header: dict[str, Any], body: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(body).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize(
    "token",
    [signed(), signed(EC_KEY, "ES256", "e"), signed(aud=["other", "catalog"])],
    ids=["RS256", "ES256", "two audiences"],
)
def test_good_tokens_name_their_principal(token: str) -> None:
    vouched = provider().verify(token)
    assert (vouched.name, vouched.issuer, vouched.subject) == ("corp:alice", ISSUER, "alice")
    assert vouched.roles == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "other"}, "Audience"),
        ({"aud": ["other", "another"]}, "Audience"),
        ({"aud": None}, "aud"),
        ({"aud": {"catalog": True}}, "claim format"),
        ({"aud": "CATALOG"}, "Audience"),
        ({"iss": ISSUER + "/"}, "issuer"),
        ({"iss": None}, "iss"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"exp": float("inf")}, "exp"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "a" * 256}, "sub"),
        ({"sub": "a\nb"}, "sub"),
        ({"cnf": {"jkt": "x"}}, "bound"),
        ({"events": {}}, "event"),
    ],
    ids=str,
)
def test_claims_that_are_not_accepted(changes: dict[str, Any], reason: str) -> None:
    assert reason in refusal(signed(**changes))


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -50), ("nbf", 50), ("iat", 50)])
def test_clocks_may_be_a_minute_apart(claim: str, seconds: int) -> None:
    assert provider().verify(signed(**{claim: time.time() + seconds})).expires_at > time.time()
    further = signed(**{claim: time.time() + 2 * seconds})
    assert ("expired" if claim == "exp" else "not yet valid") in refusal(further)


def test_the_client_learns_that_its_token_has_expired_and_nothing_else() -> None:
    with pytest.raises(TokenRefused, match=r"^The token has expired$"):
        provider().verify(signed(exp=time.time() - 100))
    with pytest.raises(TokenRefused, match=r"^The token is not accepted$"):
        provider().verify(signed(aud="other"))


def test_unsigned_tokens_are_refused() -> None:
    assert "none" in refusal(raw({"alg": "none"}, claims()))
    assert "None" in refusal(raw({"alg": "None", "kid": "r"}, claims()))


def test_public_key_is_no_shared_secret() -> None:
    public = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for secret in (public, public.strip(), json.dumps(KEYS["keys"][0]).encode()):
        unsigned = raw({"alg": "HS256", "kid": "r", "typ": "JWT"}, claims()).rpartition(".")[0]
        signature = hmac.new(secret, unsigned.encode(), hashlib.sha256).digest()
        token = unsigned + "." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
        assert "HS256" in refusal(token)


def test_algorithm_belongs_to_the_kind_of_key() -> None:
    assert "no key" in refusal(signed(EC_KEY, "ES256", "r"))
    assert "no key" in refusal(signed(RSA_KEY, "RS256", "e"))
    assert "RS512" in refusal(signed(RSA_KEY, "RS512"))
    stronger = {"keys": [jwk(RSA_KEY, kid="r", alg="RS512")]}
    assert "no key" in refusal(signed(), keys=stronger)
    assert "no key" in refusal(
        signed(), keys={"keys": [jwk(RSA_KEY, kid="r", use="enc"), jwk(EC_KEY, kid="e")]}
    )


def test_key_in_the_token_itself_is_not_believed() -> None:
    other = rsa.generate_private_key(65537, 2048)
    headers = {
        "kid": "r",
        "jwk": jwk(other),
        "jku": "https://evil.example/keys",
        "x5u": "https://evil.example",
    }
    assert "Signature" in refusal(jwt.encode(claims(), other, "RS256", headers=headers))


def test_without_key_id_the_only_key_of_the_algorithm_is_meant() -> None:
    assert provider().verify(signed(kid=None)).subject == "alice"
    twice = {"keys": [*KEYS["keys"], jwk(rsa.generate_private_key(65537, 2048), kid="r2")]}
    assert "no key ''" in refusal(signed(kid=None), keys=twice)


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "jwt", None])
def test_types_of_tokens_that_are_for_us(typ: str | None) -> None:
    token = jwt.encode(claims(), RSA_KEY, "RS256", headers={"kid": "r", "typ": typ})
    assert provider().verify(token).subject == "alice"


@pytest.mark.parametrize("typ", ["logout+jwt", "secevent+jwt", "dpop+jwt"])
def test_types_of_tokens_that_are_not(typ: str) -> None:
    token = jwt.encode(claims(), RSA_KEY, "RS256", headers={"kid": "r", "typ": typ})
    assert typ in refusal(token)


def test_access_tokens_can_be_all_that_is_accepted() -> None:
    assert "'jwt'" in refusal(signed(), token_types=("at+jwt",))


def test_critical_extensions_are_refused() -> None:
    header = {"alg": "RS256", "kid": "r", "crit": ["b64"], "b64": False}
    assert "critical" in refusal(raw(header, claims(), b"x"))


def test_weak_and_unusable_keys_are_left_out() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    secret = {"kty": "oct", "k": base64.urlsafe_b64encode(b"x" * 32).decode(), "kid": "s"}
    private = jwt.get_algorithm_by_name("RS256").to_jwk(RSA_KEY, as_dict=True)
    entries = [jwk(weak, kid="w"), secret, {**private, "kid": "p"}, {}, 7, {"kty": "RSA", "n": "!"}, None]
    assert len(read_key_set({"keys": entries})) == 0
    with pytest.raises(ValueError, match="no list"):
        read_key_set({"keys": {}})


def test_other_kinds_of_keys_can_be_permitted() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    keys = {"keys": [jwk(key, kid="x", alg="Ed25519")]}
    token = signed(key, "EdDSA", "x")
    assert "EdDSA" in refusal(token, keys=keys)
    assert provider(keys, algorithms=("EdDSA",)).verify(token).subject == "alice"
    pss = signed(RSA_KEY, "PS256")
    assert provider(algorithms=("PS256",)).verify(pss).subject == "alice"


def test_tokens_are_sorted_by_their_issuer() -> None:
    providers = OpenIdProviders([SETTINGS])
    found = providers.find(signed())
    assert found is not None
    assert found.name == "corp"
    assert providers.find(signed(iss="https://other.example")) is None
    assert providers.find("bingsan_" + "x" * 43) is None
    assert providers.find(signed(padding="x" * 20_000)) is None
    assert OpenIdProviders([]).find(signed()) is None


@given(st.text() | st.text(alphabet="abcdefgh.e30=").map(lambda text: f"e30.{text}.e30"))
def test_garbage_is_nobodys(text: str) -> None:
    assert OpenIdProviders([SETTINGS]).find(text) is None
    with pytest.raises(TokenRefused):
        provider().verify(text)


def test_deep_nesting_is_refused() -> None:
    deep = base64.urlsafe_b64encode(b'{"iss":' + b"[" * 9000).decode()
    assert OpenIdProviders([SETTINGS]).find(f"{deep}.{deep}.x") is None
    assert "header" in refusal(f"{deep}.{deep}.x")


@pytest.fixture
def mapped() -> Provider:
    return provider(
        roles_claim="realm_access.roles",
        role_mapping=("admins=administrator", "cn=writers,dc=x=writer", "admins=auditor"),
        default_roles=("reader",),
    )


def roles(by: Provider, **changes: Any) -> tuple[str, ...]:
    return by.verify(signed(**changes)).roles


def test_roles_come_from_the_claim_by_the_mapping(mapped: Provider) -> None:
    assert roles(mapped) == ("reader",)
    assert roles(mapped, realm_access={"roles": ["admins", "others"]}) == (
        "administrator",
        "auditor",
        "reader",
    )
    assert roles(mapped, realm_access={"roles": ["cn=writers,dc=x", 7, None]}) == ("reader", "writer")
    assert roles(mapped, realm_access={"roles": "others admins"}) == ("administrator", "auditor", "reader")
    for odd in ({}, [], "admins", 7, None, {"roles": {"admins": True}}, {"roles": None}):
        assert roles(mapped, realm_access=odd) == ("reader",)


def test_roles_by_their_own_names_have_to_be_asked_for() -> None:
    assert roles(provider(roles_claim="groups"), groups=["administrator"]) == ()
    by_name = provider(roles_claim="groups", roles_by_name=True, role_mapping=("a=b",))
    assert roles(by_name, groups=["a", "c"]) == ("b", "c")


def test_names_of_claims_may_have_dots() -> None:
    by = provider(roles_claim="https://lake.example/roles", roles_by_name=True)
    assert roles(by, **{"https://lake.example/roles": ["a"]}) == ("a",)


def test_required_claims() -> None:
    required = {"required_claims": ("hd=example.com", "scope=catalog", "email_verified=true")}
    good = {"hd": "example.com", "scope": "openid catalog", "email_verified": True}
    assert provider(**required).verify(signed(**good)).subject == "alice"
    for name, wrong in (("hd", "evil.example"), ("scope", "openid"), ("email_verified", False), ("hd", None)):
        assert name in refusal(signed(**{**good, name: wrong}), **required)


def test_service_accounts_of_kubernetes() -> None:
    cluster = {"type": "kubernetes", "name": "kubernetes", "jwks_url": "https://k8s.example/openid/v1/jwks"}
    mapping = ("system:serviceaccounts:etl=writer", "system:serviceaccount:etl:loader=loader")
    token = signed(sub="system:serviceaccount:etl:loader")
    vouched = provider(**cluster, role_mapping=mapping).verify(token)
    assert vouched.name == "kubernetes:system:serviceaccount:etl:loader"
    assert vouched.roles == ("loader", "writer")
    other = signed(sub="system:serviceaccount:etl2:loader")
    assert provider(**cluster, role_mapping=mapping).verify(other).roles == ()
