"""Soft delete, renames and drops in warehouses side by side: each has its own, in its own storage."""

from typing import Any, NamedTuple

import pytest

from tests.contract.calls import assert_error, local, no_content, ok
from tests.contract.holding import job_of, purged
from tests.contract.managed import Grounds, create, path_of, s3_profile
from tests.factories import create_table_request, unique_name
from tests.support.minio import Minio
from tests.support.server import Client, TestServer


class Place(NamedTuple):
    """A warehouse that holds what is dropped, with the table ``a.t``."""

    client: Client
    warehouse: dict[str, Any]

    @property
    def table(self) -> str:
        return f"/v1/{self.warehouse['prefix']}/namespaces/a/tables/t"

    @property
    def managed(self) -> str:
        return path_of(self.warehouse)

    def fill(self) -> dict[str, Any]:
        space = f"/v1/{self.warehouse['prefix']}/namespaces"
        ok(self.client.post(space, json={"namespace": ["a"]}))
        return ok(self.client.post(f"{space}/a/tables", json=create_table_request("t")))

    def dropped(self) -> list[dict[str, Any]]:
        return list(ok(self.client.get(f"{self.managed}/dropped"))["dropped"])


def make_place(client: Client, profile: dict[str, Any]) -> Place:
    return Place(client, create(client, profile, **{"soft-delete": {"enabled": True}}))


@pytest.fixture
def one(manager: Client, grounds: Grounds) -> Place:
    return make_place(manager, grounds.local())


@pytest.fixture
def other(manager: Client, grounds: Grounds) -> Place:
    return make_place(manager, grounds.local())


def test_what_is_dropped_in_one_does_not_meet_the_other(manager: Client, one: Place, other: Place) -> None:
    loaded = [each.fill() for each in (one, other)]
    no_content(manager.delete(one.table))
    assert other.dropped() == []
    (item,) = one.dropped()
    assert item["location"] == loaded[0]["metadata"]["location"]
    path = f"dropped/{item['id']}"
    assert_error(manager.post(f"{other.managed}/{path}/undrop"), 404, "NotFoundException")
    assert_error(manager.delete(f"{other.managed}/{path}"), 404, "NotFoundException")
    ok(manager.post(f"{one.managed}/{path}/undrop"))
    assert ok(manager.get(one.table))["metadata-location"] == loaded[0]["metadata-location"]


def test_namespaces_of_one_name(manager: Client, one: Place, other: Place) -> None:
    for each in (one, other):
        each.fill()
    no_content(manager.post(f"{one.managed}/namespaces/a/rename", json={"destination": ["b"]}))
    assert manager.head(one.table).status_code == 404
    assert manager.head(other.table).status_code == 204
    ok(manager.put(f"{other.managed}/namespaces/a/protection", json={"protected": True}))
    job = job_of(manager, ok(manager.delete(f"{one.managed}/namespaces/b?recursive=true"), 202))
    assert job["status"] == "completed"
    assert [len(each.dropped()) for each in (one, other)] == [1, 0]


@pytest.mark.parametrize("type_", ["local", "s3"])
def test_a_purge_in_the_storage_of_its_warehouse(
    managed: TestServer, manager: Client, grounds: Grounds, minio: Minio, type_: str
) -> None:
    bucket = minio.create_bucket(unique_name("held").replace("_", "-"))
    profile = (
        grounds.local() if type_ == "local" else s3_profile(minio, bucket, **{"path-style-access": True})
    )
    place = make_place(manager, profile)
    location = place.fill()["metadata-location"]
    no_content(manager.delete(f"{place.table}?purgeRequested=true"))
    (item,) = place.dropped()
    register = {"name": "r", "metadata-location": location}
    space = f"/v1/{place.warehouse['prefix']}/namespaces/a"
    ok(manager.post(f"{space}/register", json=register))
    ok(manager.post(f"{space}/tables/r/unregister"))
    no_content(manager.delete(f"{place.managed}/dropped/{item['id']}"))
    purged(managed)
    answer = manager.post(f"{space}/register", json=register)
    assert answer.status_code in {400, 404}, answer.text
    if type_ == "local":
        assert not local(item["location"]).exists()
    else:
        assert minio.keys(bucket) == set()
