"""The same contract with a warehouse on S3: what differs from files is where things lie."""

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.calls import (
    Tabular,
    assert_error,
    create_view_request,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    table_path,
)
from tests.factories import create_table_request, set_properties, unique_name
from tests.support.process import eventually
from tests.support.server import Client, TestServer
from tests.support.warehouses import S3Warehouse


@pytest.fixture
def client(server_s3: TestServer) -> Iterator[Client]:
    with Client(server_s3.url) as session:
        yield session


@pytest.fixture
def namespace(client: Client) -> str:
    return make_namespace(client)


@pytest.fixture
def warehouse(server_s3: TestServer) -> S3Warehouse:
    assert isinstance(server_s3.warehouse, S3Warehouse)
    return server_s3.warehouse


@pytest.fixture
def table(client: Client, namespace: str) -> Tabular:
    return make_table(client, namespace)


def read(warehouse: S3Warehouse, location: str) -> bytes:
    key = location.removeprefix(f"s3://{warehouse.bucket}/")
    return bytes(warehouse.minio.client().get_object(Bucket=warehouse.bucket, Key=key)["Body"].read())


def below(warehouse: S3Warehouse, location: str) -> list[str]:
    return sorted(file for file in warehouse.files() if file.startswith(location + "/"))


def test_files_are_objects(table: Tabular, warehouse: S3Warehouse) -> None:
    first = table.load()
    location = first["metadata"]["location"]
    assert location.startswith(f"{warehouse.location}/{table.namespace}/{table.name}-")
    assert json.loads(read(warehouse, first["metadata-location"])) == first["metadata"]
    table.commit(set_properties(a="1"))
    second = table.load()
    assert json.loads(read(warehouse, second["metadata-location"])) == second["metadata"]
    assert below(warehouse, location) == sorted([first["metadata-location"], second["metadata-location"]])


def test_view_is_compressed(client: Client, namespace: str, warehouse: S3Warehouse) -> None:
    view = make_view(client, namespace)
    assert json.loads(gzip.decompress(read(warehouse, view.location))) == view.metadata


def test_failed_commit_leaves_no_object(table: Tabular, warehouse: S3Warehouse) -> None:
    location = table.metadata["location"]
    for answer in (
        table.try_commit(set_properties(a="1"), requirements=[{"type": "assert-create"}]),
        table.try_commit({"action": "set-location", "location": f"s3://other-{warehouse.bucket}/x"}),
    ):
        assert answer.status_code in {400, 409}
    assert len(below(warehouse, location)) == 1


SPELLINGS = ["s3://{}", "s3a://{}", "s3n://{}", "S3://{}", "s3://{}/"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_aliases_of_the_scheme(client: Client, namespace: str, warehouse: S3Warehouse, spelling: str) -> None:
    area = f"{warehouse.bucket}/{warehouse.prefix}/{unique_name('own')}"
    location = spelling.format(area)
    made = make_table(client, namespace, location=location)
    assert made.metadata["location"] == location.rstrip("/")
    assert len(below(warehouse, f"s3://{area}")) == 1
    for other in SPELLINGS:
        body = create_table_request(unique_name("t"), location=other.format(f"{area}/below"))
        answer = client.post(f"{namespace_path(namespace)}/tables", json=body)
        assert_error(answer, 400, "IllegalArgumentException", re.compile("overlaps"))


OUTSIDE = [
    "s3://{0.bucket}",
    "s3://{0.bucket}/{0.prefix}",
    "s3://{0.bucket}/{0.prefix}-sibling/x",
    "s3://{0.bucket}/other/x",
    "s3://{0.bucket}-2/{0.prefix}/x",
    "s3://{0.bucket}/{0.prefix}/../x",
    "s3://{0.bucket}/{0.prefix}/a//b",
    "s3:/{0.bucket}/{0.prefix}/x",
    "s3:///{0.prefix}/x",
    "file:///tmp/x",
    "/tmp/x",
]


@pytest.mark.parametrize("form", OUTSIDE)
def test_nowhere_else(client: Client, namespace: str, warehouse: S3Warehouse, form: str) -> None:
    location, before = form.format(warehouse), warehouse.minio.keys(warehouse.bucket)
    for kind, body in (
        ("tables", create_table_request("t", location=location)),
        ("views", create_view_request("v", location=location)),
    ):
        answer = client.post(f"{namespace_path(namespace)}/{kind}", json=body)
        assert answer.status_code == 400, answer.text
    assert warehouse.minio.keys(warehouse.bucket) == before


def register(client: Client, namespace: str, location: str) -> Any:
    body = {"name": "r", "metadata-location": location}
    return client.post(f"{namespace_path(namespace)}/register", json=body)


def test_register(client: Client, table: Tabular, warehouse: S3Warehouse) -> None:
    loaded = table.load()
    no_content(client.delete(table.path))
    alias = loaded["metadata-location"].replace("s3://", "s3a://")
    answer = ok(register(client, table.namespace, alias))
    assert answer == {**loaded, "metadata-location": alias}
    registered = Tabular(client, table.namespace, "r", table_path(table.namespace, "r"))
    registered.commit(set_properties(a="1"))
    assert registered.location.rpartition("/")[2].startswith("00001-")


def test_register_of_a_missing_object(client: Client, namespace: str, warehouse: S3Warehouse) -> None:
    location = f"{warehouse.location}/none/00000-x.metadata.json"
    message = f"Failed to open input stream for file: {location}"
    assert_error(register(client, namespace, location), 404, "NotFoundException", message)


@pytest.mark.lenient("Python clients send True")
def test_purge(client: Client, table: Tabular, warehouse: S3Warehouse) -> None:
    location = table.metadata["location"]
    table.commit(set_properties(a="1"))
    no_content(client.delete(f"{table.path}?purgeRequested=True"))
    eventually(lambda: below(warehouse, location) == [], 20, "all objects of the table are deleted")


def test_config_says_how_to_reach_the_storage(client: Client, warehouse: S3Warehouse) -> None:
    config = ok(client.get("/v1/config", params={"warehouse": warehouse.location}))
    assert config["overrides"] == {"prefix": "default", "namespace-separator": "%1F"}
    expected = {"s3.endpoint": warehouse.minio.endpoint, "s3.path-style-access": "true"}
    assert expected.items() <= config["defaults"].items()
    assert warehouse.minio.secret_key not in json.dumps(config)
    assert warehouse.minio.access_key not in json.dumps(config)
