"""Principals: who may come in, and from when on no longer."""

import pytest

from tests.contract.calls import assert_error, no_content, ok
from tests.factories import unique_name
from tests.support.identities import PRINCIPALS, Identities, Person
from tests.support.server import Client


def test_life_of_a_principal(admin: Client, identities: Identities) -> None:
    name = unique_name("p")
    made = ok(admin.post(PRINCIPALS, json={"name": name}), 201)
    assert (made["name"], made["client-id"], made["kind"], made["created-by"]) == (
        name,
        name,
        "service",
        "root",
    )
    person = Person(name, made["client-secret"])
    assert len(person.secret) >= 43
    shown = ok(admin.get(f"{PRINCIPALS}/{name}"))
    assert shown == {key: value for key, value in made.items() if not key.startswith("client-")}

    client = identities.as_(person)
    assert client.get("/v1/config").status_code == 200
    no_content(admin.delete(f"{PRINCIPALS}/{name}"))
    assert_error(client.get("/v1/config"), 401, "NotAuthorizedException")
    assert identities.login(person).status_code == 401
    assert_error(admin.get(f"{PRINCIPALS}/{name}"), 404, "NotFoundException")


def test_deleted_principals_are_listed_only_on_request(admin: Client, identities: Identities) -> None:
    gone, stays = identities.person(), identities.person()
    no_content(admin.delete(f"{PRINCIPALS}/{gone.name}"))
    listed = {each["name"]: each for each in ok(admin.get(PRINCIPALS))["principals"]}
    assert gone.name not in listed
    assert listed[stays.name]["deleted-at-ms"] is None
    every = ok(admin.get(PRINCIPALS, params={"include-deleted": "true"}))["principals"]
    assert [each["deleted-at-ms"] is not None for each in every if each["name"] == gone.name] == [True]


def test_disabled_until_enabled(admin: Client, identities: Identities) -> None:
    person = identities.person()
    client, key = identities.as_(person), identities.with_token(identities.key(person)["key"])
    assert ok(admin.patch(f"{PRINCIPALS}/{person.name}", json={"disabled": True}))["disabled"] is True
    for session in (client, key):
        assert_error(session.get("/v1/config"), 401, "NotAuthorizedException")
    assert identities.login(person).json()["error"] == "invalid_client"
    assert ok(admin.patch(f"{PRINCIPALS}/{person.name}", json={"disabled": False}))["disabled"] is False
    for session in (client, key):
        ok(session.get("/v1/config"))


def test_rotated_secret(admin: Client, identities: Identities) -> None:
    person = identities.person()
    newer = person._replace(secret=ok(admin.post(f"{PRINCIPALS}/{person.name}/rotate"))["client-secret"])
    assert [identities.login(each).status_code for each in (person, newer)] == [200, 200]
    answer = admin.post(f"{PRINCIPALS}/{person.name}/rotate", json={"old-valid-for": "1h"})
    newest = person._replace(secret=ok(answer)["client-secret"])
    assert [identities.login(each).status_code for each in (person, newer, newest)] == [401, 200, 200]
    answer = admin.post(f"{PRINCIPALS}/{person.name}/rotate", json={"old-valid-for": "0h"})
    last = person._replace(secret=ok(answer)["client-secret"])
    assert [identities.login(each).status_code for each in (newer, newest, last)] == [401, 401, 200]


def test_a_token_ends_with_the_secret_that_it_was_made_with(admin: Client, identities: Identities) -> None:
    person = identities.person()
    client = identities.as_(person)
    ok(admin.post(f"{PRINCIPALS}/{person.name}/rotate", json={"old-valid-for": "0h"}))
    assert_error(client.get("/v1/config"), 401, "NotAuthorizedException")


def test_repeated_request_does_not_show_the_secret_again(admin: Client) -> None:
    headers = {"Idempotency-Key": "0b5f7b1e-6e0f-4c55-9d25-3c2f5a2d9d11"}
    body = {"name": unique_name("p")}
    first = ok(admin.post(PRINCIPALS, json=body, headers=headers), 201)
    second = ok(admin.post(PRINCIPALS, json=body, headers=headers), 201)
    assert first.pop("client-secret")
    assert second == first


@pytest.mark.parametrize("name", ["", "a:b", " a", "a\n", "x" * 256])
def test_name_that_nobody_can_have(admin: Client, name: str) -> None:
    assert_error(admin.post(PRINCIPALS, json={"name": name}), 400, "BadRequestException")


def test_odd_names_work(admin: Client, identities: Identities) -> None:
    name = unique_name("grüße 100% a+b/c")
    person = identities.person(name)
    ok(identities.as_(person).get("/v1/config"))
    assert (
        ok(admin.get(f"{PRINCIPALS}/gr%C3%BC%C3%9Fe%20100%25%20a%2Bb%2F{name.partition('/')[2]}"))["name"]
        == name
    )


def test_taken_name(admin: Client, identities: Identities) -> None:
    person = identities.person()
    assert_error(admin.post(PRINCIPALS, json={"name": person.name}), 409, "AlreadyExistsException")
    no_content(admin.delete(f"{PRINCIPALS}/{person.name}"))
    again = identities.person(person.name)
    assert identities.login(person).status_code == 401
    ok(identities.as_(again).get("/v1/config"))


def test_nobody_locks_himself_out(admin: Client) -> None:
    assert_error(admin.delete(f"{PRINCIPALS}/root"), 409, "ConflictException")
    assert_error(admin.patch(f"{PRINCIPALS}/root", json={"disabled": True}), 409, "ConflictException")
