"""Keys that reach as far as the rights of the one who asks, and who gets none."""

from typing import Any

import pytest

from tests.contract.calls import (
    Tabular,
    assert_error,
    make_namespace,
    make_table,
    namespace_path,
    no_content,
    ok,
)
from tests.contract.rights import on_namespace, on_table, person_with, revoke
from tests.contract.vending.keys import ASKING, DENIED, READER, SECURED, WRITER, holder, issued, load, seen_by
from tests.factories import create_table_request
from tests.support.identities import Identities
from tests.support.minio import Minio
from tests.support.server import Client


@pytest.fixture
def table(people: Identities, space: str) -> Tabular:
    return make_table(people.admin, space)


def outcomes(minio: Minio, table: Tabular, config: dict[str, str]) -> dict[str, str]:
    """Return what comes of everything that can be done with an object inside the table's location."""
    place = {"Bucket": SECURED, "Key": table.location.removeprefix(f"s3://{SECURED}/")}
    with holder(minio, config) as somebody:
        return somebody.attempts(SECURED, f"{place['Key']}-other", place) | {
            "get": somebody.outcome(somebody.client.get_object, **place)
        }


@pytest.mark.once("counts what was issued")
def test_who_may_read_gets_keys_that_read(people: Identities, table: Tabular, minio: Minio) -> None:
    person, client = person_with(people, on_table(table.namespace, table.name), *READER)
    seen = seen_by(client, table)
    for config in (load(seen)["config"], credentials(client, table)):
        done = outcomes(minio, table, config)
        refused = {name for name, code in done.items() if code in DENIED}
        assert {"put", "delete", "delete many", "begin upload", "copy to", "copy from", "tag"} <= refused
        assert done["get"] == done["list"] == "ok"
    (details,) = {str(each) for each in issued(people.server, table.name)}
    assert f"{person.name}@{table.namespace}.{table.name}"[:31] in details


def credentials(client: Client, table: Tabular) -> dict[str, Any]:
    (credential,) = ok(client.get(f"{table.path}/credentials"))["storage-credentials"]
    return dict(credential["config"])


def test_who_may_write_gets_keys_that_write(people: Identities, table: Tabular, minio: Minio) -> None:
    _, client = person_with(people, on_namespace(table.namespace), *WRITER)
    done = outcomes(minio, table, load(seen_by(client, table))["config"])
    assert {done[name] for name in ("get", "put", "delete", "delete many", "begin upload", "list")} == {"ok"}


@pytest.mark.parametrize(
    "privileges",
    [
        ("read-metadata",),
        ("read-metadata", "vend"),
        ("read-metadata", "read-data", "write-data"),
    ],
)
def test_who_gets_no_keys(people: Identities, table: Tabular, privileges: tuple[str, ...]) -> None:
    _, client = person_with(people, on_table(table.namespace, table.name), *privileges)
    answer = load(seen_by(client, table))
    assert "storage-credentials" not in answer
    assert answer["config"] == {}
    assert_error(client.get(f"{table.path}/credentials"), 403, "ForbiddenException")
    assert issued(people.server, table.name) == []


def test_who_may_not_see_the_table_learns_nothing(people: Identities, table: Tabular) -> None:
    _, client = person_with(people, on_namespace(make_namespace(people.admin)), "list")
    for path in (table.path, f"{table.path}/credentials"):
        assert_error(client.get(path, headers=ASKING), 404, "NoSuchTableException")


def test_who_makes_a_table_may_fill_it(people: Identities, space: str, minio: Minio) -> None:
    _, client = person_with(people, on_namespace(space), "create")
    for name, more in (("made", {}), ("staged", {"stage-create": True})):
        body = create_table_request(name, **more)
        answer = ok(client.post(f"{namespace_path(space)}/tables", json=body, headers=ASKING))
        key = answer["metadata"]["location"].removeprefix(f"s3://{SECURED}/") + "/x"
        with holder(minio, answer["config"]) as somebody:
            put = somebody.client.put_object
            assert somebody.outcome(put, Bucket=SECURED, Key=key, Body=b"x") == "ok"


def test_overwriting_a_table_does_not_open_it(people: Identities, table: Tabular) -> None:
    _, client = person_with(people, on_namespace(table.namespace), "create", "write-data", "read-metadata")
    body = {"name": table.name, "metadata-location": table.location, "overwrite": True}
    path = f"{namespace_path(table.namespace)}/register"
    answer = ok(client.post(path, json=body, headers=ASKING))
    assert "storage-credentials" not in answer


def test_rights_that_are_taken_away_are_gone_from_the_next_answer(
    people: Identities, table: Tabular, minio: Minio
) -> None:
    target = on_table(table.namespace, table.name)
    person, client = person_with(people, target, *WRITER)
    loaded = client.get(table.path, headers=ASKING)
    known = {**ASKING, "If-None-Match": loaded.headers["ETag"]}
    assert client.get(table.path, headers=known).status_code == 304
    assert revoke(people.admin, target, person.name, "write-data") == ["write-data"]
    again = client.get(table.path, headers=known)
    config = ok(again)["config"]
    assert config["s3.access-key-id"] != ok(loaded)["config"]["s3.access-key-id"]
    assert outcomes(minio, table, config)["put"] in DENIED
    assert revoke(people.admin, target, person.name, "vend") == ["vend"]
    assert ok(client.get(table.path, headers=known))["config"] == {}
    assert_error(client.get(f"{table.path}/credentials"), 403, "ForbiddenException")


def test_nobody_gets_the_keys_of_another(people: Identities, table: Tabular) -> None:
    target = on_table(table.namespace, table.name)
    found = [
        load(seen_by(person_with(people, target, *WRITER)[1], table))["config"]["s3.access-key-id"]
        for _ in range(2)
    ]
    assert len(set(found)) == 2
    rows = issued(people.server, table.name)
    assert {each["key"] for each in rows} >= set(found)
    assert len({each["session"] for each in rows}) >= 2


def test_a_dropped_table_has_no_keys(people: Identities, table: Tabular) -> None:
    _, client = person_with(people, on_namespace(table.namespace), *WRITER)
    assert load(seen_by(client, table))["storage-credentials"]
    no_content(people.admin.delete(table.path))
    assert_error(client.get(table.path, headers=ASKING), 404, "NoSuchTableException")
    assert_error(client.get(f"{table.path}/credentials"), 404, "NoSuchTableException")


def test_a_scope_narrows_keys(people: Identities, table: Tabular, minio: Minio) -> None:
    person, _ = person_with(people, on_namespace(table.namespace), *WRITER)
    with_key = people.with_token(people.key(person, ["read"])["key"])
    config = load(seen_by(with_key, table))["config"]
    done = outcomes(minio, table, config)
    assert done["get"] == "ok"
    assert done["put"] in DENIED
