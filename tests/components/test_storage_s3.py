"""S3 on a real MinIO, behind a proxy that spoils requests where a fault is wanted."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import boto3
import pytest

from app.config import S3Settings
from app.errors import (
    AlreadyExistsException,
    BadRequestException,
    InternalServerError,
    NotFoundException,
    ServiceUnavailableException,
)
from app.storage.s3 import S3FileSystem
from tests.factories import unique_name
from tests.support.faults import Exchange, Proxy, SilentStore
from tests.support.minio import Minio

TIMEOUT, DEADLINE = 1.0, 4.0


@pytest.fixture(scope="module")
def settings(minio: Minio) -> S3Settings:
    return S3Settings(
        endpoint=minio.endpoint,
        region=minio.region,
        access_key_id=minio.access_key,
        secret_access_key=minio.secret_key,
        use_path_style=True,
    )


@pytest.fixture(scope="module")
def bucket(minio: Minio) -> str:
    return minio.create_bucket("storage-tests")


@pytest.fixture
def prefix(bucket: str) -> str:
    return f"s3://{bucket}/{unique_name()}"


Connect = Callable[..., S3FileSystem]


@pytest.fixture
def connect(settings: S3Settings) -> Iterator[Connect]:
    """Make a file system, by default the real store's."""
    made = []

    def make(**changes: object) -> S3FileSystem:
        made.append(S3FileSystem(replace(settings, **changes), TIMEOUT, DEADLINE, 10))
        return made[-1]

    yield make
    for file_system in made:
        file_system.close()


@pytest.fixture
def store(connect: Connect) -> S3FileSystem:
    return connect()


def test_what_is_written_is_read_in_every_spelling(store: S3FileSystem, prefix: str) -> None:
    location = f"{prefix}/p=a%2Fb/ü 漢+x/00000-1.metadata.json"
    assert not store.exists(location)
    store.write_new(location, b"{}")
    for scheme in ("s3", "s3a", "s3n"):
        spelled = location.replace("s3:", f"{scheme}:")
        assert store.exists(spelled)
        assert store.read(spelled, 2) == b"{}"


def test_keys_are_literal(store: S3FileSystem, minio: Minio, bucket: str, prefix: str) -> None:
    store.write_new(f"{prefix}/a%20b c", b"x")
    folder = prefix.removeprefix(f"s3://{bucket}/")
    assert minio.keys(bucket, folder) == {f"{folder}/a%20b c"}


def test_metadata_files_have_a_content_type(store: S3FileSystem, minio: Minio, prefix: str) -> None:
    store.write_new(f"{prefix}/m.json", b"{}")
    bucket, _, key = prefix.removeprefix("s3://").partition("/")
    with closing(minio.client()) as client:
        assert client.head_object(Bucket=bucket, Key=f"{key}/m.json")["ContentType"] == "application/json"


def test_missing_objects_are_named(store: S3FileSystem, prefix: str) -> None:
    with pytest.raises(NotFoundException) as caught:
        store.read(f"{prefix}/a", 10)
    assert caught.value.message == f"Failed to open input stream for file: {prefix}/a"


def test_reading_stops_at_the_limit(store: S3FileSystem, prefix: str) -> None:
    store.write_new(f"{prefix}/a", b"12345")
    assert store.read(f"{prefix}/a", 5) == b"12345"
    with pytest.raises(BadRequestException, match="larger than the 4 bytes"):
        store.read(f"{prefix}/a", 4)


def test_an_existing_object_is_left_alone(store: S3FileSystem, prefix: str) -> None:
    store.write_new(f"{prefix}/a", b"first")
    for other in (b"other", b"longer than the first", b""):
        with pytest.raises((AlreadyExistsException, BadRequestException)):
            store.write_new(f"{prefix}/a", other)
    assert store.read(f"{prefix}/a", 10) == b"first"


def test_more_objects_than_one_request_takes_are_deleted(
    store: S3FileSystem, minio: Minio, bucket: str, prefix: str
) -> None:
    other = minio.create_bucket(unique_name("b").replace("_", "-"))
    existing = [f"{prefix}/ü&<{number}>" for number in range(5)] + [f"s3://{other}/a"]
    for location in existing:
        store.write_new(location, b"x")
    missing = [f"{prefix}/missing-{number}" for number in range(1500)]
    assert store.delete([*missing, *existing], checksums=True) == {}
    assert minio.keys(bucket, prefix.removeprefix(f"s3://{bucket}/")) == set()
    assert minio.keys(other) == set()


def test_a_missing_bucket_is_said(store: S3FileSystem) -> None:
    with pytest.raises(InternalServerError, match="in bucket no-such-bucket: the bucket does not exist"):
        store.write_new("s3://no-such-bucket/a", b"x")
    failures = store.delete(["s3://no-such-bucket/a"])
    assert "does not exist" in failures["s3://no-such-bucket/a"]


@pytest.mark.parametrize("key", ["access_key_id", "secret_access_key"])
def test_wrong_credentials_are_said_without_showing_them(
    connect: Connect, settings: S3Settings, prefix: str, key: str
) -> None:
    store = connect(**{key: "wrong-and-secret"})
    for operation in (
        lambda: store.read(f"{prefix}/a", 1),
        lambda: store.exists(f"{prefix}/a"),
        lambda: store.write_new(f"{prefix}/a", b"x"),
    ):
        with pytest.raises(InternalServerError, match="access denied") as caught:
            operation()
        assert prefix in caught.value.message
        shown = caught.value.message
        assert not any(
            text in shown for text in ("wrong", settings.secret_access_key, settings.access_key_id)
        )
    assert "access denied" in store.delete([f"{prefix}/a"])[f"{prefix}/a"]


def test_the_default_chain_and_a_policy_that_only_reads(
    connect: Connect, settings: S3Settings, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect().write_new(f"{prefix}/a", b"x")
    policy = """{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::*"]}]}"""
    keys = {"aws_access_key_id": settings.access_key_id, "aws_secret_access_key": settings.secret_access_key}
    with closing(boto3.client("sts", endpoint_url=settings.endpoint, region_name="us-east-1", **keys)) as sts:
        role = sts.assume_role(RoleArn="arn:aws:iam::0:role/x", RoleSessionName="test", Policy=policy)
    given = role["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", given["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", given["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", given["SessionToken"])
    store = connect(access_key_id="", secret_access_key="")
    assert store.read(f"{prefix}/a", 1) == b"x"
    with pytest.raises(InternalServerError, match=r"Failed to write .* access denied \(AccessDenied\)"):
        store.write_new(f"{prefix}/b", b"x")
    assert "AccessDenied" in store.delete([f"{prefix}/a"])[f"{prefix}/a"]


def test_without_any_credentials_it_says_so(
    connect: Connect, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(InternalServerError, match="no S3 credentials"):
        connect(access_key_id="", secret_access_key="").read(f"{prefix}/a", 1)


def test_a_store_that_never_answers_is_given_up_within_the_deadline(connect: Connect, prefix: str) -> None:
    with SilentStore().running() as silent:
        started = time.monotonic()
        with pytest.raises(ServiceUnavailableException, match="does not answer"):
            connect(endpoint=silent.endpoint).read(f"{prefix}/a", 1)
        assert TIMEOUT <= time.monotonic() - started <= DEADLINE + 0.5
        assert silent.accepted >= 2


def test_a_store_that_is_not_there_is_said(connect: Connect, prefix: str) -> None:
    with SilentStore().running() as gone:
        endpoint = gone.endpoint
    with pytest.raises(ServiceUnavailableException, match="does not answer"):
        connect(endpoint=endpoint).read(f"{prefix}/a", 1)


def test_an_answer_that_drips_is_given_up_at_the_deadline(
    connect: Connect, settings: S3Settings, prefix: str
) -> None:
    def drip(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Content-Length", str(1 << 24))
        exchange.end_headers()
        expires = time.monotonic() + 3 * DEADLINE
        try:
            while time.monotonic() < expires:
                exchange.wfile.write(bytes(1 << 18))
                time.sleep(0.2)
        except OSError:
            exchange.close_connection = True

    with Proxy(settings.endpoint, drip).running() as proxy:
        started = time.monotonic()
        with pytest.raises(ServiceUnavailableException, match=r"storage\.deadline"):
            connect(endpoint=proxy.endpoint).read(f"{prefix}/a", 1 << 25)
        assert time.monotonic() - started <= DEADLINE + 2


def test_a_busy_store_is_asked_again(connect: Connect, settings: S3Settings, prefix: str) -> None:
    def behave(exchange: Exchange) -> None:
        if len(proxy.requests) < 3:
            return exchange.refuse(503, "SlowDown")
        return exchange.pass_through()

    with Proxy(settings.endpoint, behave).running() as proxy:
        store = connect(endpoint=proxy.endpoint)
        store.write_new(f"{prefix}/a", b"x")
        assert store.read(f"{prefix}/a", 1) == b"x"
        assert proxy.requests == ["PUT", "PUT", "PUT", "GET"]


def test_a_store_that_stays_busy_is_not_available(
    connect: Connect, settings: S3Settings, prefix: str
) -> None:
    with Proxy(settings.endpoint, lambda exchange: exchange.refuse(503, "SlowDown")).running() as proxy:
        with pytest.raises(ServiceUnavailableException, match="SlowDown"):
            connect(endpoint=proxy.endpoint).write_new(f"{prefix}/a", b"x")
        assert len(proxy.requests) == 3


def test_a_write_whose_answer_was_lost_succeeds(connect: Connect, settings: S3Settings, prefix: str) -> None:
    statuses = []

    def behave(exchange: Exchange) -> None:
        status, body, headers = exchange.forward()
        statuses.append(status)
        if len(statuses) == 1:
            exchange.hang_up()
        else:
            exchange.answer(status, body, headers)

    with Proxy(settings.endpoint, behave).running() as proxy:
        connect(endpoint=proxy.endpoint).write_new(f"{prefix}/a", b"x")
    assert statuses == [200, 412, 200]
    assert connect().read(f"{prefix}/a", 1) == b"x"


def test_a_store_without_conditional_writes_is_written_without(
    connect: Connect, settings: S3Settings, prefix: str
) -> None:
    def behave(exchange: Exchange) -> None:
        if "If-None-Match" in exchange.headers:
            return exchange.refuse(501, "NotImplemented")
        return exchange.pass_through()

    with Proxy(settings.endpoint, behave).running() as proxy:
        store = connect(endpoint=proxy.endpoint)
        store.write_new(f"{prefix}/a", b"x")
        store.write_new(f"{prefix}/b", b"y")
        assert len(proxy.requests) == 3
    assert connect().read(f"{prefix}/b", 1) == b"y"


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_to_elsewhere_is_not_followed(
    connect: Connect, settings: S3Settings, prefix: str, status: int
) -> None:
    with (
        SilentStore().running() as elsewhere,
        Proxy(
            settings.endpoint,
            lambda exchange: exchange.answer(status, headers={"Location": f"{elsewhere.endpoint}/x"}),
        ).running() as proxy,
    ):
        with pytest.raises(InternalServerError, match="points elsewhere"):
            connect(endpoint=proxy.endpoint).read(f"{prefix}/a", 1)
        assert elsewhere.accepted == 0


def test_a_folder_is_listed_in_pages(
    store: S3FileSystem, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.s3_listing._PAGE", 2)
    began = time.time()
    for name in ("t/a", "t/ü%2F +", "t/inner/deep", "t/inner/deeper", "t2/other"):
        store.write_new(f"{prefix}/{name}", b"")
    first = store.list_page(f"{prefix}/t")
    second = store.list_page(f"{prefix}/t/", first.next)
    entries = first.entries + second.entries
    assert len(first.entries) == 2
    assert second.next == ""
    assert {(entry.name, entry.is_folder) for entry in entries} == {
        ("a", False),
        ("ü%2F +", False),
        ("inner", True),
    }
    assert all(began - 60 < entry.modified < time.time() + 60 for entry in entries if not entry.is_folder)
    assert store.list_page(f"{prefix}/missing") == ([], "")
