"""Warehouses on S3: probed when created, with credentials that nobody sees, on endpoints that may be used."""

import base64
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SHARED, MakeServer
from tests.contract.calls import assert_error, ok
from tests.contract.managed import WAREHOUSES, Grounds, change, create, path_of, s3_profile, try_create
from tests.factories import create_table_request, unique_name
from tests.support.faults import Exchange, Proxy, SilentStore
from tests.support.minio import Minio
from tests.support.proc import open_files
from tests.support.process import eventually
from tests.support.server import Client, TestServer

BUCKET = "managed"
ECHO = "not-for-your-eyes"


@pytest.fixture(scope="module", autouse=True)
def bucket(minio: Minio) -> str:
    return minio.create_bucket(BUCKET)


@pytest.fixture(scope="module")
def proxy(minio: Minio) -> Iterator[Proxy]:
    """Stands before MinIO; tests say how it behaves."""
    with Proxy(minio.endpoint, Exchange.pass_through).running() as running:
        yield running


@pytest.fixture(scope="module")
def trap() -> Iterator[SilentStore]:
    """Nobody may connect to it."""
    with SilentStore().running() as running:
        yield running


@pytest.fixture(scope="module")
def spoiled(make_server: MakeServer, proxy: Proxy, minio: Minio) -> Iterator[TestServer]:
    """A server that may use the proxy."""
    given = Grounds(proxy.endpoint)
    settings = {**given.settings(), "storage.timeout": "500ms", "storage.deadline": "2s"}
    with make_server(settings=settings) as running:
        SHARED.append(running)
        yield running
        SHARED.remove(running)
    given.remove()


@pytest.fixture
def victim(spoiled: TestServer, proxy: Proxy) -> Iterator[Client]:
    """A session to it; the proxy behaves again afterwards."""
    with Client(spoiled.url) as session:
        yield session
    proxy.behave = Exchange.pass_through


def behaving(method: str, what: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    """Do something to requests of one method, pass all others on."""

    def behave(exchange: Exchange) -> None:
        what(exchange) if exchange.command == method else exchange.pass_through()

    return behave


def table_in(client: Client, warehouse: dict[str, Any]) -> dict[str, Any]:
    """Create a table in a new namespace of a warehouse."""
    spaces, name = f"/v1/{warehouse['prefix']}/namespaces", unique_name("ns")
    ok(client.post(spaces, json={"namespace": [name]}))
    return ok(client.post(f"{spaces}/{name}/tables", json=create_table_request("t")))


def connected(pids: list[int], port: int) -> int:
    """Return how many connections to a local port the processes hold."""
    own = {name for pid in pids for name in open_files(pid)}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return len(
        [
            line
            for line in lines
            if int(line[2].rpartition(":")[2], 16) == port and f"socket:[{line[9]}]" in own
        ]
    )


def test_a_warehouse_on_s3(manager: Client, minio: Minio) -> None:
    profile = s3_profile(minio, BUCKET)
    made = create(manager, profile)
    assert made["storage-profile"] == {
        "type": "s3",
        "root-location": profile["root-location"],
        "allowed-locations": [],
        "endpoint": minio.endpoint,
        "region": minio.region,
        "path-style-access": True,
        "credentials": {"type": "inline"},
        "delegation": [],
        "sts": None,
    }
    prefix = profile["root-location"].removeprefix(f"s3://{BUCKET}/")
    assert minio.keys(BUCKET, f"{prefix}/") == set()
    expected = {
        "s3.endpoint": minio.endpoint,
        "s3.region": minio.region,
        "client.region": minio.region,
        "s3.path-style-access": "true",
    }
    assert ok(manager.get("/v1/config", params={"warehouse": made["name"]}))["defaults"] == expected
    table = table_in(manager, made)
    assert table["config"] == expected
    assert table["metadata-location"].removeprefix(f"s3://{BUCKET}/") in minio.keys(BUCKET, f"{prefix}/")


@pytest.mark.parametrize("spelling", ["s3a://{}", "s3n://{}/", "S3://{}"])
def test_root_locations_are_kept_in_one_spelling(manager: Client, minio: Minio, spelling: str) -> None:
    place = f"{BUCKET}/{unique_name('spelt')}"
    made = create(manager, s3_profile(minio, BUCKET, **{"root-location": spelling.format(place)}))
    assert made["storage-profile"]["root-location"] == f"s3://{place}"
    config = ok(manager.get("/v1/config", params={"warehouse": spelling.format(place)}))
    assert config["overrides"]["prefix"] == made["prefix"]


@pytest.mark.parametrize(("method", "step"), [("PUT", "write"), ("GET", "read"), ("POST", "delete")])
def test_the_step_that_failed_is_named(
    victim: Client, proxy: Proxy, minio: Minio, method: str, step: str
) -> None:
    proxy.behave = behaving(method, lambda exchange: exchange.refuse(403, "AccessDenied"))
    profile = s3_profile(minio, BUCKET, endpoint=proxy.endpoint)
    answer = try_create(victim, profile)
    message = assert_error(
        answer, 400, "IllegalArgumentException", re.compile(f"cannot be used, {step} failed: .*AccessDenied")
    )
    assert minio.secret_key not in message
    proxy.behave = Exchange.pass_through
    create(victim, profile)


def test_a_store_that_lost_the_probe_or_keeps_it_is_refused(
    victim: Client, proxy: Proxy, minio: Minio
) -> None:
    profile = s3_profile(minio, BUCKET, endpoint=proxy.endpoint)
    proxy.behave = behaving("GET", lambda exchange: exchange.answer(200, ECHO.encode()))
    message = assert_error(
        try_create(victim, profile), 400, "IllegalArgumentException", re.compile("read failed")
    )
    assert ECHO not in message
    proxy.behave = behaving("POST", lambda exchange: exchange.answer(200, b"<DeleteResult/>"))
    assert_error(
        try_create(victim, profile), 400, "IllegalArgumentException", re.compile("delete failed.*still there")
    )


FOREIGN = [
    f"<Error><Code>{ECHO}</Code><Message>{ECHO}</Message></Error>".encode(),
    f"<html>{ECHO}</html>".encode(),
    ECHO.encode(),
    b"\xff\xfe" + ECHO.encode(),
    b"",
]


@pytest.mark.parametrize("body", FOREIGN)
@pytest.mark.parametrize("status", [200, 403, 404, 418, 500])
def test_what_a_foreign_server_says_is_not_repeated(
    victim: Client, spoiled: TestServer, proxy: Proxy, minio: Minio, status: int, body: bytes
) -> None:
    proxy.behave = lambda exchange: exchange.answer(status, body, {"X-Echo": ECHO})
    answer = try_create(victim, s3_profile(minio, BUCKET, endpoint=proxy.endpoint))
    assert answer.status_code in {400, 503}, answer.text
    assert "failed: " in answer.text
    assert ECHO not in answer.text
    assert ECHO not in json.dumps(spoiled.logs())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(
    victim: Client, proxy: Proxy, trap: SilentStore, minio: Minio, status: int
) -> None:
    for more in ({}, {"x-amz-bucket-region": "eu-west-1"}):
        headers = {"Location": f"{trap.endpoint}/x", **more}
        proxy.behave = lambda exchange, headers=headers: exchange.answer(status, b"", headers)  # type: ignore[misc]
        answer = try_create(victim, s3_profile(minio, BUCKET, endpoint=proxy.endpoint))
        assert answer.status_code in {400, 503}, answer.text
    body = f"<Error><Code>PermanentRedirect</Code><Endpoint>{trap.endpoint}</Endpoint></Error>".encode()
    proxy.behave = lambda exchange: exchange.answer(status, body, {"Location": trap.endpoint})
    answer = try_create(victim, s3_profile(minio, BUCKET, endpoint=proxy.endpoint))
    assert answer.status_code in {400, 503}, answer.text
    assert trap.accepted == 0


def test_probes_leave_no_connection_open(
    spoiled: TestServer, victim: Client, proxy: Proxy, minio: Minio
) -> None:
    port = int(proxy.endpoint.rpartition(":")[2])
    before = connected(spoiled.pids(), port)
    for _ in range(4):
        create(victim, s3_profile(minio, BUCKET, endpoint=proxy.endpoint))
    eventually(lambda: connected(spoiled.pids(), port) <= before, 5, "the connections of probes are closed")


def test_a_store_that_is_silent_or_gone(victim: Client, proxy: Proxy, minio: Minio) -> None:
    proxy.behave = Exchange.hang_up
    answer = try_create(victim, s3_profile(minio, BUCKET, endpoint=proxy.endpoint))
    assert_error(answer, 503, "ServiceUnavailableException", re.compile("write failed: .*does not answer"))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"root-location": "s3://no-such-bucket/x"}, "bucket does not exist"),
        (
            {"credentials": {"type": "inline", "access-key-id": "x", "secret-access-key": "y"}},
            "access denied",
        ),
    ],
)
def test_wrong_bucket_and_keys(manager: Client, minio: Minio, more: dict[str, Any], message: str) -> None:
    answer = try_create(manager, s3_profile(minio, BUCKET, **more))
    assert_error(answer, 400, "IllegalArgumentException", re.compile(f"write failed: .*{message}"))


HOSTS = [
    "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "169.254.169.254", "[fe80::1]", "10.0.0.1", "172.16.5.5", "192.168.0.1", "100.64.0.1",
    "[fd00:ec2::254]", "[64:ff9b::7f00:1]", "LOCALHOST", "localhost.",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_endpoints_in_the_own_network_are_refused(
    manager: Client, trap: SilentStore, minio: Minio, host: str
) -> None:
    port = trap.endpoint.rpartition(":")[2]
    made = create(manager, s3_profile(minio, BUCKET))
    for scheme in ("http", "https"):
        profile = s3_profile(minio, BUCKET, endpoint=f"{scheme}://{host}:{port}")
        for answer in (try_create(manager, profile), change(manager, made, storage_profile=profile)):
            assert_error(answer, 400, "IllegalArgumentException", re.compile(r"storage-profile\.endpoint"))
    assert trap.accepted == 0


@pytest.mark.parametrize(
    "endpoint",
    [
        "minio:9000", "ftp://store.example.com", "file:///etc", "http://", "http://a b", "http://x.example.com/path",
        "http://x.example.com?q", "http://x.example.com#f", "http://x.example.com:0", "http://x.example.com:99999",
        "http://no-such-host.invalid",
    ],
)  # fmt: skip
def test_malformed_endpoints(manager: Client, minio: Minio, endpoint: str) -> None:
    answer = try_create(manager, s3_profile(minio, BUCKET, endpoint=endpoint))
    assert_error(answer, 400, "IllegalArgumentException", re.compile(r"storage-profile\.endpoint"))


def test_credentials_in_an_endpoint_are_refused_and_not_repeated(manager: Client, minio: Minio) -> None:
    answer = try_create(manager, s3_profile(minio, BUCKET, endpoint=f"http://me:{ECHO}@127.0.0.1:9000"))
    message = assert_error(answer, 400, "IllegalArgumentException", re.compile("must not hold credentials"))
    assert ECHO not in message


@pytest.mark.parametrize("region", ["a b", "x.example.com", "-a", "a/b", "x" * 80, "ü"])
def test_malformed_regions(manager: Client, minio: Minio, region: str) -> None:
    answer = try_create(manager, s3_profile(minio, BUCKET, region=region))
    assert_error(answer, 400, "BadRequestException", re.compile(r"storage-profile\.region"))


CREDENTIALS = [
    ({}, "credentials.type"),
    ({"type": "vault"}, "credentials.type"),
    ({"type": "secret"}, "credentials.name"),
    ({"type": "secret", "name": "../minio"}, "credentials.name"),
    ({"type": "secret", "name": "a/b"}, "credentials.name"),
    ({"type": "secret", "name": ".hidden"}, "credentials.name"),
    ({"type": "secret", "name": "nobody"}, "no readable secret"),
    ({"type": "secret", "name": "minio", "access-key-id": "x"}, "credentials.access-key-id"),
    ({"type": "default", "name": "minio"}, "credentials.name"),
    ({"type": "inline"}, "credentials.access-key-id"),
    ({"type": "inline", "access-key-id": "x"}, "credentials.secret-access-key"),
    ({"type": "inline", "access-key-id": "x", "secret-access-key": ""}, "secret-access-key"),
    (
        {"type": "inline", "access-key-id": "x", "secret-access-key": ECHO, "secret": ECHO},
        "credentials.secret",
    ),
    ({"type": "inline", "access-key-id": "x", "secret-access-key": [ECHO]}, "secret-access-key"),
]


@pytest.mark.parametrize(("credentials", "named"), CREDENTIALS)
def test_malformed_credentials(
    manager: Client, minio: Minio, credentials: dict[str, Any], named: str
) -> None:
    answer = try_create(manager, s3_profile(minio, BUCKET, credentials=credentials))
    message = assert_error(answer, 400, "BadRequestException", re.compile(re.escape(named)))
    assert ECHO not in message


def test_named_secret(manager: Client, minio: Minio) -> None:
    made = create(manager, s3_profile(minio, BUCKET, credentials={"type": "secret", "name": "minio"}))
    assert made["storage-profile"]["credentials"] == {"type": "secret", "name": "minio"}
    table_in(manager, made)


def test_a_replaced_secret_is_read_again(manager: Client, grounds: Grounds, minio: Minio) -> None:
    name = unique_name("rotated")
    grounds.put_secret(name, minio)
    made = create(manager, s3_profile(minio, BUCKET, credentials={"type": "secret", "name": name}))
    table_in(manager, made)
    spaces = f"/v1/{made['prefix']}/namespaces"
    ok(manager.post(spaces, json={"namespace": ["a"]}))
    file = grounds.secrets / f"{name}.json"
    for content in ('{"access-key-id": "a", "secret-access-key": "b"}', ECHO, '{"access-key-id": "a"}'):
        file.write_text(content)
        answer = manager.post(f"{spaces}/a/tables", json=create_table_request("t"))
        assert ECHO not in assert_error(answer, 500, "InternalServerError")
    file.unlink()
    answer = manager.post(f"{spaces}/a/tables", json=create_table_request("t"))
    assert_error(
        answer, 500, "InternalServerError", re.compile(f"The storage of warehouse {made['name']} cannot")
    )
    grounds.put_secret(name, minio)
    ok(manager.post(f"{spaces}/a/tables", json=create_table_request("t")))


def test_a_broken_secret_file_is_not_quoted(manager: Client, grounds: Grounds, minio: Minio) -> None:
    (grounds.secrets / "broken.json").write_text(f'{{"access-key-id": "{ECHO}", "secret-access-key": 1}}')
    answer = try_create(manager, s3_profile(minio, BUCKET, credentials={"type": "secret", "name": "broken"}))
    assert ECHO not in assert_error(answer, 400, "IllegalArgumentException", re.compile("'broken'"))


def test_keys_are_refused_without_something_to_seal_them_with(make_server: MakeServer, minio: Minio) -> None:
    settings = {"storage.allowed_endpoints": minio.endpoint}
    with make_server(settings=settings) as server, Client(server.url) as client:
        profile = s3_profile(minio, BUCKET)
        answer = try_create(client, profile)
        assert_error(answer, 400, "IllegalArgumentException", re.compile(r"secrets\.key"))
        answer = try_create(client, {**profile, "credentials": {"type": "secret", "name": "x"}})
        assert_error(answer, 400, "IllegalArgumentException", re.compile(r"secrets\.folder"))
        assert [item["name"] for item in ok(client.get(WAREHOUSES))["warehouses"]] == ["default"]


def test_default_credentials_are_the_nodes_own(make_server: MakeServer, minio: Minio) -> None:
    settings = {
        "storage.allowed_endpoints": minio.endpoint,
        "storage.s3.access_key_id": minio.access_key,
        "storage.s3.secret_access_key": minio.secret_key,
    }
    profile = s3_profile(minio, BUCKET)
    del profile["credentials"]
    with make_server(settings=settings) as server, Client(server.url) as client:
        made = create(client, profile)
        assert made["storage-profile"]["credentials"] == {"type": "default"}
        table_in(client, made)


def everything(server: TestServer) -> str:
    """Return the content of the whole database as text."""
    assert server.database is not None
    tables = server.database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [server.database.query(f'SELECT t::text FROM "{table}" t') for (table,) in tables]
    return "\n".join(text for found in rows for (text,) in found)


def spellings(secret: str) -> list[str]:
    plain = secret.encode()
    return [secret, plain.hex(), base64.b64encode(plain).decode().rstrip("=")]


def test_keys_are_neither_stored_nor_shown_nor_logged(
    make_server: MakeServer, grounds: Grounds, minio: Minio
) -> None:
    with make_server(settings={**grounds.settings(), "logging.level": "debug"}) as server:
        client = server.client()
        profile = s3_profile(minio, BUCKET)
        made = create(client, profile)
        answers = [client.get(path_of(made)), client.get(WAREHOUSES), change(client, made, protected=True)]
        answers += [change(client, made, storage_profile={**profile, "region": "eu-west-9"})]
        answers += [client.get("/v1/config", params={"warehouse": made["name"]})]
        wrong = {**profile, "root-location": f"s3://no-such-bucket/{unique_name('x')}"}
        answers += [try_create(client, wrong), change(client, made, storage_profile=wrong)]
        answers += [try_create(client, profile), client.post(WAREHOUSES, json={"storage-profile": profile})]
        table_in(client, made)
        texts = {
            "answers": "\n".join(f"{answer.headers} {answer.text}" for answer in answers),
            "database": everything(server),
            "logs": json.dumps(server.logs()),
        }
        assert made["name"] in texts["database"]
        for place, text in texts.items():
            for secret in (minio.secret_key, minio.access_key, grounds.key):
                assert not [spelling for spelling in spellings(secret) if spelling in text], place


def test_sealed_keys_need_their_key(
    make_server: MakeServer, managed: TestServer, manager: Client, minio: Minio
) -> None:
    made = create(manager, s3_profile(minio, BUCKET))
    name = unique_name("ns")
    ok(manager.post(f"/v1/{made['prefix']}/namespaces", json={"namespace": [name]}))
    table = create_table_request("t")
    for key in ("", base64.b64encode(os.urandom(32)).decode()):
        settings = {"secrets.key": key, "storage.allowed_endpoints": minio.endpoint}
        options = {"warehouse": managed.warehouse, "database": managed.database, "settings": settings}
        with make_server(entry="gunicorn", **options) as other, Client(other.url) as client:
            answer = client.post(f"/v1/{made['prefix']}/namespaces/{name}/tables", json=table)
            assert_error(
                answer, 500, "InternalServerError", re.compile(f"keys of warehouse {made['prefix']}")
            )
            ok(client.post("/v1/namespaces", json={"namespace": [unique_name("ns")]}))
    ok(manager.post(f"/v1/{made['prefix']}/namespaces/{name}/tables", json=table))


@pytest.mark.parametrize("kind", ["inline", "secret"])
def test_what_is_shown_can_be_sent_back(manager: Client, minio: Minio, kind: str) -> None:
    profile = s3_profile(minio, BUCKET)
    if kind == "secret":
        profile["credentials"] = {"type": "secret", "name": "minio"}
    made = create(manager, profile)
    same = ok(change(manager, made, storage_profile=made["storage-profile"]))
    assert same["storage-profile"] == made["storage-profile"]
    table_in(manager, same)


def test_the_sealing_key_can_be_replaced(make_server: MakeServer, minio: Minio) -> None:
    old, new = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    settings = {"storage.allowed_endpoints": minio.endpoint, "secrets.key": old}
    with make_server(settings=settings) as server, Client(server.url) as client:
        made = create(client, s3_profile(minio, BUCKET))
        server.restart(secrets__key=f"{new},{old}")
        table_in(client, made)
        same = ok(change(client, made, storage_profile=made["storage-profile"]))
        server.restart(secrets__key=new)
        table_in(client, same)


def test_a_changed_profile_keeps_its_keys_and_is_probed(manager: Client, minio: Minio) -> None:
    profile = s3_profile(minio, BUCKET)
    made = create(manager, profile)
    table_in(manager, made)
    without = {name: value for name, value in profile.items() if name != "credentials"}
    allowed = [f"s3://{BUCKET}/{unique_name('more')}"]
    changed = ok(change(manager, made, storage_profile={**without, "allowed-locations": allowed}))
    assert changed["storage-profile"]["allowed-locations"] == allowed
    assert changed["storage-profile"]["credentials"] == {"type": "inline"}
    table_in(manager, changed)
    other = ok(
        change(manager, made, storage_profile={**without, "credentials": {"type": "secret", "name": "minio"}})
    )
    assert other["storage-profile"]["credentials"] == {"type": "secret", "name": "minio"}
    table_in(manager, other)
    wrong = {"type": "inline", "access-key-id": "x", "secret-access-key": "y"}
    answer = change(manager, made, storage_profile={**without, "credentials": wrong})
    assert_error(answer, 400, "IllegalArgumentException", re.compile("write failed"))
    table_in(manager, other)
