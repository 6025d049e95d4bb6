"""Where keys of somebody reach, nothing of others comes to lie until they end."""

import re
from typing import Any

import pytest
import requests

from tests.contract.calls import assert_error, make_table, namespace_path, no_content, ok, table_path
from tests.contract.rights import on_namespace, person_with
from tests.contract.vending.keys import ASKING, READER, SECURED, load, seen_by
from tests.factories import create_table_request, unique_name
from tests.support.identities import Identities
from tests.support.process import eventually
from tests.support.server import Client, TestServer

STAGED = {"stage-create": True}


def ask(client: Client, space: str, location: str, **more: Any) -> requests.Response:
    body = create_table_request(unique_name("t"), location=location, **more)
    return client.post(f"{namespace_path(space)}/tables", json=body, headers=ASKING)


@pytest.mark.parametrize("where", ["", "/below", "/.."])
@pytest.mark.parametrize("more", [{}, STAGED])
def test_nothing_comes_to_lie_where_the_keys_of_another_reach(
    people: Identities, space: str, where: str, more: dict[str, Any]
) -> None:
    """Else who staged a table around a namespace could read what others put there."""
    _, first = person_with(people, on_namespace(space), "create")
    _, second = person_with(people, on_namespace(space), "create")
    around = f"s3://{SECURED}/root/{unique_name('around')}"
    place = f"{around}/in"
    ok(ask(first, space, place, **STAGED))
    other = around if where == "/.." else f"{place}{where}"
    message = assert_error(ask(second, space, other, **more), 400, "IllegalArgumentException")
    assert re.search("until 2.* somebody else has temporary keys that reach it", message)
    ok(ask(second, space, f"{around}2", **more))
    ok(ask(first, space, other, **more))


def test_a_dropped_table_leaves_its_keys_behind(people: Identities, space: str) -> None:
    _, first = person_with(people, on_namespace(space), "create")
    place = f"s3://{SECURED}/root/{unique_name('place')}"
    path = table_path(space, ok_name(first, space, place))
    no_content(people.admin.delete(path))
    assert_error(ask(people.admin, space, f"{place}/x"), 400, "IllegalArgumentException")


def ok_name(client: Client, space: str, location: str) -> str:
    """Create a table there, with keys for it, and return its name."""
    name = unique_name("t")
    body = create_table_request(name, location=location)
    answer = ok(client.post(f"{namespace_path(space)}/tables", json=body, headers=ASKING))
    assert answer["storage-credentials"]
    return name


def test_who_comes_back_is_not_kept_out(people: Identities, space: str) -> None:
    """The same name at the same place, and files that were there before, are what the keys were for."""
    _, reader = person_with(people, on_namespace(space), *READER)
    place = f"s3://{SECURED}/root/{unique_name('place')}"
    made = make_table(people.admin, space, location=place)
    assert load(seen_by(reader, made))["storage-credentials"]
    metadata_location = made.location
    ok(people.admin.post(f"{made.path}/unregister"))
    body = {"name": "registered", "metadata-location": metadata_location}
    ok(people.admin.post(f"{namespace_path(space)}/register", json=body))
    no_content(people.admin.delete(table_path(space, "registered")))
    make_table(people.admin, space, made.name, location=place)


def test_places_are_forgotten_when_their_keys_end(
    people: Identities, secured: TestServer, space: str
) -> None:
    _, first = person_with(people, on_namespace(space), "create")
    place = f"s3://{SECURED}/root/{unique_name('place')}"
    ok(ask(first, space, place, **STAGED))
    assert secured.database is not None
    ended = "UPDATE vended_places SET expires_at = now() - interval '1 s' WHERE location_key = %s"
    secured.database.query(ended, place)
    ok(ask(people.admin, space, f"{place}/x"))
    secured.database.query("UPDATE jobs SET run_at = now() WHERE kind = 'keep-vended-places'")
    left = "SELECT FROM vended_places WHERE location_key = %s"
    eventually(lambda: not secured.database.query(left, place), 10, "the place is forgotten")
