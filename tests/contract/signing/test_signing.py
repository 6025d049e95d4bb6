"""Requests that the catalog signs are taken by a real store, as long as nothing is changed in them."""

import base64
import hashlib
import io
import re
import tarfile
import zlib
from contextlib import closing
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import boto3
import pytest
import requests

from tests.contract.calls import Tabular, assert_error, ok
from tests.contract.signing.conftest import Places
from tests.contract.signing.signed import Signed, deliver, new_table
from tests.factories import create_table_request, unique_name
from tests.support.minio import Minio
from tests.support.server import Client

PART = b"p" * (5 << 20)


ODD_KEYS = ["data/x.parquet", "a b+c/ü=1&2;@:,$!'()*~.x", "p=a%2Fb/%25.x", "..x/.y/z..", "日本/🦆"]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_object_is_written_read_and_deleted(signed: Signed, key: str) -> None:
    uri = signed.uri(key)
    assert signed.send("PUT", uri, b"content").status_code == 200
    assert f"{signed.path}/{key}" in signed.minio.keys(signed.bucket, signed.path)
    assert signed.send("HEAD", uri).headers["Content-Length"] == "7"
    part = signed.send("GET", uri, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"nte")
    assert signed.send("DELETE", uri).status_code == 204
    assert signed.send("GET", uri).status_code == 404


def test_parts_are_listed(plainly: Signed) -> None:
    begun = plainly.send("POST", plainly.uri("x", "uploads"))
    upload = quote(begun.text.partition("<UploadId>")[2].partition("</UploadId>")[0], safe="")
    plainly.send("PUT", plainly.uri("x", f"partNumber=1&uploadId={upload}"), b"x")
    assert "<PartNumber>1<" in plainly.send("GET", plainly.uri("x", f"uploadId={upload}&max-parts=5")).text


def test_upload_in_parts(signed: Signed) -> None:
    key = "data/large.parquet"
    begun = signed.send("POST", signed.uri(key, "uploads"))
    upload = quote(begun.text.partition("<UploadId>")[2].partition("</UploadId>")[0], safe="")
    tags = [
        signed.send("PUT", signed.uri(key, f"partNumber={n}&uploadId={upload}"), data).headers["ETag"]
        for n, data in enumerate((PART, b"end"), 1)
    ]
    parts = "".join(
        f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>" for n, tag in enumerate(tags, 1)
    )
    whole = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    assert signed.send("POST", signed.uri(key, f"uploadId={upload}"), whole).status_code == 200
    assert signed.send("GET", signed.uri(key)).content == PART + b"end"


def test_upload_is_given_up(signed: Signed) -> None:
    begun = signed.send("POST", signed.uri("x", "uploads="))
    upload = quote(begun.text.partition("<UploadId>")[2].partition("</UploadId>")[0], safe="")
    assert signed.send("DELETE", signed.uri("x", f"uploadId={upload}")).status_code == 204
    assert signed.send("PUT", signed.uri("x", f"partNumber=1&uploadId={upload}"), b"x").status_code == 404


def test_listing_ends_at_the_table(signed: Signed, minio: Minio) -> None:
    with closing(minio.client()) as root:
        for key in (f"{signed.path}/data/a", f"{signed.path}2/secret"):
            root.put_object(Bucket=signed.bucket, Key=key, Body=b"x")
    for prefix in (f"{signed.path}/", f"{signed.path}/data", f"{signed.path}/data/"):
        answer = signed.send("GET", signed.listing(prefix, "&delimiter=%7C&max-keys=10&encoding-type=url"))
        assert answer.status_code == 200
        assert "data/a" in answer.text
        assert "secret" not in answer.text


def deletion(*keys: str) -> str:
    named = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
    space = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
    return f'<?xml version="1.0" encoding="UTF-8"?><Delete{space}>{named}<Quiet>true</Quiet></Delete>'


def checks(body: bytes) -> dict[str, str]:
    return {
        "Content-MD5": base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode(),
        "x-amz-checksum-crc32": base64.b64encode(zlib.crc32(body).to_bytes(4)).decode(),
    }


def test_many_objects_are_deleted_at_once(signed: Signed) -> None:
    keys = [f"data/{n} &amp; &lt;{n}&gt;" for n in range(20)]
    for n in range(20):
        assert signed.send("PUT", signed.uri(f"data/{n} & <{n}>"), b"x").status_code == 200
    body = deletion(*(f"{signed.path}/{key}" for key in keys))
    data = body.encode()
    answer = signed.send("POST", signed.uri(query="delete"), data, checks(data), body=body)
    assert answer.status_code == 200, answer.text
    assert not [key for key in signed.minio.keys(signed.bucket, signed.path) if "/data/" in key]


@pytest.fixture
def victim(signed: Signed, minio: Minio) -> str:
    """The key of somebody else's object in the bucket."""
    key = f"{signed.path}2/secret"
    with closing(minio.client()) as root:
        root.put_object(Bucket=signed.bucket, Key=key, Body=b"secret")
    return key


def test_another_body_than_the_signed_one_deletes_nothing_else(
    signed: Signed, victim: str, minio: Minio
) -> None:
    forged = deletion(victim).encode()
    given = ok(signed.ask("POST", signed.uri(query="delete"), body=deletion(f"{signed.path}/a")))
    for headers in ({}, checks(forged)):
        deliver("POST", given["uri"], {**added(given), **headers}, forged)
    assert victim in minio.keys(signed.bucket)


def test_header_slipped_in_after_signing_reaches_nothing_else(
    signed: Signed, victim: str, minio: Minio
) -> None:
    """MinIO looks at ``x-amz-*`` headers that are not signed: only the keys' own limits stop them."""
    given = ok(signed.ask("PUT", signed.uri("x")))
    copy = {"x-amz-copy-source": f"/{signed.bucket}/{quote(victim)}"}
    assert deliver("PUT", given["uri"], {**added(given), **copy}).status_code == 403
    unpack = {"x-amz-meta-snowball-auto-extract": "true", "x-amz-meta-minio-snowball-prefix": "other"}
    before = minio.keys(signed.bucket)
    deliver("PUT", given["uri"], {**added(given), **unpack}, archive("stolen"))
    assert not [key for key in minio.keys(signed.bucket) - before if not key.startswith(f"{signed.path}/")]


def archive(name: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    return packed.getvalue()


def added(given: dict[str, Any]) -> dict[str, str]:
    return {name: values[0] for name, values in given["headers"].items()}


def test_many_deletions_need_keys_that_end_at_the_table(plainly: Signed) -> None:
    answer = plainly.ask("POST", plainly.uri(query="delete"), body=deletion(f"{plainly.path}/a"))
    assert_error(answer, 403, "ForbiddenException", re.compile("DeleteObjects is not signed where"))
    assert plainly.send("PUT", plainly.uri("x"), b"x").status_code == 200
    assert plainly.send("DELETE", plainly.uri("x")).status_code == 204


def test_location_that_no_policy_can_say(session: Client, places: Places, minio: Minio) -> None:
    """What AWS takes for an escaped star is a star to MinIO: the keys would reach other tables."""
    for namespace, status in ((places.bounded, 403), (places.plain, 200)):
        plain = Signed(session, minio, new_table(session, namespace))
        starred = Signed(session, minio, new_table(session, namespace, location=f"{plain.location}-a*"))
        answer = starred.ask("GET", starred.uri("x"))
        assert answer.status_code == status, answer.text
        assert (status == 200) or "no keys to sign with that end at the location" in answer.text


def test_session_reads_only_where_the_request_does(signed: Signed) -> None:
    """The keys of a signature for reading could not write."""
    keys = {
        method: re.search(
            r"Credential=([^/]+)", added(ok(signed.ask(method, signed.uri("x"))))["Authorization"]
        )
        for method in ("GET", "HEAD", "PUT", "DELETE")
    }
    ids = {method: found and found[1] for method, found in keys.items()}
    assert ids["GET"] == ids["HEAD"] != ids["PUT"] == ids["DELETE"]
    assert "X-Amz-Security-Token" in added(ok(signed.ask("GET", signed.uri("x"))))


def test_copy_within_the_table(signed: Signed) -> None:
    assert signed.send("PUT", signed.uri("a b"), b"x").status_code == 200
    source = {"x-amz-copy-source": f"/{signed.bucket}/{quote(signed.path)}/a%20b"}
    assert signed.send("PUT", signed.uri("b"), headers=source).status_code == 200
    assert signed.send("GET", signed.uri("b")).content == b"x"


def test_checksum_behind_the_body(signed: Signed) -> None:
    check = base64.b64encode(zlib.crc32(b"12345").to_bytes(4))
    data = b"5\r\n12345\r\n0\r\nx-amz-checksum-crc32:" + check + b"\r\n\r\n"
    headers = {
        "x-amz-trailer": "x-amz-checksum-crc32",
        "x-amz-decoded-content-length": "5",
        "Content-Encoding": "aws-chunked",
    }
    answer = signed.send("PUT", signed.uri("x"), data, headers)
    assert answer.status_code == 200, answer.text
    assert signed.send("GET", signed.uri("x")).content == b"12345"


def test_answer_may_be_used_again_for_reading_only(signed: Signed) -> None:
    seen = {
        method: signed.ask(method, signed.uri("x")).headers["Cache-Control"]
        for method in ("GET", "HEAD", "PUT", "DELETE")
    }
    assert seen == {"GET": "private", "HEAD": "private", "PUT": "no-cache", "DELETE": "no-cache"}
    # What Java adds to each attempt anew is not signed.
    assert signed.send("PUT", signed.uri("x"), b"0123456789").status_code == 200
    given = ok(signed.ask("GET", signed.uri("x"), {"Range": "bytes=0-1", "amz-sdk-invocation-id": "1"}))
    extra = added(given)
    for span, expected in (("bytes=0-1", b"01"), ("bytes=8-", b"89")):
        again = {**extra, "Range": span, "amz-sdk-invocation-id": str(uuid4())}
        assert deliver("GET", given["uri"], again).content == expected


def test_headers_of_the_answer_are_only_those_to_add(signed: Signed) -> None:
    own = {"Host": signed.minio.endpoint.removeprefix("http://"), "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    given = ok(signed.ask("PUT", signed.uri("x"), {**own, "x-amz-meta-a": "b", "Content-Type": "x/y"}))
    assert set(given["headers"]) == {"Authorization", "X-Amz-Date", "X-Amz-Security-Token"}
    covered = "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-security-token,"
    assert covered in given["headers"]["Authorization"][0]
    assert set(ok(signed.ask("GET", signed.uri("x")))["headers"]) == {
        "Authorization",
        "X-Amz-Date",
        "X-Amz-Content-SHA256",
        "X-Amz-Security-Token",
    }


def changed(given: dict[str, Any], **parts: Any) -> requests.Response:
    headers = added(given) | {"x-amz-meta-a": "1"}
    request = {"method": "PUT", "uri": given["uri"], "headers": headers, "data": b"x", **parts}
    return deliver(request["method"], request["uri"], request["headers"], request["data"])


def test_store_refuses_what_was_changed_after_signing(signed: Signed) -> None:
    given = ok(signed.ask("PUT", signed.uri("x"), {"x-amz-meta-a": "1"}))
    headers = added(given)
    secret = hashlib.sha256(b"y").hexdigest()
    forged: list[dict[str, Any]] = [
        {"method": "DELETE"},
        {"method": "GET"},
        {"uri": given["uri"] + "2"},
        {"uri": signed.uri().replace(signed.bucket, "other") + "/x"},
        {"uri": given["uri"] + "?acl="},
        {"headers": {**headers, "x-amz-meta-a": "2"}},
        {"headers": headers},
        {"headers": {**headers, "x-amz-meta-a": "1", "x-amz-content-sha256": secret}},
        {"headers": {**headers, "x-amz-meta-a": "1", "Host": "127.0.0.1:1"}},
        {"headers": {**headers, "x-amz-meta-a": "1", "X-Amz-Date": "20200101T000000Z"}},
    ]
    for parts in forged:
        assert changed(given, **parts).status_code in {400, 403}, parts
    assert changed(given).status_code == 200


def test_body_is_bound_when_the_client_says_its_hash(signed: Signed) -> None:
    headers = {"x-amz-content-sha256": hashlib.sha256(b"x").hexdigest()}
    given = ok(signed.ask("PUT", signed.uri("x"), headers))
    extra = added(given)
    assert deliver("PUT", given["uri"], {**extra, **headers}, b"y").status_code == 400
    assert deliver("PUT", given["uri"], {**extra, **headers}, b"x").status_code == 200


def test_older_route_finds_the_table(signed: Signed, session: Client, minio: Minio) -> None:
    prefix = signed.route.split("/")[2]
    older = Signed(session, minio, signed.table, f"/v1/{prefix}/aws/s3/sign")
    assert older.send("PUT", older.uri("a"), b"x").status_code == 200
    assert older.send("GET", older.listing(f"{older.path}/")).status_code == 200
    body = deletion(f"{older.path}/a")
    data = body.encode()
    assert older.send("POST", older.uri(query="delete"), data, checks(data), body=body).status_code == 200
    for uri in (
        older.uri("a").replace(older.path, f"{older.path}2"),
        older.uri("a").replace(older.path, "elsewhere"),
        older.listing(older.path.rpartition("/")[0] + "/"),
    ):
        assert_error(older.ask("GET", uri), 403, "ForbiddenException")
    # Without a prefix it is the default warehouse, which is on local files here.
    assert_error(
        session.post(
            "/v1/aws/s3/sign", json={"region": "x", "uri": "http://x/y", "method": "GET", "headers": {}}
        ),
        400,
        "BadRequestException",
    )


def test_staged_table_is_written_before_it_exists(session: Client, namespace: str, minio: Minio) -> None:
    name = unique_name("t")
    staged = ok(
        session.post(f"{namespace}/tables", json={**create_table_request(name), "stage-create": True})
    )
    table = Tabular(session, namespace.rpartition("/")[2], name, f"{namespace}/tables/{name}")
    location = staged["metadata"]["location"]
    signed = Signed.at(session, minio, location, f"{table.path}/sign")
    assert signed.send("PUT", signed.uri("data/1"), b"x").status_code == 200
    # Only under its own name, in its own place, and while that is nobody else's.
    other = Signed.at(session, minio, location, f"{namespace}/tables/other/sign")
    assert_error(other.ask("PUT", other.uri("data/1")), 404, "NoSuchTableException")
    for uri in (signed.uri("x").replace(location[-36:], "x"), signed.uri("x").replace("/data", "")[:-40]):
        assert_error(signed.ask("PUT", uri), 404, "NoSuchTableException")
    ok(session.post(f"{namespace}/tables", json=create_table_request("squatter", location=f"{location}/in")))
    assert_error(signed.ask("PUT", signed.uri("data/1")), 404, "NoSuchTableException")


def test_place_of_a_renamed_table_is_not_that_of_a_staged_one(
    session: Client, namespace: str, minio: Minio
) -> None:
    prefix = namespace.split("/")[2]
    signed = Signed(session, minio, new_table(session, namespace))
    levels, name = [signed.table.namespace], signed.table.name
    names = {
        "source": {"namespace": levels, "name": name},
        "destination": {"namespace": levels, "name": "moved"},
    }
    assert session.post(f"/v1/{prefix}/tables/rename", json=names).status_code == 204
    assert_error(signed.ask("GET", signed.uri("x")), 404, "NoSuchTableException")
    ok(signed_as(signed, f"{namespace}/tables/moved/sign").ask("GET", signed.uri("x")))


def signed_as(signed: Signed, route: str) -> Signed:
    return Signed.at(signed.client, signed.minio, signed.location, route)


def test_client_of_python_without_keys(signed: Signed) -> None:
    """botocore builds the requests, its signer is replaced: what PyIceberg does."""

    def sign(request: Any, **_: Any) -> None:
        given = ok(signed.ask(request.method, request.url, dict(request.headers.items())))
        for name, values in given["headers"].items():
            request.headers.add_header(name, ", ".join(values))
        request.url = given["uri"]

    config = boto3.session.Config(signature_version=boto3.session.botocore.UNSIGNED)  # type: ignore[attr-defined]
    with closing(boto3.client("s3", endpoint_url=signed.minio.endpoint, config=config)) as client:
        client.meta.events.register_first("before-sign.s3", sign)
        client.put_object(Bucket=signed.bucket, Key=f"{signed.path}/x y", Body=b"x")
        assert client.get_object(Bucket=signed.bucket, Key=f"{signed.path}/x y")["Body"].read() == b"x"
        assert client.list_objects_v2(Bucket=signed.bucket, Prefix=f"{signed.path}/x")["KeyCount"] == 1
