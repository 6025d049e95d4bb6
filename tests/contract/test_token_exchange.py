"""Token exchange (RFC 8693): how clients refresh their tokens, and that nobody becomes somebody else."""

from collections.abc import Iterator

import jwt
import pytest

from tests.conftest import MakeServer
from tests.contract.calls import assert_error, ok
from tests.contract.token_calls import claims, exchange, given, refused, works
from tests.support.identities import ACCESS_TOKEN, PRINCIPALS, Identities, Person, basic, secured_settings
from tests.support.process import eventually
from tests.support.server import Client

JWT = "urn:ietf:params:oauth:token-type:jwt"


@pytest.fixture(scope="module")
def person(identities: Identities) -> Person:
    return identities.person()


@pytest.fixture(scope="module")
def brief(make_server: MakeServer) -> Iterator[Identities]:
    """The people of a server whose tokens last two seconds."""
    with make_server(settings=secured_settings(auth__token_expiry="2s")) as running:
        yield Identities(running)


def test_refresh_keeps_who_it_is(identities: Identities, person: Person) -> None:
    first = identities.token(person)
    second = given(exchange(identities, first, bearer=first, scope="catalog"))
    third = given(exchange(identities, second, bearer=second))
    before, after = claims(first), claims(third)
    assert after["sub"] == before["sub"]
    assert after["jti"] != before["jti"]
    assert after["iat"] > before["iat"]
    assert [works(identities, token) for token in (first, second, third)] == [True] * 3


def test_narrower_but_never_wider(identities: Identities, person: Person) -> None:
    write = identities.token(person, scope="write")
    read = given(exchange(identities, write, bearer=write, scope="read"), "read")
    given(exchange(identities, write, bearer=write, scope="sign"), "sign")
    given(exchange(identities, read, bearer=read, scope="catalog"), "read")
    for wider in ("write", "manage", "sign", "read write", "catalog manage"):
        refused(exchange(identities, read, bearer=read, scope=wider), "invalid_scope")


def test_expired_one_with_client_authentication(brief: Identities) -> None:
    person = brief.person()
    token = brief.token(person)
    assert works(brief, token)
    eventually(lambda: not works(brief, token), 10, "the token has expired")
    assert_error(brief.with_token(token).get("/v1/config"), 401, "NotAuthorizedException")
    new = given(exchange(brief, token, basic=basic(person)))
    assert claims(new)["sub"] == claims(token)["sub"]
    in_body = {"client_id": person.name, "client_secret": person.secret}
    given(exchange(brief, token, **in_body))

    assert "expired" in refused(exchange(brief, token, bearer=token), "invalid_grant")
    refused(exchange(brief, token), "invalid_grant")
    refused(exchange(brief, token, basic=basic(Person(person.name, "wrong"))), "invalid_client")
    refused(exchange(brief, token, basic=basic(brief.root)), "invalid_grant")


def test_revoked_one_never(identities: Identities, admin: Client) -> None:
    person = identities.person()
    token, other = identities.token(person), identities.token(person)
    answer = admin.post("/management/v1/tokens/revoke", json={"token": token})
    assert answer.status_code == 204
    for more in ({"bearer": token}, {"basic": basic(person)}, {"bearer": other}):
        refused(exchange(identities, token, **more), "invalid_grant")
    given(exchange(identities, other, bearer=other))


def test_nobody_becomes_somebody_else(identities: Identities, person: Person) -> None:
    mine, roots = identities.token(person), identities.token(identities.root)
    for more in (
        {"bearer": mine},
        {"basic": basic(person)},
        {"bearer": roots, "actor_token": mine},
        {"actor_token": mine},
    ):
        refused(exchange(identities, roots, **more), "invalid_grant")


@pytest.mark.parametrize("subject", ["unsigned", "foreign", "no token at all"])
def test_what_others_say_is_only_a_claim(identities: Identities, person: Person, subject: str) -> None:
    mine, root = identities.token(person, scope="read"), claims(identities.token(identities.root))
    subjects = {
        "unsigned": jwt.encode(root, None, "none"),
        "foreign": jwt.encode(root, "k" * 32, "HS256"),
    }
    text = subjects.get(subject, subject)
    for more in ({"bearer": mine}, {"actor_token": mine, "actor_token_type": ACCESS_TOKEN}):
        new = given(exchange(identities, text, subject_token_type=JWT, **more), "read")
        assert claims(new)["sub"] == claims(mine)["sub"]
    new = given(exchange(identities, text, subject_token_type=JWT, basic=basic(person)))
    assert claims(new)["sub"] == claims(mine)["sub"]
    refused(exchange(identities, text, subject_token_type=JWT), "invalid_grant")


def test_api_key(identities: Identities, admin: Client, person: Person) -> None:
    """Java exchanges whatever it was given as ``token`` after an hour."""
    key = identities.key(person, ["read"])
    token = given(exchange(identities, key["key"], bearer=key["key"], scope="catalog"), "read")
    assert works(identities, token)
    again = given(exchange(identities, token, bearer=token), "read")
    refused(exchange(identities, token, bearer=token, scope="write"), "invalid_scope")
    assert admin.delete(f"/management/v1/keys/{key['id']}").status_code == 204
    assert [works(identities, each) for each in (key["key"], token, again)] == [False] * 3
    refused(exchange(identities, again, basic=basic(person)), "invalid_grant")


def test_disabled_principal(identities: Identities, admin: Client) -> None:
    person = identities.person()
    token = identities.token(person)
    ok(admin.patch(f"{PRINCIPALS}/{person.name}", json={"disabled": True}))
    refused(exchange(identities, token, bearer=token), "invalid_grant")


@pytest.mark.parametrize(
    "changed",
    [
        {"subject_token": ""},
        {"subject_token_type": ""},
        {"subject_token_type": "urn:other"},
        {"actor_token_type": "urn:other"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:saml2"},
    ],
)
def test_malformed(identities: Identities, person: Person, changed: dict[str, str]) -> None:
    token = identities.token(person)
    refused(exchange(identities, token, bearer=token, **changed), "invalid_request")
