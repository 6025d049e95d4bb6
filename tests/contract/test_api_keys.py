"""API keys: made, shown once, replaced, revoked; of a principal and never wider than its maker."""

import time

import pytest

from tests.conftest import MakeServer
from tests.contract.calls import assert_error, no_content, ok
from tests.factories import unique_name
from tests.support.identities import KEYS, PRINCIPALS, Identities, Person
from tests.support.process import eventually
from tests.support.server import Client, TestServer

GO = "/v1/api-keys"
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def person(identities: Identities) -> Person:
    return identities.person()


def status(identities: Identities, key: str) -> int:
    return identities.with_token(key).get("/v1/config").status_code


def test_life_of_a_key(identities: Identities, admin: Client, person: Person) -> None:
    made = identities.key(person, ["read"], **{"expires-in": "30d"})
    key = made.pop("key")
    assert key.startswith("bingsan_")
    assert len(key) == len("bingsan_") + 43
    assert made["expires-at-ms"] - made["created-at-ms"] == 30 * DAY_MS
    assert (made["principal"], made["scopes"], made["created-by"]) == (person.name, ["read"], "root")
    assert (made["last-used-at-ms"], made["rotated-at-ms"], made["deleted-at-ms"]) == (None, None, None)
    assert ok(admin.get(KEYS, params={"principal": person.name}))["keys"] == [made]
    assert status(identities, key) == 200

    no_content(admin.delete(f"{KEYS}/{made['id']}"))
    assert_error(identities.with_token(key).get("/v1/config"), 401, "NotAuthorizedException")
    assert ok(admin.get(KEYS, params={"principal": person.name}))["keys"] == []
    asked = {"principal": person.name, "include-deleted": "true"}
    (gone,) = ok(admin.get(KEYS, params=asked))["keys"]
    assert gone["deleted-at-ms"] >= made["created-at-ms"]
    assert_error(admin.delete(f"{KEYS}/{made['id']}"), 404, "NotFoundException")
    assert_error(admin.post(f"{KEYS}/{made['id']}/rotate"), 404, "NotFoundException")


def test_ways_to_show_a_key(identities: Identities, secured: TestServer, person: Person) -> None:
    key = identities.key(person)["key"]
    for headers in (
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"bearer  {key}"},
        {"Authorization": f"x-api-key {key}"},
        {"X-API-Key": key},
        {"X-API-Key": key, "Authorization": f"Bearer {key}"},
    ):
        ok(secured.client().get("/v1/config", headers=headers))
    other = identities.key(person)["key"]
    two = secured.client().get("/v1/config", headers={"X-API-Key": key, "Authorization": f"Bearer {other}"})
    assert_error(two, 401, "NotAuthorizedException")


def test_rotated_key(identities: Identities, admin: Client, person: Person) -> None:
    made = identities.key(person)
    newer = ok(admin.post(f"{KEYS}/{made['id']}/rotate"))
    assert newer["id"] == made["id"]
    grace = newer["previous-valid-until-ms"] - newer["rotated-at-ms"]
    assert grace == DAY_MS
    assert [status(identities, each["key"]) for each in (made, newer)] == [200, 200]
    newest = ok(admin.post(f"{KEYS}/{made['id']}/rotate"))
    assert [status(identities, each["key"]) for each in (made, newer, newest)] == [401, 200, 200]
    no_content(admin.delete(f"{KEYS}/{made['id']}"))
    assert [status(identities, each["key"]) for each in (newer, newest)] == [401, 401]


def test_old_key_ends_with_its_grace(identities: Identities, admin: Client, secured: TestServer) -> None:
    made = identities.key(identities.person())
    newer = ok(admin.post(f"{KEYS}/{made['id']}/rotate"))
    assert secured.database is not None
    until = "UPDATE api_keys SET previous_valid_until = now() + interval '2 seconds' WHERE id = %s"
    secured.database.query(until, made["id"])
    old = identities.with_token(made["key"])
    ok(old.get("/v1/config"))
    eventually(lambda: old.get("/v1/config").status_code == 401, 10, "the grace is over")
    assert status(identities, newer["key"]) == 200


def test_expired_key(identities: Identities, secured: TestServer) -> None:
    made = identities.key(identities.person(), **{"expires-in": "1h"})
    assert secured.database is not None
    soon = "UPDATE api_keys SET expires_at = now() + interval '2 seconds' WHERE id = %s"
    secured.database.query(soon, made["id"])
    client = identities.with_token(made["key"])
    ok(client.get("/v1/config"))
    eventually(lambda: client.get("/v1/config").status_code == 401, 10, "the key has expired")


def test_last_used(identities: Identities, admin: Client) -> None:
    person = identities.person()
    made = identities.key(person)

    def last_used() -> int:
        (shown,) = ok(admin.get(KEYS, params={"principal": person.name}))["keys"]
        return int(shown["last-used-at-ms"] or 0)

    assert last_used() == 0
    before = time.time() * 1000
    assert status(identities, made["key"]) == 200
    eventually(lambda: last_used() >= before - 1000, 10, "the use of the key is known")
    first = last_used()
    assert status(identities, made["key"]) == 200
    eventually(lambda: last_used() > first, 10, "the next one is known too")


def test_who_may_make_keys(identities: Identities, secured: TestServer) -> None:
    """Without credential, with a plain key, with one that lacks the scope, with one that is narrower."""
    body = {"name": "k"}
    assert_error(secured.client().post(KEYS, json=body), 401, "NotAuthorizedException")
    person = identities.person()
    plain = identities.with_token(identities.key(person)["key"])
    for path in (KEYS, GO):
        assert_error(plain.post(path, json=body), 403, "ForbiddenException")
    for scope in ("read", "write", "sign"):
        narrow = identities.with_token(identities.key(identities.root, [scope])["key"])
        assert_error(narrow.post(KEYS, json=body), 403, "ForbiddenException")
    managing = identities.with_token(identities.key(identities.root, ["manage"])["key"])
    assert_error(managing.post(KEYS, json={**body, "scopes": ["catalog"]}), 403, "ForbiddenException")
    ok(managing.post(KEYS, json={**body, "scopes": ["write", "manage"]}), 201)


def test_own_keys(identities: Identities) -> None:
    person, other = identities.person(), identities.person()
    mine, theirs = identities.key(person), identities.key(other)
    client = identities.as_(person)
    for asked in ({}, {"principal": other.name}):
        assert [key["id"] for key in ok(client.get(KEYS, params=asked))["keys"]] == [mine["id"]]
    assert_error(client.delete(f"{KEYS}/{theirs['id']}"), 404, "NotFoundException")
    assert_error(client.post(f"{KEYS}/{mine['id']}/rotate"), 403, "ForbiddenException")
    no_content(client.delete(f"{KEYS}/{mine['id']}"))
    assert [status(identities, each["key"]) for each in (mine, theirs)] == [401, 200]


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ""},
        {"name": "x" * 256},
        {"name": "a\n"},
        {"scopes": ["all"]},
        {"scopes": []},
        {"expires-in": "0d"},
        {"expires-in": "-1d"},
        {"expires-in": "30"},
        {"expires-in": "30 d"},
        {"expires-in": "11y"},
        {"expires-in": "٣d"},
        {"expires-in": "999999y"},
        {"more": 1},
    ],
)
def test_malformed(admin: Client, person: Person, changed: dict[str, object]) -> None:
    body = {"name": "k", "principal": person.name, **changed}
    assert_error(admin.post(KEYS, json=body), 400, "BadRequestException")


@pytest.mark.parametrize(
    ("text", "hours"), [("12h", 12), ("1d", 24), ("2w", 336), ("6m", 4320), ("1y", 8760), ("10y", 87600)]
)
def test_lifetimes(identities: Identities, person: Person, text: str, hours: int) -> None:
    made = identities.key(person, **{"expires-in": text})
    assert made["expires-at-ms"] - made["created-at-ms"] == hours * 3_600_000


def test_unknown_principal(admin: Client) -> None:
    body = {"name": "k", "principal": unique_name("nobody")}
    assert_error(admin.post(KEYS, json=body), 404, "NotFoundException")


def test_keys_go_with_their_principal(identities: Identities, admin: Client) -> None:
    person = identities.person()
    made = identities.key(person)
    no_content(admin.delete(f"{PRINCIPALS}/{person.name}"))
    again = identities.person(person.name)
    assert status(identities, made["key"]) == 401
    assert ok(admin.get(KEYS, params={"principal": again.name}))["keys"] == []


def test_page_by_page(identities: Identities, admin: Client) -> None:
    person = identities.person()
    made = [identities.key(person)["id"] for _ in range(5)]
    found: list[int] = []
    asked = {"principal": person.name, "pageSize": "2"}
    while True:
        page = ok(admin.get(KEYS, params=asked))
        found += [key["id"] for key in page["keys"]]
        if not page["next-page-token"]:
            break
        asked["pageToken"] = page["next-page-token"]
    assert found == made


def test_repeated_requests_do_not_show_the_key_again(admin: Client, person: Person) -> None:
    headers = {"Idempotency-Key": "5f3f4a3a-39a5-4b0f-8b5e-d5b4c21b6a01"}
    body = {"name": unique_name("k"), "principal": person.name}
    first = ok(admin.post(KEYS, json=body, headers=headers), 201)
    second = ok(admin.post(KEYS, json=body, headers=headers), 201)
    assert first.pop("key")
    assert second == first
    headers = {"Idempotency-Key": "5f3f4a3a-39a5-4b0f-8b5e-d5b4c21b6a02"}
    rotated = ok(admin.post(f"{KEYS}/{first['id']}/rotate", headers=headers))
    again = ok(admin.post(f"{KEYS}/{first['id']}/rotate", headers=headers))
    assert rotated.pop("key")
    assert again == rotated


def test_as_the_go_version_had_them(identities: Identities, admin: Client) -> None:
    made = ok(admin.post(GO, json={"name": "go", "expires_in": "1y", "unknown": True}), 201)
    assert set(made) == {"id", "name", "key", "scopes", "created_at", "expires_at"}
    assert made["scopes"] == ["catalog"]
    shown = {key["id"]: key for key in ok(admin.get(GO))["keys"]}
    assert shown[made["id"]]["name"] == "go"
    assert "key" not in shown[made["id"]]
    rotated = ok(admin.post(f"{GO}/{made['id']}/rotate"))
    assert rotated["rotated_at"].endswith("Z")
    assert [status(identities, each["key"]) for each in (made, rotated)] == [200, 200]
    no_content(admin.delete(f"{GO}/{made['id']}"))
    assert [status(identities, each["key"]) for each in (made, rotated)] == [401, 401]


def test_only_where_they_are_accepted(make_server: MakeServer, identities: Identities) -> None:
    settings = {**identities.server.settings, "auth.api_key.enabled": False}
    with make_server(settings=settings) as server:
        people = Identities(server)
        answer = people.admin.post(KEYS, json={"name": "k"})
        assert_error(answer, 400, "IllegalArgumentException")


def test_where_nobody_needs_one(client: Client) -> None:
    assert_error(client.post(KEYS, json={"name": "k"}), 400, "BadRequestException")
    name = unique_name("p")
    ok(client.post(PRINCIPALS, json={"name": name}), 201)
    ok(client.post(KEYS, json={"name": "k", "principal": name}), 201)
