"""How far vended keys reach, on a MinIO that enforces their policies."""

from contextlib import closing

import pytest

from tests.contract.calls import (
    Tabular,
    make_table,
    namespace_path,
    ok,
    table_path,
)
from tests.contract.managed import create
from tests.contract.vending.keys import (
    ASKING,
    BUCKET,
    DENIED,
    OTHER,
    UNNAMEABLE,
    holder,
    load,
    own_profile,
    table_in,
)
from tests.factories import create_table_request, unique_name
from tests.support.minio import Minio
from tests.support.server import Client
from tests.support.warehouses import VendingWarehouse


def test_a_staged_table_is_written_before_it_exists(client: Client, namespace: str, minio: Minio) -> None:
    body = create_table_request("t", **{"stage-create": True})
    staged = ok(client.post(f"{namespace_path(namespace)}/tables", json=body, headers=ASKING))
    location = staged["metadata"]["location"]
    key = f"{location.removeprefix(f's3://{BUCKET}/')}/data/1"
    assert "client.refresh-credentials-endpoint" not in staged["config"]
    with holder(minio, staged["config"]) as somebody:
        assert somebody.outcome(somebody.client.put_object, Bucket=BUCKET, Key=key, Body=b"x") == "ok"
        assert somebody.outcome(somebody.client.put_object, Bucket=BUCKET, Key="root/x", Body=b"") != "ok"


def test_inside_the_location_everything_works(table: Tabular, minio: Minio) -> None:
    config = load(table)["config"]
    root = table.metadata["location"].removeprefix(f"s3://{BUCKET}/")
    place = {"Bucket": BUCKET, "Key": f"{root}/data/é ü=1/%2F.parquet"}
    with holder(minio, config) as somebody:
        s3 = somebody.client
        s3.put_object(**place, Body=b"x")
        assert s3.get_object(**place)["Body"].read() == b"x"
        assert s3.head_object(**place)["ContentLength"] == 1
        s3.copy_object(Bucket=BUCKET, Key=f"{root}/copy", CopySource=place)
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{root}/")["Contents"]
        assert {entry["Key"] for entry in found} >= {place["Key"], f"{root}/copy"}
        upload = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
        part = {"PartNumber": 1, "ETag": s3.upload_part(**upload, PartNumber=1, Body=b"yy")["ETag"]}
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})
        aborted = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
        s3.abort_multipart_upload(**aborted)
        deleted = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": place["Key"]}]})
        assert [entry["Key"] for entry in deleted["Deleted"]] == [place["Key"]]
        s3.delete_object(Bucket=BUCKET, Key=f"{root}/copy")


OUTSIDE = {
    "a longer name": lambda key: f"{key}2/x",
    "a shorter name": lambda key: f"{key[:-1]}/x",
    "the name itself": lambda key: key,
    "the folder around": lambda key: f"{key.rpartition('/')[0]}/x",
    "the warehouse": lambda _: "root/x",
    "the bucket": lambda _: "x",
    "no key": lambda key: f"{key.rpartition('/')[0]}/",
    "up and down": lambda key: f"{key}/../{key.rpartition('/')[2]}2/x",
    "up": lambda key: f"{key}/../x",
    "other case": lambda key: f"{key.swapcase()}/x",
    "encoded slash": lambda key: f"{key}%2Fx",
    "a star": lambda key: f"{key[:-1]}*/x",
    "another warehouse": lambda _: "elsewhere/ns/t/x",
}


@pytest.mark.parametrize("where", OUTSIDE)
@pytest.mark.parametrize("bucket", [BUCKET, OTHER])
def test_outside_the_location_the_store_refuses_everything(
    client: Client, namespace: str, minio: Minio, where: str, bucket: str
) -> None:
    own = f"root/{unique_name('own')}/tab"
    mine = make_table(client, namespace, location=f"s3://{BUCKET}/{own}")
    make_table(client, namespace, location=f"s3://{BUCKET}/{own}2")
    key, inside = OUTSIDE[where](own), {"Bucket": BUCKET, "Key": f"{own}/x"}
    with closing(minio.client()) as root:
        root.put_object(**inside, Body=b"mine")
        if ".." not in key and key != own:
            root.put_object(Bucket=bucket, Key=key, Body=b"not yours")
    before = minio.keys(bucket)
    with holder(minio, load(mine)["config"]) as somebody:
        outcomes = somebody.attempts(bucket, key, inside)
    expected = DENIED | UNNAMEABLE if ".." in key else DENIED
    assert {name: code for name, code in outcomes.items() if code not in expected} == {}
    assert minio.keys(bucket) == before


SPECIAL = ["a*b", "a?b".replace("?", "$"), "a${Z}b", "a${*}b", "a${aws:username}b", "*"]


@pytest.mark.parametrize("name", SPECIAL)
def test_no_keys_for_names_that_this_store_cannot_take_literally(
    client: Client, namespace: str, name: str
) -> None:
    """MinIO reads the escaped star of AWS as a star: keys for ``a*b`` would open ``a${Z}b``."""
    location = f"s3://{BUCKET}/root/{unique_name('special')}/{name}"
    body = create_table_request("t", location=location)
    created = ok(client.post(f"{namespace_path(namespace)}/tables", json=body, headers=ASKING))
    path = table_path(namespace, "t")
    for answer in (created, ok(client.get(path, headers=ASKING))):
        assert answer["config"] == {}
        assert "storage-credentials" not in answer
    assert ok(client.get(f"{path}/credentials")) == {"storage-credentials": []}


@pytest.mark.parametrize("name", ["p%2Fq", "é ü", "a+b&c=d", "🦆", "a'b\"c", "{x}", "~!@^()[]|\\<>"])
def test_keys_for_names_that_have_to_be_encoded(
    client: Client, minio: Minio, namespace: str, name: str
) -> None:
    around = f"root/{unique_name('odd')}"
    mine = make_table(client, namespace, location=f"s3://{BUCKET}/{around}/{name}")
    with holder(minio, load(mine)["config"]) as somebody:
        put = somebody.client.put_object
        assert somebody.outcome(put, Bucket=BUCKET, Key=f"{around}/{name}/x", Body=b"x") == "ok"
        assert somebody.outcome(put, Bucket=BUCKET, Key=f"{around}/x", Body=b"x") in DENIED
        listing = somebody.client.list_objects_v2
        assert somebody.outcome(listing, Bucket=BUCKET, Prefix=f"{around}/{name}/") == "ok"


def test_a_long_path_costs_the_listing(client: Client, minio: Minio, namespace: str) -> None:
    around = f"root/{unique_name('long')}"
    key = "/".join([around, *["x" * 225] * 4])
    mine = make_table(client, namespace, location=f"s3://{BUCKET}/{key}")
    with holder(minio, load(mine)["config"]) as somebody:
        s3 = somebody.client
        assert somebody.outcome(s3.put_object, Bucket=BUCKET, Key=f"{key}/x", Body=b"x") == "ok"
        assert somebody.outcome(s3.list_objects_v2, Bucket=BUCKET, Prefix=f"{key}/") in DENIED
    wide = "/".join([around, *["é" * 100] * 4])
    other = make_table(client, namespace, location=f"s3://{BUCKET}/{wide}")
    assert "storage-credentials" not in load(other)


def test_keys_of_one_warehouse_do_not_open_another(
    client: Client, table: Tabular, warehouse: VendingWarehouse, minio: Minio
) -> None:
    path = table_in(client, create(client, own_profile(warehouse)))
    foreign = ok(client.get(path))["metadata-location"].removeprefix(f"s3://{BUCKET}/")
    inside = {"Bucket": BUCKET, "Key": table.location.removeprefix(f"s3://{BUCKET}/")}
    with holder(minio, load(table)["config"]) as somebody:
        assert set(somebody.attempts(BUCKET, foreign, inside).values()) <= DENIED
