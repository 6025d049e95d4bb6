"""Several warehouses with different storage at once: nothing of one is ever seen, written or deleted in another."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import SHARED, MakeServer
from tests.contract.calls import assert_error, local, no_content, ok
from tests.contract.managed import Grounds, create, s3_profile
from tests.factories import commit_request, create_table_request, set_properties, unique_name
from tests.support.minio import Minio
from tests.support.process import eventually
from tests.support.server import Client, TestServer

BUCKETS = ("apart-one", "apart-two")


@pytest.fixture(scope="module")
def other_minio() -> Iterator[Minio]:
    """A second store, with keys of its own."""
    with Minio() as running:
        yield running


@pytest.fixture(scope="module")
def stores(minio: Minio, other_minio: Minio) -> list[tuple[Minio, str]]:
    """A bucket on each of two stores."""
    return [
        (store, store.create_bucket(bucket))
        for store, bucket in zip((minio, other_minio), BUCKETS, strict=True)
    ]


@pytest.fixture(scope="module")
def given(stores: list[tuple[Minio, str]]) -> Iterator[Grounds]:
    grounds = Grounds(*(store.endpoint for store, _ in stores))
    yield grounds
    grounds.remove()


@pytest.fixture(scope="module")
def node(make_server: MakeServer, given: Grounds) -> Iterator[TestServer]:
    with make_server(settings=given.settings()) as running:
        SHARED.append(running)
        yield running
        SHARED.remove(running)


@pytest.fixture
def client(node: TestServer) -> Iterator[Client]:
    with Client(node.url) as session:
        yield session


class Place:
    """A warehouse and all files in it."""

    def __init__(self, client: Client, warehouse: dict[str, Any], store: tuple[Minio, str] | None) -> None:
        self.client, self.store = client, store
        self.root: str = warehouse["storage-profile"]["root-location"]
        self.prefix = f"/v1/{warehouse['prefix']}"
        self.name: str = warehouse["name"]

    @property
    def table(self) -> str:
        return f"{self.prefix}/namespaces/same/tables/same"

    def files(self) -> set[str]:
        if self.store is None:
            return {f"file://{path}" for path in local(self.root).rglob("*") if path.is_file()}
        minio, bucket = self.store
        return {
            f"s3://{bucket}/{key}"
            for key in minio.keys(bucket, self.root.removeprefix(f"s3://{bucket}/") + "/")
        }

    def make_table(self) -> dict[str, Any]:
        spaces = f"{self.prefix}/namespaces"
        ok(self.client.post(spaces, json={"namespace": ["same"]}))
        return ok(self.client.post(f"{spaces}/same/tables", json=create_table_request("same")))


@pytest.fixture
def places(client: Client, given: Grounds, stores: list[tuple[Minio, str]]) -> list[Place]:
    """A local warehouse and one on each of two stores."""
    made = [Place(client, create(client, given.local()), None)]
    for minio, bucket in stores:
        made.append(Place(client, create(client, s3_profile(minio, bucket)), (minio, bucket)))
    return made


def test_the_same_name_in_three_warehouses_never_meets(client: Client, places: list[Place]) -> None:
    tables = [place.make_table() for place in places]
    assert len({table["metadata"]["table-uuid"] for table in tables}) == 3
    for number, place in enumerate(places):
        ok(client.post(place.table, json=commit_request(set_properties(number=str(number)))))
    for number, place in enumerate(places):
        loaded = ok(client.get(place.table))
        assert loaded["metadata"]["properties"]["number"] == str(number)
        assert loaded["metadata-location"].startswith(f"{place.root}/same/same-")
        assert place.files() == {loaded["metadata-location"], tables[number]["metadata-location"]}
    no_content(client.delete(places[0].table))
    assert_error(client.get(places[0].table), 404, "NoSuchTableException")
    for place in places[1:]:
        ok(client.get(place.table))


def test_a_purge_deletes_in_the_storage_of_its_warehouse_only(client: Client, places: list[Place]) -> None:
    for place in places:
        place.make_table()
    for number, place in enumerate(places):
        no_content(client.delete(f"{place.table}?purgeRequested=true"))
        eventually(lambda place=place: not place.files(), 20, f"the files in {place.root} are deleted")  # type: ignore[misc]
        assert all(other.files() for other in places[number + 1 :])


def test_superseded_metadata_goes_from_the_storage_of_its_warehouse(
    client: Client, places: list[Place]
) -> None:
    properties = {
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "1",
    }
    for place in places:
        first = place.make_table()["metadata-location"]
        ok(client.post(place.table, json=commit_request(set_properties(**properties))))
        ok(client.post(place.table, json=commit_request(set_properties(a="1"))))
        eventually(
            lambda place=place, first=first: first not in place.files(), 20, "the first file is deleted"
        )  # type: ignore[misc]


def test_nothing_leads_into_another_warehouse(client: Client, places: list[Place]) -> None:
    for place in places:
        place.make_table()
    for place in places:
        spaces = f"{place.prefix}/namespaces"
        for other in places:
            if other is place:
                continue
            foreign = ok(client.get(other.table))["metadata-location"]
            before = other.files()
            register = client.post(
                f"{spaces}/same/register", json={"name": "r", "metadata-location": foreign}
            )
            made = client.post(
                f"{spaces}/same/tables", json=create_table_request("t", location=f"{other.root}/x")
            )
            moved = client.post(
                place.table, json=commit_request({"action": "set-location", "location": f"{other.root}/x"})
            )
            space = client.post(
                spaces, json={"namespace": ["n"], "properties": {"location": f"{other.root}/x"}}
            )
            for answer in (register, made, moved, space):
                assert_error(answer, 400, "IllegalArgumentException")
            assert other.files() == before


def test_listings_and_namespaces_are_apart(client: Client, places: list[Place]) -> None:
    name = unique_name("only")
    ok(client.post(f"{places[0].prefix}/namespaces", json={"namespace": [name]}))
    for place in places[1:]:
        assert ok(client.get(f"{place.prefix}/namespaces"))["namespaces"] == []
        assert_error(client.get(f"{place.prefix}/namespaces/{name}"), 404, "NoSuchNamespaceException")
    assert [name] not in ok(client.get("/v1/namespaces"))["namespaces"]


def test_page_tokens_belong_to_their_warehouse(client: Client, places: list[Place]) -> None:
    for place in places[:2]:
        for name in ("a", "b"):
            ok(client.post(f"{place.prefix}/namespaces", json={"namespace": [name]}))
    token = ok(client.get(f"{places[0].prefix}/namespaces", params={"pageSize": 1}))["next-page-token"]
    answer = client.get(f"{places[1].prefix}/namespaces", params={"pageToken": token})
    assert_error(answer, 400, "BadRequestException")


def test_each_says_how_its_own_storage_is_reached(client: Client, places: list[Place]) -> None:
    for place in places:
        config = ok(client.get("/v1/config", params={"warehouse": place.root}))
        assert config["overrides"]["prefix"] == place.prefix.removeprefix("/v1/")
        expected = place.store[0].endpoint if place.store else None
        assert config["defaults"].get("s3.endpoint") == expected
        assert place.make_table()["config"].get("s3.endpoint") == expected


def test_two_stores_may_not_share_the_name_of_a_place(
    client: Client, given: Grounds, stores: list[tuple[Minio, str]], places: list[Place]
) -> None:
    """Nobody could tell from a location which of the two it means."""
    (_, bucket), (other, _) = stores
    other.create_bucket(bucket)
    profile = {**s3_profile(other, bucket), "root-location": places[1].root}
    answer = client.post(
        "/management/v1/warehouses", json={"name": unique_name("twin"), "storage-profile": profile}
    )
    assert_error(answer, 409, "AlreadyExistsException")
