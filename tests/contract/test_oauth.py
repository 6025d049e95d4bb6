"""The token endpoint (RFC 6749): clients show themselves, and whatever else is sent there."""

import base64
import json
import time
from urllib.parse import quote

import jwt
import pytest

from tests.conftest import MakeServer
from tests.contract.token_calls import CODES, claims, given, refused, works
from tests.support.identities import (
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


@pytest.fixture(scope="module")
def person(identities: Identities) -> Person:
    return identities.person()


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


@pytest.mark.once("counts failures")
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
