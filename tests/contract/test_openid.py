"""Tokens of a real OpenID provider: which are accepted, who comes in with them, and what happens while it is away."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any
from urllib.parse import quote

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.conftest import SHARED, MakeServer
from tests.contract.calls import assert_error, ok
from tests.contract.rights import GRANTS, ROLES, WAREHOUSE, grant, revoke
from tests.factories import unique_name
from tests.support.identities import ACCESS_TOKEN, EXCHANGE, PRINCIPALS, Identities, secured_settings
from tests.support.postgres import DatabaseAddress
from tests.support.process import eventually
from tests.support.provider import AUDIENCE, Provider
from tests.support.server import Client, TestServer
from tests.support.warehouses import LocalWarehouse

# A key that is not known is looked for at the provider, not too often.
pytestmark = pytest.mark.once("each token is a question to the provider")
REFUSED = "token of a provider refused"
UNREACHABLE = "keys of the provider cannot be fetched"
AUTH = {"auth.enabled": "true"}
MODES = ("broken", "page", "huge", "elsewhere", "slow")


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def trusting(make_server: MakeServer, provider: Provider) -> Iterator[TestServer]:
    """A server that trusts the provider."""
    settings = secured_settings() | provider.settings(keys_refresh="1h")
    with make_server(settings=settings) as running:
        SHARED.append(running)
        yield running
        SHARED.remove(running)


@pytest.fixture
def anybody(trusting: TestServer) -> Iterator[Client]:
    with Client(trusting.url) as session:
        yield session


@pytest.fixture(scope="module")
def people(trusting: TestServer) -> Identities:
    return Identities(trusting)


@pytest.fixture
def own_provider() -> Iterator[Provider]:
    """A provider that a test may stop or break."""
    with Provider() as running:
        yield running


def ask(client: Client, token: str, **options: Any) -> requests.Response:
    return client.get("/v1/config", headers={"Authorization": f"Bearer {token}"}, **options)


def refused(client: Client, token: str) -> requests.Response:
    answer = ask(client, token)
    assert answer.status_code == 401, answer.text
    assert answer.json()["error"]["type"] == "NotAuthorizedException"
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    return answer


def logged(server: TestServer, message: str, reason: str) -> None:
    """Wait until the log says why."""

    def is_there() -> bool:
        return any(reason in line["reason"] for line in server.logs() if line.get("msg") == message)

    eventually(is_there, 10, f"the log has a line with {reason}")


def principals(server: TestServer) -> list[str]:
    assert server.database is not None
    rows = server.database.query("SELECT name FROM principals WHERE kind = 'openid' ORDER BY name")
    return [name for (name,) in rows]


def part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def decoded(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_principal_is_created_on_first_sight(
    anybody: Client, trusting: TestServer, provider: Provider, algorithm: str
) -> None:
    subject = unique_name("alice")
    for _ in range(3):
        assert ask(anybody, provider.token(subject, algorithm=algorithm)).status_code == 200
    assert principals(trusting).count(f"corp:{subject}") == 1
    assert trusting.database is not None
    rows = trusting.database.query(
        "SELECT principal, principal_kind, credential, details FROM changes WHERE name = %s",
        f"corp:{subject}",
    )
    [(who, kind, credential, details)] = rows
    assert (who, kind, details) == (f"corp:{subject}", "openid", {"issuer": provider.issuer})
    assert credential.startswith("openid:corp:")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://login.example"},
        {"exp": 1},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"cnf": {"jkt": "x"}},
    ],
    ids=str,
)
def test_tokens_with_other_claims_are_refused(
    anybody: Client, provider: Provider, claims: dict[str, Any]
) -> None:
    subject = claims.pop("sub", "mallory")
    refused(anybody, provider.token(subject, **claims))


def test_token_for_two_audiences(anybody: Client, provider: Provider) -> None:
    assert ask(anybody, provider.token(aud=["another", AUDIENCE])).status_code == 200


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
def test_clocks_may_be_apart(anybody: Client, provider: Provider, claim: str) -> None:
    seconds = -40 if claim == "exp" else 40
    assert ask(anybody, provider.token(**{claim: int(time.time()) + seconds})).status_code == 200


def test_client_reads_that_its_token_has_expired_and_the_log_says_all(
    anybody: Client, trusting: TestServer, provider: Provider
) -> None:
    late = refused(anybody, provider.token(exp=int(time.time()) - 100))
    assert "expired" in late.json()["error"]["message"]
    message = refused(anybody, provider.token(aud="secret-app")).json()["error"]["message"]
    assert message == "Not authorized: The token is not accepted"
    logged(trusting, REFUSED, "Audience")
    refused(anybody, provider.token(iss=f"{provider.issuer}/"))

    def is_named() -> bool:
        return any(line.get("issuer") == f"{provider.issuer}/" for line in trusting.logs())

    eventually(is_named, 10, "the log has the issuer that nobody knows")


def test_forged_tokens_are_refused(anybody: Client, trusting: TestServer, provider: Provider) -> None:
    good = provider.token("mallory")
    header, body, signature = good.split(".")
    head = jwt.get_unverified_header(good)
    [key] = [key for key in provider.published() if key["kid"] == head["kid"]]
    own = rsa.generate_private_key(65537, 2048)
    own_jwk = jwt.get_algorithm_by_name("RS256").to_jwk(own.public_key(), as_dict=True)
    forged = {
        "unsigned": f"{part({'alg': 'none'})}.{body}.",
        "unsigned, with the signature": f"{part({**head, 'alg': 'none'})}.{body}.{signature}",
        "other claims": f"{header}.{part({**decoded(good), 'sub': 'admin'})}.{signature}",
        "other algorithm": f"{part({**head, 'alg': 'ES256'})}.{body}.{signature}",
        "another's key": jwt.encode(decoded(good), own, "RS256", headers={"kid": head["kid"]}),
        "its own key": jwt.encode(decoded(good), own, "RS256", headers={"kid": "own", "jwk": own_jwk}),
        "a key elsewhere": jwt.encode(
            decoded(good), own, "RS256", headers={"jku": trusting.url + "/openapi.json"}
        ),
    }
    for secret in (json.dumps(key).encode(), key["n"].encode()):
        text = f"{part({'alg': 'HS256', 'kid': head['kid']})}.{body}"
        made = base64.urlsafe_b64encode(hmac.new(secret, text.encode(), hashlib.sha256).digest()).rstrip(b"=")
        forged[f"public key as secret, {len(secret)}"] = f"{text}.{made.decode()}"
    for name, token in forged.items():
        assert ask(anybody, token).status_code == 401, name
    assert "corp:admin" not in principals(trusting)
    assert ask(anybody, good).status_code == 200


def test_huge_token_is_not_looked_at(anybody: Client, provider: Provider) -> None:
    assert ask(anybody, provider.token(padding="x" * 20_000)).status_code in {401, 431}


def test_disabled_principal_is_refused_though_its_token_is_good(
    anybody: Client, people: Identities, provider: Provider
) -> None:
    subject = unique_name("carol")
    path, token = f"{PRINCIPALS}/corp:{subject}", provider.token(subject)
    assert ask(anybody, token).status_code == 200
    assert people.admin.patch(path, json={"disabled": True}).status_code == 200
    refused(anybody, token)
    refused(anybody, provider.token(subject))
    assert people.admin.patch(path, json={"disabled": False}).status_code == 200
    assert ask(anybody, token).status_code == 200


def test_deleted_principal_does_not_come_back(
    anybody: Client, trusting: TestServer, people: Identities, provider: Provider
) -> None:
    subject = unique_name("dave")
    token = provider.token(subject)
    assert ask(anybody, token).status_code == 200
    assert people.admin.delete(f"{PRINCIPALS}/corp:{subject}").status_code == 204
    refused(anybody, token)
    refused(anybody, provider.token(subject))
    assert principals(trusting).count(f"corp:{subject}") == 1
    logged(trusting, REFUSED, f"corp:{subject} has been deleted")


def test_revoked_tokens_of_a_provider(anybody: Client, people: Identities, provider: Provider) -> None:
    subject, revoke = unique_name("erin"), "/management/v1/tokens/revoke"
    first, second = provider.token(subject), provider.token(subject)
    assert [ask(anybody, token).status_code for token in (first, second)] == [200, 200]
    jti = f"openid:corp:{decoded(first)['jti']}"
    assert people.admin.post(revoke, json={"jti": jti}).status_code == 204
    assert [ask(anybody, token).status_code for token in (first, second)] == [401, 200]
    assert people.admin.post(revoke, json={"principal": f"corp:{subject}"}).status_code == 204
    refused(anybody, second)
    later = provider.token(subject, iat=int(time.time()) + 2)
    assert ask(anybody, later).status_code == 200


def exchange(people: Identities, token: str) -> requests.Response:
    given = {"subject_token": token, "subject_token_type": ACCESS_TOKEN}
    return people.ask({"grant_type": EXCHANGE, **given})


def test_exchanged_for_a_token_of_the_same_principal(
    anybody: Client, people: Identities, provider: Provider
) -> None:
    subject = unique_name("frank")
    answer = exchange(people, provider.token(subject, exp=int(time.time()) + 100)).json()
    assert answer["issued_token_type"] == ACCESS_TOKEN
    assert answer["expires_in"] <= 160  # not longer than the provider's, whose clock may be a minute behind
    assert ask(anybody, answer["access_token"]).status_code == 200
    again = exchange(people, answer["access_token"]).json()
    assert again["expires_in"] <= answer["expires_in"]
    path = f"{PRINCIPALS}/corp:{subject}"
    assert people.admin.patch(path, json={"disabled": True}).status_code == 200
    assert ask(anybody, answer["access_token"]).status_code == 401
    assert exchange(people, provider.token(subject)).json()["error"] == "invalid_grant"


def test_nothing_is_exchanged_for_a_token_that_is_not_good(people: Identities, provider: Provider) -> None:
    for token in (provider.token(aud="another"), provider.token(exp=1), provider.token() + "x"):
        answer = exchange(people, token)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant"), answer.text


def test_new_key_is_accepted_at_once(anybody: Client, provider: Provider) -> None:
    assert ask(anybody, provider.token()).status_code == 200
    provider.rotate()
    assert ask(anybody, provider.token()).status_code == 200


def test_withdrawn_key_ends_with_the_next_refresh(make_server: MakeServer, own_provider: Provider) -> None:
    with make_server(settings=AUTH | own_provider.settings(keys_refresh="1s")) as server:
        client, token = server.client(), own_provider.token()
        assert ask(client, token).status_code == 200
        own_provider.withdraw(own_provider.rotate())
        eventually(
            lambda: [ask(client, token).status_code for _ in range(8)] == [401] * 8,
            15,
            "no worker takes the old key",
        )
        assert ask(client, own_provider.token()).status_code == 200


def test_made_up_keys_do_not_hammer_the_provider(make_server: MakeServer, own_provider: Provider) -> None:
    with make_server(settings=AUTH | own_provider.settings()) as server:
        client, began = server.client(), time.monotonic()
        key = rsa.generate_private_key(65537, 2048)
        claims = {
            "iss": own_provider.issuer,
            "aud": AUDIENCE,
            "sub": "mallory",
            "exp": int(time.time()) + 300,
        }
        for number in range(60):
            refused(client, jwt.encode(claims, key, "RS256", headers={"kid": f"made up {number}"}))
        # Each of two workers: one fetch to begin with, five for unknown keys, one more every ten seconds.
        assert own_provider.asked_for_keys() <= 2 * (6 + (time.monotonic() - began) / 10)
        assert ask(client, own_provider.token()).status_code == 200


def is_noticed(server: TestServer) -> bool:
    return any(line.get("msg") == UNREACHABLE for line in server.logs())


def test_provider_may_be_away_once_its_keys_are_known(
    make_server: MakeServer, own_provider: Provider
) -> None:
    with make_server(settings=AUTH | own_provider.settings(keys_refresh="1s")) as server:
        client = server.client()
        tokens = [own_provider.token(f"user{number}") for number in range(20)]
        for _ in range(8):
            assert ask(client, tokens[0]).status_code == 200
        own_provider.stop()
        eventually(lambda: ask(client, tokens[1]).ok and is_noticed(server), 15, "the server notices")
        for token in tokens:
            assert ask(client, token).status_code == 200


def test_provider_that_is_away_from_the_start(make_server: MakeServer, own_provider: Provider) -> None:
    with make_server(settings=AUTH | own_provider.settings()) as server:
        client, token = server.client(), own_provider.token()
        own_provider.stop()
        answer = ask(client, token)
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.json()["error"]["type"] == "ServiceUnavailableException"
        assert client.get("/health").status_code == 200
        logged(server, UNREACHABLE, own_provider.issuer)
        failed = {"provider": "corp", "outcome": "failure"}
        name = "bingsan_openid_key_fetches_total"
        eventually(lambda: server.metric(name, **failed) >= 1, 10, "the attempt is counted")
        own_provider.start()
        eventually(lambda: ask(client, token).status_code == 200, 30, "the keys are fetched again")


def test_providers_that_answer_nonsense_hold_nobody(make_server: MakeServer) -> None:
    """Five providers in one server, each with its own way."""
    with ExitStack() as stack:
        providers = {mode: stack.enter_context(Provider()) for mode in MODES}
        for mode, provider in providers.items():
            provider.behave(mode)
        items = [provider.item(name=mode) for mode, provider in providers.items()]
        settings = AUTH | {"auth.openid.providers": json.dumps(items)}
        server = stack.enter_context(make_server(settings=settings))
        pool = stack.enter_context(ThreadPoolExecutor(16))
        tokens = {mode: provider.token() for mode, provider in providers.items()}
        began = time.monotonic()
        crowd = [pool.submit(ask, server.client(), token) for token in tokens.values() for _ in range(3)]
        assert server.client().get("/health").elapsed.total_seconds() < 4
        assert [one.result().status_code for one in crowd] == [503] * 15
        assert time.monotonic() - began < 12  # at the pace of the slow one it would be minutes
        for mode, provider in providers.items():
            provider.behave("good")
            comes_in = partial(ask, server.client(), tokens[mode])
            eventually(lambda comes_in=comes_in: comes_in().status_code == 200, 30, f"{mode} is over")
        assert principals(server) == sorted(f"{mode}:alice" for mode in MODES)


@pytest.fixture(scope="module")
def mapped(make_server: MakeServer, provider: Provider) -> Iterator[TestServer]:
    """A server with a role ``writer`` for whom the provider counts among its ``editors``, and ``reader`` for all."""
    settings = provider.settings(
        roles_claim="realm_access.roles", role_mapping="editors=writer,editors=gone", default_roles="reader"
    )
    with make_server(settings=secured_settings() | settings) as running:
        SHARED.append(running)
        admin = Identities(running).admin
        for role in ("writer", "reader"):
            ok(admin.post(ROLES, json={"name": role}), 201)
        grant(admin, WAREHOUSE, "role:reader", "list", "read-metadata")
        yield running
        SHARED.remove(running)


def create(server: TestServer, token: str) -> int:
    body = {"namespace": [unique_name("ns")]}
    with server.client() as client:
        answer = client.post("/v1/namespaces", json=body, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code


def test_roles_of_the_token_give_rights_here(mapped: TestServer, provider: Provider) -> None:
    admin = Identities(mapped).admin
    editor = provider.token("grace", realm_access={"roles": ["editors", "others"]})
    others = [
        provider.token("grace", realm_access={"roles": roles})
        for roles in ([], ["others"], ["writer"], {"a": 1})
    ]
    assert create(mapped, editor) == 403
    grant(admin, WAREHOUSE, "role:writer", "create")
    assert create(mapped, editor) == 200
    assert [create(mapped, token) for token in others] == [403] * 4
    with mapped.client() as client:
        listed = client.get("/v1/namespaces", headers={"Authorization": f"Bearer {others[0]}"})
    assert listed.status_code == 200  # by the role that everybody has
    revoke(admin, WAREHOUSE, "role:writer", "create")
    assert [create(mapped, editor) for _ in range(4)] == [403] * 4


def test_lost_role_is_lost_with_the_next_token(mapped: TestServer, provider: Provider) -> None:
    people = Identities(mapped)
    grant(people.admin, WAREHOUSE, "role:writer", "create")
    before = provider.token("heidi", realm_access={"roles": ["editors"]})
    own = exchange(people, before).json()["access_token"]
    assert [create(mapped, token) for token in (before, own)] == [200, 200]
    after = provider.token("heidi")
    assert create(mapped, after) == 403
    assert create(mapped, exchange(people, after).json()["access_token"]) == 403
    revoke(people.admin, WAREHOUSE, "role:writer", "create")


def test_rights_can_be_granted_to_who_came_in(mapped: TestServer, provider: Provider) -> None:
    admin, token = Identities(mapped).admin, provider.token("ivan")
    given = {"privileges": ["create"], "object": WAREHOUSE, "to": {"principal": "corp:ivan"}}
    assert admin.post(GRANTS, json=given).status_code == 404
    assert create(mapped, token) == 403
    ok(admin.post(GRANTS, json=given))
    assert create(mapped, token) == 200
    assert create(mapped, provider.token("judy")) == 403


def test_two_nodes_see_somebody_for_the_first_time_at_once(
    make_server: MakeServer, own_provider: Provider, database: DatabaseAddress
) -> None:
    warehouse = LocalWarehouse()
    options: dict[str, Any] = {"warehouse": warehouse, "database": database}
    options["settings"] = AUTH | own_provider.settings()
    with make_server(**options) as first, make_server(**options) as second, ThreadPoolExecutor(16) as pool:
        for round_ in range(5):
            token = own_provider.token(f"twin{round_}")
            crowd = [pool.submit(ask, node.client(), token) for node in (first, second) * 8]
            assert [one.result().status_code for one in crowd] == [200] * 16
        names = [f"corp:twin{round_}" for round_ in range(5)]
        assert principals(first) == names
        created = database.query("SELECT name FROM changes WHERE action = 'principal.created' ORDER BY name")
        assert [name for (name,) in created] == names
    warehouse.remove()


def test_those_who_are_not_there_may_have_to_stay_out(make_server: MakeServer, provider: Provider) -> None:
    settings = secured_settings() | provider.settings(create_principals="false")
    with make_server(settings=settings) as server:
        client, token = server.client(), provider.token()
        refused(client, token)
        assert principals(server) == []
        logged(server, REFUSED, "create_principals")
        admit(Identities(server).admin, "corp:alice")
        assert ask(client, token).status_code == 200
        refused(client, provider.token("bob"))
        outcome = server.cli("principal", "create", "corp:bob", "--kind", "openid")
        assert (outcome.code, json.loads(outcome.out)["name"]) == (0, "corp:bob"), outcome
        assert ask(client, provider.token("bob")).status_code == 200
        assert server.cli("principal", "create", "x:bob", "--kind", "openid").err == (
            "bingsan: No OpenID provider is called x: auth.openid has corp\n"
        )


def admit(admin: Client, name: str) -> None:
    made = ok(admin.post(PRINCIPALS, json={"name": name, "kind": "openid"}), 201)
    assert (made["name"], made["kind"], made["created-by"]) == (name, "openid", "root")
    assert not {"client-id", "client-secret"} & set(made)


def test_deleted_principal_comes_back_when_it_is_made_anew(
    anybody: Client, people: Identities, provider: Provider
) -> None:
    subject = f"https://people.example/{unique_name('kim')}:x"
    token, path = provider.token(subject), f"{PRINCIPALS}/{quote('corp:' + subject, safe='')}"
    assert ask(anybody, token).status_code == 200
    ok(people.admin.patch(path, json={"disabled": True}))
    assert people.admin.delete(path).status_code == 204
    refused(anybody, token)
    admit(people.admin, f"corp:{subject}")
    assert ask(anybody, token).status_code == 200
    again = people.admin.post(PRINCIPALS, json={"name": f"corp:{subject}", "kind": "openid"})
    assert_error(again, 409, "AlreadyExistsException")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("other:alice", "IllegalArgumentException"),
        ("corp", "BadRequestException"),
        ("corp:", "BadRequestException"),
        (":alice", "BadRequestException"),
        ("corp:a\nb", "BadRequestException"),
        ("corp:" + "a" * 256, "BadRequestException"),
    ],
)
def test_only_names_that_tokens_can_bring(people: Identities, name: str, kind: str) -> None:
    assert_error(people.admin.post(PRINCIPALS, json={"name": name, "kind": "openid"}), 400, kind)


def test_claims_that_the_database_cannot_hold(make_server: MakeServer, provider: Provider) -> None:
    settings = provider.settings(roles_claim="groups", roles_by_name="true", name_claim="name")
    odd = ["a\0b", "x" * 1000, "", "good"]
    with make_server(settings=AUTH | settings) as server:
        client = server.client()
        for number, text in enumerate(odd):
            token = provider.token(f"odd{number}", name=text, groups=odd, jti=text, iat=-1e300)
            assert ask(client, token).status_code == 200, text
        for text in odd[:3]:
            refused(client, provider.token(text))
        refused(client, provider.token(groups=["\ud800"]))  # no JSON text


def test_subject_of_another_issuer_is_somebody_else(
    make_server: MakeServer, provider: Provider, own_provider: Provider, database: DatabaseAddress
) -> None:
    """A provider that takes over the name of an earlier one does not take over its principals."""
    warehouse = LocalWarehouse()
    options: dict[str, Any] = {"warehouse": warehouse, "database": database}
    with make_server(settings=AUTH | provider.settings(), **options) as server:
        assert ask(server.client(), provider.token("alice")).status_code == 200
    with make_server(settings=AUTH | own_provider.settings(), **options) as server:
        refused(server.client(), own_provider.token("alice"))
        logged(server, REFUSED, "another issuer")
        assert ask(server.client(), own_provider.token("bob")).status_code == 200
    warehouse.remove()
