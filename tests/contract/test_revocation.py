"""Tokens that end before they expire, and what stays in the database of all that."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.auth.keys import hash_key
from tests.conftest import MakeServer
from tests.contract.calls import assert_error, no_content, ok
from tests.contract.token_calls import claims, works
from tests.support.identities import KEYS, PRINCIPALS, Identities, secured_settings
from tests.support.postgres import DatabaseAddress, Postgres
from tests.support.process import eventually
from tests.support.server import Client, TestServer
from tests.support.warehouses import LocalWarehouse

REVOKE = "/management/v1/tokens/revoke"
TEXTS = """SELECT format('SELECT %L, t::text FROM %I t', c.relname, c.relname) FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"""


def test_one_token(identities: Identities, admin: Client) -> None:
    person = identities.person()
    first, second, third = (identities.token(person) for _ in range(3))
    assert [works(identities, token) for token in (first, second, third)] == [True] * 3
    no_content(admin.post(REVOKE, json={"token": first}))
    no_content(admin.post(REVOKE, json={"jti": claims(second)["jti"]}))
    assert [works(identities, token) for token in (first, second, third)] == [False, False, True]
    no_content(admin.post(REVOKE, json={"token": first}))


def test_all_tokens_of_a_principal(identities: Identities, admin: Client) -> None:
    person, other = identities.person(), identities.person()
    key = identities.key(person)["key"]
    tokens = [identities.token(each) for each in (person, person, other)]
    no_content(admin.post(REVOKE, json={"principal": person.name}))
    assert [works(identities, token) for token in tokens] == [False, False, True]
    assert works(identities, key)
    assert works(identities, identities.token(person))


def test_only_for_administrators(identities: Identities) -> None:
    person = identities.person()
    token = identities.token(person)
    answer = identities.with_token(token).post(REVOKE, json={"token": token})
    assert_error(answer, 403, "ForbiddenException")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"jti": ""},
        {"jti": "x" * 65},
        {"token": "x"},
        {"token": "bingsan_x"},
        {"jti": "a", "principal": "root"},
    ],
)
def test_malformed(admin: Client, body: dict[str, str]) -> None:
    assert_error(admin.post(REVOKE, json=body), 400, "BadRequestException")


def test_unknown_principal(admin: Client) -> None:
    assert_error(admin.post(REVOKE, json={"principal": "nobody"}), 404, "NotFoundException")


@pytest.fixture(scope="module")
def pair(
    make_server: MakeServer, postgres: Postgres, template: DatabaseAddress
) -> Iterator[tuple[Identities, Identities]]:
    """The people of a node, and those of another one on the same database."""
    settings, warehouse, database = secured_settings(), LocalWarehouse(), postgres.clone(template)
    options: dict[str, Any] = {"warehouse": warehouse, "database": database, "settings": settings}
    with make_server(**options) as first, make_server(**options) as second:
        yield Identities(first), Identities(second)
    eventually(lambda: not postgres.connections(database), 5, "no connection is left open")
    postgres.drop(database)
    warehouse.remove()


@pytest.mark.parametrize("what", ["token", "all tokens", "key", "principal", "secret"])
def test_the_other_node_obeys_at_once(pair: tuple[Identities, Identities], what: str) -> None:
    """The first request that starts there after the revocation was answered is refused, on every worker."""
    here, there = pair
    for _ in range(5):
        person = here.person()
        key, token = here.key(person), here.token(person)
        shown = key["key"] if what == "key" else token
        assert all(works(there, shown) for _ in range(4))
        if what == "token":
            no_content(here.admin.post(REVOKE, json={"token": token}))
        elif what == "all tokens":
            no_content(here.admin.post(REVOKE, json={"principal": person.name}))
        elif what == "key":
            no_content(here.admin.delete(f"{KEYS}/{key['id']}"))
        elif what == "principal":
            no_content(here.admin.delete(f"{PRINCIPALS}/{person.name}"))
        else:
            ok(here.admin.post(f"{PRINCIPALS}/{person.name}/rotate", json={"old-valid-for": "0h"}))
        assert not any(works(there, shown) for _ in range(4))


def test_no_secret_in_the_database_or_the_log(make_server: MakeServer) -> None:
    """Whatever was shown or sent is looked for in every column of every table and in all that was logged."""
    with make_server(settings=secured_settings()) as server:
        people = Identities(server)
        headers = {"Idempotency-Key": "7a7d2d4e-06b8-44ae-9f0b-6d6d0a5b8f11"}
        made = ok(people.admin.post(PRINCIPALS, json={"name": "etl"}, headers=headers), 201)
        person = people.person()
        key = people.key(person)
        rotated = ok(people.admin.post(f"{KEYS}/{key['id']}/rotate"))
        newer = ok(people.admin.post(f"{PRINCIPALS}/{person.name}/rotate"))
        token = people.token(person)
        no_content(people.admin.post(REVOKE, json={"token": token}))
        assert not works(people, token)
        people.login(person._replace(secret="guessed-wrongly-0123456789"))
        secrets = [
            str(people.root.secret),
            str(server.settings["auth.signing_key"]),
            made["client-secret"],
            person.secret,
            newer["client-secret"],
            key["key"],
            rotated["key"],
            token,
            people.admin.headers["Authorization"].removeprefix("Bearer "),
            "guessed-wrongly-0123456789",
        ]
        assert server.database is not None
        stored = dump(server.database)
        assert hash_key(rotated["key"]).hex() in stored
        logged = server.stdout.read_text() + server.stderr.read_text()
        for secret in secrets:
            part = secret.rpartition(".")[2]  # of a token its signature
            assert part not in stored
            assert part not in logged


def dump(database: DatabaseAddress) -> str:
    """Return all rows of all tables as text."""
    return "\n".join(str(row) for (query,) in database.query(TEXTS) for row in database.query(query))


def test_shown_secrets_are_no_arguments(secured: TestServer) -> None:
    """The settings reach the processes in their environment, not in what every user of the machine can list."""
    secret = str(secured.settings["auth.oauth2.client_secret"])
    lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in secured.pids()]
    assert lines
    assert not [line for line in lines if secret in line]
