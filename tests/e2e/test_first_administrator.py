"""The first administrator and the signing key: from settings, or of a node that keeps everything itself."""

import json
import stat
from collections.abc import Iterator

import pytest

from tests.conftest import MakeServer
from tests.support.identities import PRINCIPALS, Identities, Person, secured_settings
from tests.support.process import eventually
from tests.support.server import TestServer
from tests.support.warehouses import LocalWarehouse


@pytest.fixture
def embedded() -> Iterator[TestServer]:
    """A running node with a database of its own, which was told no more than to ask who comes."""
    settings = {"database.embedded": True, "auth.enabled": True, "auth.oauth2.enabled": True}
    server = TestServer(LocalWarehouse(), settings=settings)
    yield server.start().wait_ready()
    server.stop()
    server.remove()
    server.warehouse.remove()


def test_embedded_node_makes_its_own_signing_key(embedded: TestServer) -> None:
    file = embedded.home / "signing-key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (warning,) = [line for line in embedded.logs() if "signs access tokens" in line["msg"]]
    assert warning["level"] == "WARN"
    outcome = embedded.cli("bootstrap")
    assert outcome.code == 0, outcome
    made = json.loads(outcome.out)
    people = Identities(embedded, Person(made["client-id"], made["client-secret"]))
    token = people.token(people.root)
    assert people.with_token(token).get("/v1/config").status_code == 200
    key = file.read_text()
    assert key.strip() not in embedded.stdout.read_text()
    embedded.restart()
    assert file.read_text() == key
    assert people.with_token(token).get("/v1/config").status_code == 200


def test_secret_of_the_settings_is_followed(make_server: MakeServer) -> None:
    settings = secured_settings()
    with make_server(settings=settings) as server:
        before = Identities(server)
        token = before.token(before.root)
        server.restart()
        assert before.with_token(token).get("/v1/config").status_code == 200
        assert before.login(before.root).status_code == 200

        server.restart(auth__oauth2__client_secret=secured_settings()["auth.oauth2.client_secret"])
        after = Identities(server)
        assert before.login(before.root).status_code == 401
        assert before.with_token(token).get("/v1/config").status_code == 401
        assert after.admin.get(PRINCIPALS).status_code == 200
        principals = after.admin.get(PRINCIPALS).json()["principals"]
        assert [each["created-by"] for each in principals if each["name"] == "root"] == ["settings"]


def test_disabled_administrator_stays_disabled(make_server: MakeServer) -> None:
    with make_server(settings=secured_settings()) as server:
        people = Identities(server)
        outcome = server.cli("bootstrap", "--name", "other", "--another")
        made = json.loads(outcome.out)
        other = people.as_(Person("other", made["client-secret"]))
        assert other.patch(f"{PRINCIPALS}/root", json={"disabled": True}).status_code == 200
        server.restart()
        assert people.login(people.root).status_code == 401
        assert other.delete(f"{PRINCIPALS}/root").status_code == 204
        server.restart()
        assert people.login(people.root).status_code == 200


def test_plain_gunicorn_makes_it_too(make_server: MakeServer) -> None:
    with make_server(settings=secured_settings(), entry="gunicorn") as server:
        people = Identities(server)
        eventually(lambda: people.login(people.root).status_code == 200, 5, "the administrator is there")
