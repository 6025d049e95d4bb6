"""Both ways to write an address of S3, signed and sent to a real store that knows both."""

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from botocore.credentials import ReadOnlyCredentials

from app.errors import ForbiddenException
from app.storage.locations import normalise
from app.storage.s3_addresses import Store
from app.storage.s3_signer import sign
from app.storage.signing import Asked, approve
from tests.support.minio import Minio

BUCKET = "both-styles"
PLACE = normalise(f"s3://{BUCKET}/other-bucket/t")


@pytest.fixture(scope="module")
def minio() -> Iterator[Minio]:
    with Minio("localhost") as running:
        for bucket in (BUCKET, "other-bucket"):
            running.create_bucket(bucket)
        yield running


def send(minio: Minio, method: str, uri: str, body: bytes = b"") -> tuple[int, bytes]:
    """Sign and send a request, to the store wherever its host would lead."""
    store = Store(f"http://localhost:{minio.port}", minio.region, path_style=False, is_bounded=True)
    approved = approve(Asked(method, uri, minio.region, {}), store, PLACE)
    headers = sign(approved, ReadOnlyCredentials(minio.access_key, minio.secret_key, None))
    parts = urlsplit(approved.uri)
    with closing(HTTPConnection("127.0.0.1", minio.port, timeout=10)) as connection:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body, {**headers, "Host": parts.netloc})
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_one_object_at_both_addresses(minio: Minio) -> None:
    in_host = f"http://{BUCKET}.localhost:{minio.port}"
    in_path = f"http://localhost:{minio.port}/{BUCKET}"
    for n, (written, read) in enumerate(((in_host, in_path), (in_path, in_host))):
        key = f"/other-bucket/t/a%20{n}%2B%C3%BC"
        assert send(minio, "PUT", written + key, b"x")[0] == 200
        assert send(minio, "GET", read + key) == (200, b"x")
    assert minio.keys(BUCKET) == {"other-bucket/t/a 0+ü", "other-bucket/t/a 1+ü"}
    listed = [
        send(minio, "GET", f"{base}?list-type=2&prefix=other-bucket%2Ft%2F")
        for base in (in_path, f"{in_host}/")
    ]
    assert [status for status, _ in listed] == [200, 200]
    assert all(text.count(b"<Key>") == 2 for _, text in listed)


def test_first_folder_is_never_taken_for_a_bucket(minio: Minio) -> None:
    """A host of which the store does not know that it names a bucket: then the path does, and it is another one."""
    store = Store(f"http://127.0.0.1:{minio.port}", minio.region, path_style=True, is_bounded=True)
    uri = f"http://{BUCKET}.127.0.0.1:{minio.port}/other-bucket/t/x"
    with pytest.raises(ForbiddenException, match="is not the storage of the warehouse"):
        approve(Asked("PUT", uri, minio.region, {}), store, PLACE)
    assert not minio.keys("other-bucket")
