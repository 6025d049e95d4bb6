"""Warehouses that vend: tried when they are made, changed, and with a token service that is away."""

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import parse_qs

import boto3
import pytest

from app.storage.locations import normalise
from app.storage.policy import session_policy
from tests.contract.calls import (
    assert_error,
    namespace_path,
    ok,
    table_path,
)
from tests.contract.managed import change, create, try_create
from tests.contract.vending.keys import ASKING, BUCKET, HOUR, own_profile, table_in
from tests.factories import create_table_request, unique_name
from tests.support.faults import Exchange, Proxy
from tests.support.minio import Minio, User
from tests.support.process import eventually
from tests.support.server import Client
from tests.support.warehouses import VendingWarehouse

ROLE = "arn:aws:iam::000000000000:role/none"


def busy(exchange: Exchange) -> None:
    exchange.refuse(503, "ServiceUnavailable")


def denied(exchange: Exchange) -> None:
    exchange.answer(403, b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")


@pytest.mark.parametrize(
    ("behave", "status", "kind"),
    [(busy, 503, "ServiceUnavailableException"), (denied, 500, "InternalServerError")],
)
def test_without_its_token_service(
    client: Client, namespace: str, sts: Proxy, behave: Callable[[Exchange], None], status: int, kind: str
) -> None:
    sts.behave = behave
    tables = f"{namespace_path(namespace)}/tables"
    created = ok(client.post(tables, json=create_table_request("t"), headers=ASKING))
    assert "storage-credentials" not in created
    assert created["config"] == {}
    path = table_path(namespace, "t")
    assert ok(client.get(path))["config"] == {}
    for asked in (path, f"{path}/credentials"):
        error = assert_error(client.get(asked, headers=ASKING), status, kind)
        assert error.startswith(
            f"Failed to get temporary keys for {created['metadata']['location']} in bucket"
        )
    sts.behave = Exchange.pass_through
    assert ok(client.get(path, headers=ASKING))["storage-credentials"]


def life(config: dict[str, str]) -> float:
    return int(config["s3.session-token-expires-at-ms"]) / 1000 - time.time()


def test_a_changed_warehouse_vends_anew(client: Client, warehouse: VendingWarehouse) -> None:
    made = create(client, own_profile(warehouse))
    path = table_in(client, made)
    loaded = client.get(path, headers=ASKING)
    assert life(ok(loaded)["config"]) > HOUR / 2
    profile = own_profile(warehouse, sts={"session-duration-seconds": 900})
    profile["root-location"] = made["storage-profile"]["root-location"]
    changed = ok(change(client, made, storage_profile=profile))
    assert changed["storage-profile"]["sts"] == {
        "role-arn": "",
        "external-id": "",
        "session-duration-seconds": 900,
        "endpoint": "",
    }

    def is_short() -> bool:
        lives = [life(ok(client.get(path, headers=ASKING))["config"]) for _ in range(6)]
        return max(lives) <= 900 + 5

    eventually(is_short, 5, "all workers vend as the warehouse says now")
    known = {**ASKING, "If-None-Match": loaded.headers["ETag"]}
    eventually(lambda: client.get(path, headers=known).status_code == 200, 5, "the old tag is forgotten")


def test_a_warehouse_whose_keys_cannot_assume_a_role(
    client: Client, warehouse: VendingWarehouse, sts: Proxy
) -> None:
    sts.behave = denied
    profile = own_profile(warehouse, sts={"endpoint": sts.endpoint})
    message = assert_error(try_create(client, profile), 400, "IllegalArgumentException")
    assert message.startswith(f"Invalid storage-profile.sts: Failed to get temporary keys for s3://{BUCKET}/")
    assert message.endswith("access denied (AccessDenied)")


def test_a_store_that_does_not_look_at_policies(
    client: Client, warehouse: VendingWarehouse, minio: Minio, sts: Proxy
) -> None:
    def careless(exchange: Exchange) -> None:
        keys = session_keys(minio, warehouse.user)
        members = "".join(f"<{name}>{value}</{name}>" for name, value in keys.items())
        result = f"<AssumeRoleResult><Credentials>{members}</Credentials></AssumeRoleResult>"
        exchange.answer(200, f"<AssumeRoleResponse>{result}</AssumeRoleResponse>".encode())

    sts.behave = careless
    before = minio.keys(BUCKET)
    profile = own_profile(warehouse, sts={"endpoint": sts.endpoint})
    message = assert_error(try_create(client, profile), 400, "IllegalArgumentException")
    assert message.startswith("Invalid storage-profile.sts: the store does not keep temporary keys to their")
    assert minio.keys(BUCKET) == before


def session_keys(minio: Minio, user: User) -> dict[str, str]:
    """Return keys of a session that no policy limits."""
    options = {"aws_access_key_id": user.access_key, "aws_secret_access_key": user.secret_key}
    with closing(
        boto3.client("sts", endpoint_url=minio.endpoint, region_name=minio.region, **options)
    ) as service:
        keys = service.assume_role(RoleArn=ROLE, RoleSessionName="careless")["Credentials"]
    return {**keys, "Expiration": keys["Expiration"].isoformat()}


def test_a_token_service_that_is_away_when_a_warehouse_is_made(
    client: Client, warehouse: VendingWarehouse, sts: Proxy
) -> None:
    sts.behave = busy
    profile = own_profile(warehouse, sts={"endpoint": sts.endpoint})
    message = assert_error(try_create(client, profile), 503, "ServiceUnavailableException")
    assert message.startswith("Invalid storage-profile.sts: Failed to get temporary keys")


def test_lasting_keys_only_where_the_warehouse_says_so(client: Client, warehouse: VendingWarehouse) -> None:
    made = create(client, own_profile(warehouse, delegation=["static-keys"]))
    path = table_in(client, made)
    answer = ok(client.get(path, headers=ASKING))
    (credential,) = answer["storage-credentials"]
    assert credential["config"] == answer["config"]
    assert answer["config"]["s3.access-key-id"] == warehouse.user.access_key
    assert answer["config"]["s3.secret-access-key"] == warehouse.user.secret_key
    assert not {"s3.session-token", "client.refresh-credentials-endpoint"} & set(answer["config"])
    assert warehouse.user.secret_key not in client.get(path).text


def test_what_the_token_service_is_asked(client: Client, warehouse: VendingWarehouse, sts: Proxy) -> None:
    asked: list[dict[str, str]] = []

    def listen(exchange: Exchange) -> None:
        asked.append({name: values[0] for name, values in parse_qs(exchange.content.decode()).items()})
        exchange.pass_through()

    sts.behave = listen
    role = {"role-arn": "arn:aws:iam::123456789012:role/lake", "external-id": "bingsan:1"}
    settings = {**role, "session-duration-seconds": 1800, "endpoint": sts.endpoint}
    path = table_in(client, create(client, own_profile(warehouse, sts=settings)))
    asked.clear()
    location = ok(client.get(path, headers=ASKING))["storage-credentials"][0]["prefix"]
    (form,) = asked
    assert form["Action"] == "AssumeRole"
    assert (form["RoleArn"], form["ExternalId"]) == (role["role-arn"], role["external-id"])
    assert form["DurationSeconds"] == "1800"
    assert re.fullmatch(r"anonymous@ns_[a-z0-9_]+\.t", form["RoleSessionName"])
    assert form["Policy"] == session_policy(normalise(location), "read-write")


def test_who_comes_to_lie_there_meanwhile_is_not_opened(client: Client, namespace: str, sts: Proxy) -> None:
    """A table is made inside the place of a staged one while the keys for that are being issued."""
    asking, going_on = threading.Event(), threading.Event()

    def wait(exchange: Exchange) -> None:
        asking.set()
        going_on.wait(5)
        exchange.pass_through()

    sts.behave = wait
    place, tables = f"s3://{BUCKET}/root/{unique_name('place')}", f"{namespace_path(namespace)}/tables"
    staged = create_table_request("staged", location=place, **{"stage-create": True})
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.post, tables, json=staged, headers=ASKING)
        assert asking.wait(5)
        with Client(client.url) as other:
            ok(other.post(tables, json=create_table_request("t", location=f"{place}/x")))
        going_on.set()
        assert "storage-credentials" not in ok(answer.result())
