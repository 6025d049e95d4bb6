"""The token endpoint: RFC 6749 and RFC 8693 as Iceberg's clients use them."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import jwt
import pytest
import requests

from tests.conftest import MakeServer
from tests.contract.calls import assert_error, ok
from tests.support.identities import (
    ACCESS_TOKEN,
    EXCHANGE,
    PRINCIPALS,
    TOKENS,
    Identities,
    Person,
    basic,
    secured_settings,
)
from tests.support.postgres import Postgres
from tests.support.process import eventually
from tests.support.server import Client, TestServer

FORM_ONLY = "the official document knows forms only"
IN_THE_BODY = "the official document knows clients that show themselves in the body only"
JWT = "urn:ietf:params:oauth:token-type:jwt"
CODES = {
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
}


@pytest.fixture(scope="module")
def person(identities: Identities) -> Person:
    return identities.person()


@pytest.fixture(scope="module")
def brief(make_server: MakeServer) -> Iterator[Identities]:
    """The people of a server whose tokens last two seconds."""
    with make_server(settings=secured_settings(auth__token_expiry="2s")) as running:
        yield Identities(running)


def refused(answer: requests.Response, code: str) -> str:
    """Check OAuth's own shape of an error and return its description."""
    assert answer.status_code == (401 if code == "invalid_client" else 400), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error", "error_description"}
    assert body["error"] == code
    if code == "invalid_client":
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    return str(body["error_description"])


def given(answer: requests.Response, scope: str = "catalog") -> str:
    """Check what belongs to a token, and return it."""
    body = ok(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(body) == {"access_token", "token_type", "expires_in", "issued_token_type", "scope"}
    assert (body["token_type"], body["issued_token_type"]) == ("bearer", ACCESS_TOKEN)
    assert isinstance(body["expires_in"], int)
    assert body["scope"] == scope
    return str(body["access_token"])


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def exchange(identities: Identities, subject: str, **more: str) -> requests.Response:
    """Exchange a token; ``bearer`` and ``basic`` go into the header."""
    headers = {}
    if "bearer" in more:
        headers["Authorization"] = f"Bearer {more.pop('bearer')}"
    if "basic" in more:
        headers["Authorization"] = more.pop("basic")
    asked = {"grant_type": EXCHANGE, "subject_token": subject, "subject_token_type": ACCESS_TOKEN, **more}
    return identities.ask({key: value for key, value in asked.items() if value}, headers)


def works(identities: Identities, token: str) -> bool:
    status = identities.with_token(token).get("/v1/config").status_code
    assert status in {200, 401}
    return status == 200


class TestClientCredentials:
    def test_in_the_body(self, identities: Identities, person: Person) -> None:
        answer = identities.login(person, scope="catalog")
        token = given(answer)
        said = claims(token)
        assert said["exp"] - time.time() == pytest.approx(3600, abs=30)
        assert answer.json()["expires_in"] == 3600
        assert set(said) == {"iss", "aud", "sub", "jti", "iat", "exp", "scope", "cred"}
        assert person.name not in json.dumps(said)
        assert works(identities, token)

    @pytest.mark.lenient(FORM_ONLY)
    def test_as_json(self, identities: Identities, person: Person, secured: TestServer) -> None:
        body = {"grant_type": "client_credentials", "client_id": person.name, "client_secret": person.secret}
        given(secured.client().post(TOKENS, json=body))

    @pytest.mark.lenient(IN_THE_BODY)
    def test_in_the_header(self, identities: Identities, person: Person) -> None:
        asked = {"grant_type": "client_credentials"}
        given(identities.ask(asked, {"Authorization": basic(person)}))
        given(identities.ask({**asked, "client_id": person.name}, {"Authorization": basic(person)}))

    @pytest.mark.lenient(IN_THE_BODY)
    def test_header_may_be_encoded_as_in_a_url(self, identities: Identities) -> None:
        odd = identities.person("a b%2F+ü" + person_suffix())
        encoded = f"{quote(odd.name)}:{quote(odd.secret)}"
        header = "Basic " + base64.b64encode(encoded.encode()).decode()
        for authorization in (header, basic(odd)):
            asked = {"grant_type": "client_credentials"}
            given(identities.ask(asked, {"Authorization": authorization}))

    def test_bearer_token_beside_it_does_not_matter(self, identities: Identities, person: Person) -> None:
        asked = {
            "grant_type": "client_credentials",
            "client_id": person.name,
            "client_secret": person.secret,
        }
        given(identities.ask(asked, {"Authorization": "Bearer nonsense"}))

    @pytest.mark.parametrize(
        ("scope", "got"),
        [
            ("", "catalog"),
            ("catalog", "catalog"),
            ("sign", "sign"),
            ("read write read", "read write"),
            ("PRINCIPAL_ROLE:ALL", "catalog"),
            ("PRINCIPAL_ROLE:ALL read openid", "read"),
        ],
    )
    def test_scopes(self, identities: Identities, person: Person, scope: str, got: str) -> None:
        assert claims(given(identities.login(person, scope=scope), got))["scope"] == got

    def test_wrong_clients(self, identities: Identities) -> None:
        person = identities.person()
        others = [
            Person(person.name, "wrong"),
            Person("nobody", person.secret),
            Person(person.name, person.secret.lower()),
            Person(person.name, ""),
            Person("", person.secret),
            Person(person.name, person.secret + "x" * 5000),
        ]
        said = {refused(identities.login(other), "invalid_client") for other in others if other.secret}
        assert said == {"unknown client, or not its secret"}
        refused(identities.login(others[3]), "invalid_client")

    @pytest.mark.parametrize(
        "header", ["Basic", "Basic !", "Basic YQ==", "Basic " + "wzo6" * 2, "Basic AAA6YQ=="]
    )
    def test_malformed_header(self, identities: Identities, header: str) -> None:
        refused(
            identities.ask({"grant_type": "client_credentials"}, {"Authorization": header}), "invalid_client"
        )

    def test_header_and_body_differ(self, identities: Identities, person: Person) -> None:
        asked = {"grant_type": "client_credentials", "client_id": "root"}
        refused(identities.ask(asked, {"Authorization": basic(person)}), "invalid_request")


def person_suffix() -> str:
    return str(time.monotonic_ns())


class TestExchange:
    def test_refresh_keeps_who_it_is(self, identities: Identities, person: Person) -> None:
        first = identities.token(person)
        second = given(exchange(identities, first, bearer=first, scope="catalog"))
        third = given(exchange(identities, second, bearer=second))
        before, after = claims(first), claims(third)
        assert after["sub"] == before["sub"]
        assert after["jti"] != before["jti"]
        assert after["iat"] > before["iat"]
        assert [works(identities, token) for token in (first, second, third)] == [True] * 3

    def test_narrower_but_never_wider(self, identities: Identities, person: Person) -> None:
        write = identities.token(person, scope="write")
        read = given(exchange(identities, write, bearer=write, scope="read"), "read")
        given(exchange(identities, write, bearer=write, scope="sign"), "sign")
        given(exchange(identities, read, bearer=read, scope="catalog"), "read")
        for wider in ("write", "manage", "sign", "read write", "catalog manage"):
            refused(exchange(identities, read, bearer=read, scope=wider), "invalid_scope")

    def test_expired_one_with_client_authentication(self, brief: Identities) -> None:
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

    def test_revoked_one_never(self, identities: Identities, admin: Client) -> None:
        person = identities.person()
        token, other = identities.token(person), identities.token(person)
        answer = admin.post("/management/v1/tokens/revoke", json={"token": token})
        assert answer.status_code == 204
        for more in ({"bearer": token}, {"basic": basic(person)}, {"bearer": other}):
            refused(exchange(identities, token, **more), "invalid_grant")
        given(exchange(identities, other, bearer=other))

    def test_nobody_becomes_somebody_else(self, identities: Identities, person: Person) -> None:
        mine, roots = identities.token(person), identities.token(identities.root)
        for more in (
            {"bearer": mine},
            {"basic": basic(person)},
            {"bearer": roots, "actor_token": mine},
            {"actor_token": mine},
        ):
            refused(exchange(identities, roots, **more), "invalid_grant")

    @pytest.mark.parametrize("subject", ["unsigned", "foreign", "no token at all"])
    def test_what_others_say_is_only_a_claim(
        self, identities: Identities, person: Person, subject: str
    ) -> None:
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

    def test_api_key(self, identities: Identities, admin: Client, person: Person) -> None:
        """Java exchanges whatever it was given as ``token`` after an hour."""
        key = identities.key(person, ["read"])
        token = given(exchange(identities, key["key"], bearer=key["key"], scope="catalog"), "read")
        assert works(identities, token)
        again = given(exchange(identities, token, bearer=token), "read")
        refused(exchange(identities, token, bearer=token, scope="write"), "invalid_scope")
        assert admin.delete(f"/management/v1/keys/{key['id']}").status_code == 204
        assert [works(identities, each) for each in (key["key"], token, again)] == [False] * 3
        refused(exchange(identities, again, basic=basic(person)), "invalid_grant")

    def test_disabled_principal(self, identities: Identities, admin: Client) -> None:
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
    @pytest.mark.lenient("the document names the types of tokens")
    def test_malformed(self, identities: Identities, person: Person, changed: dict[str, str]) -> None:
        token = identities.token(person)
        refused(exchange(identities, token, bearer=token, **changed), "invalid_request")


class TestRequests:
    @pytest.mark.parametrize("grant", ["refresh_token", "password", "authorization_code", "x" * 3000])
    def test_other_grants(self, identities: Identities, grant: str) -> None:
        refused(identities.ask({"grant_type": grant}), "unsupported_grant_type")

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/x-www-form-urlencoded", b""),
            ("application/x-www-form-urlencoded", b"grant_type="),
            (
                "application/x-www-form-urlencoded",
                b"grant_type=client_credentials&grant_type=client_credentials",
            ),
            (
                "application/x-www-form-urlencoded",
                b"grant_type=client_credentials&client_id=a%00&client_secret=b",
            ),
            ("application/x-www-form-urlencoded", b"\xff\xfe"),
            ("application/x-www-form-urlencoded", b"&".join(b"a%d=" % number for number in range(60))),
            ("application/json", b"{"),
            ("application/json", b"[]"),
            ("application/json", b'"text"'),
            ("application/json", b'{"grant_type": 1}'),
            ("application/json", b'{"grant_type": "x", "grant_type": "client_credentials"}'),
            ("application/json", b"[" * 5000),
            ("text/plain", b"grant_type=client_credentials"),
        ],
    )
    @pytest.mark.lenient("none of these keeps to the document")
    def test_malformed(self, secured: TestServer, content_type: str, body: bytes) -> None:
        answer = secured.client().post(TOKENS, data=body, headers={"Content-Type": content_type})
        refused(answer, "invalid_request")

    def test_too_large(self, secured: TestServer) -> None:
        answer = secured.client().post(TOKENS, data={"grant_type": "x" * (65 << 10)})
        assert answer.status_code == 413
        assert answer.json()["error"] == "invalid_request"

    def test_other_methods(self, secured: TestServer) -> None:
        for method in ("GET", "PUT", "DELETE"):
            answer = secured.client().request(method, TOKENS)
            assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
            assert answer.json()["error"] in CODES

    def test_secrets_in_the_query_are_not_read(self, secured: TestServer, person: Person) -> None:
        asked = {"grant_type": "client_credentials", "client_id": person.name, "client_secret": person.secret}
        answer = secured.client().post(TOKENS, params=asked, data={})
        refused(answer, "invalid_request")

    @pytest.mark.lenient("the body of the request is not seen by who compares it with the document")
    def test_without_a_length(self, secured: TestServer, person: Person) -> None:
        body = f"grant_type=client_credentials&client_id={person.name}&client_secret={person.secret}".encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        with Client(secured.url) as client:
            answer = client.post(TOKENS, data=iter([body]), headers=headers)
        given(answer)

    def test_where_nobody_needs_a_token(self, client: Client) -> None:
        asked = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}
        refused(client.post(TOKENS, data=asked), "unsupported_grant_type")


def test_without_a_database(make_server: MakeServer, postgres: Postgres) -> None:
    with make_server(settings=secured_settings(database__statement_timeout="500ms")) as server:
        people = Identities(server)
        people.token(people.root)
        with postgres.paused():
            answer = people.login(people.root)
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) >= 1
            assert set(answer.json()) == {"error", "error_description"}
            assert answer.json()["error"] in CODES
        eventually(lambda: people.login(people.root).status_code == 200, 10, "logins work again")


def test_guessing_becomes_slow(make_server: MakeServer) -> None:
    settings = secured_settings(auth__max_failures_per_minute=5)
    with make_server(settings=settings, workers=1) as server:
        people = Identities(server)
        answers = [people.login(Person("root", f"guess {number}")) for number in range(12)]
        assert [answer.status_code for answer in answers[:3]] == [401] * 3
        late = answers[-1]
        assert (late.status_code, late.json()["error"]) == (429, "invalid_request")
        assert int(late.headers["Retry-After"]) >= 1


def test_older_signing_keys_are_accepted(make_server: MakeServer, secured: TestServer) -> None:
    first = secured_settings()
    old = str(first["auth.signing_key"])
    with make_server(settings=first) as server:
        people = Identities(server)
        token = people.token(people.root)
        new = str(secured_settings()["auth.signing_key"])
        server.restart(auth__signing_key=f"{new},{old}")
        assert works(people, token)
        fresh = people.token(people.root)
        assert jwt.get_unverified_header(fresh)["kid"] != jwt.get_unverified_header(token)["kid"]
        server.restart(auth__signing_key=new)
        assert [works(people, each) for each in (token, fresh)] == [False, True]
