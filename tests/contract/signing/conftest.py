"""A warehouse whose clients have everything signed."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.contract.calls import ok
from tests.contract.managed import create, s3_profile
from tests.contract.signing.signed import Signed, new_table
from tests.factories import unique_name
from tests.support.minio import Minio
from tests.support.server import Client, TestServer


class Places(NamedTuple):
    """Paths of a namespace in two warehouses: one signs with keys that end at the table, one with its own."""

    bounded: str
    plain: str


@pytest.fixture(scope="module")
def session(managed: TestServer) -> Iterator[Client]:
    with Client(managed.url) as client:
        yield client


@pytest.fixture(scope="module")
def places(session: Client, minio: Minio) -> Places:
    bucket = minio.create_bucket(unique_name("signed").replace("_", "-"))
    user = minio.add_user(bucket)
    keys = {"access-key-id": user.access_key, "secret-access-key": user.secret_key}
    profile = s3_profile(minio, bucket, delegation=["remote-signing"])
    profile["credentials"] = {"type": "inline", **keys}
    return Places(make_namespace(session, {**profile, "sts": {}}), make_namespace(session, profile))


def make_namespace(session: Client, profile: dict[str, Any]) -> str:
    root = f"{profile['root-location']}-{unique_name('w')}"
    prefix = create(session, {**profile, "root-location": root})["prefix"]
    name = unique_name("ns")
    ok(session.post(f"/v1/{prefix}/namespaces", json={"namespace": [name]}))
    return f"/v1/{prefix}/namespaces/{name}"


@pytest.fixture
def namespace(places: Places) -> str:
    return places.bounded


@pytest.fixture
def signed(session: Client, places: Places, minio: Minio) -> Signed:
    return Signed(session, minio, new_table(session, places.bounded))


@pytest.fixture
def plainly(session: Client, places: Places, minio: Minio) -> Signed:
    """The same where the service signs with keys that reach everything."""
    return Signed(session, minio, new_table(session, places.plain))
