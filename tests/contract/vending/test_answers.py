"""Which answers let clients at the files of a table, and with what."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract.calls import (
    Tabular,
    assert_error,
    namespace_path,
    ok,
    table_path,
)
from tests.contract.vending.keys import (
    ASKING,
    BUCKET,
    HOUR,
    OTHER,
    issued,
    load,
)
from tests.factories import create_table_request, set_properties, unique_name
from tests.support.faults import Exchange, Proxy
from tests.support.server import Client, TestServer
from tests.support.warehouses import VendingWarehouse

KEYS = ("s3.access-key-id", "s3.secret-access-key", "s3.session-token", "s3.session-token-expires-at-ms")


def assert_good(answer: dict[str, Any], location: str, path: str) -> dict[str, str]:
    """Check all that clients look for, and return it."""
    (credential,) = answer["storage-credentials"]
    config = dict(credential["config"])
    assert credential["prefix"] == location
    assert answer.get("config", config) == config
    assert all(config[key] for key in KEYS)
    left = int(config["s3.session-token-expires-at-ms"]) / 1000 - time.time()
    assert HOUR / 2 < left <= HOUR + 5
    assert config["s3.region"] == config["client.region"] == "us-east-1"
    assert config["s3.path-style-access"] == "true"
    assert config["s3.endpoint"].startswith("http://127.0.0.1:")
    assert (
        f"/{config['client.refresh-credentials-endpoint']}"
        == path.replace("/v1/", "/v1/default/") + "/credentials"
    )
    assert config["client.refresh-credentials-enabled"] == "true"
    return config


def test_every_answer_with_a_table_lets_the_client_at_its_files(client: Client, namespace: str) -> None:
    tables = f"{namespace_path(namespace)}/tables"
    created = client.post(tables, json=create_table_request("t"), headers=ASKING)
    path, location = table_path(namespace, "t"), ok(created)["metadata"]["location"]
    first = assert_good(ok(created), location, path)
    loaded = client.get(path, headers=ASKING)
    assert_good(ok(loaded), location, path)
    assert_good(ok(client.get(f"{path}/credentials")), location, path)
    for answer in (created, loaded):
        assert answer.headers["Cache-Control"] == "no-store"
    client.post(f"{path}/unregister")
    body = {"name": "r", "metadata-location": ok(created)["metadata-location"]}
    registered = ok(client.post(f"{namespace_path(namespace)}/register", json=body, headers=ASKING))
    again = assert_good(registered, location, table_path(namespace, "r"))
    assert again["s3.access-key-id"] != first["s3.access-key-id"]


def test_names_are_encoded_in_the_address_of_new_credentials(client: Client) -> None:
    name, levels = "t/é %1F+", ["a.b/c", "d e"]
    made = unique_name("ns")
    ok(client.post("/v1/namespaces", json={"namespace": [made]}))
    ok(client.post("/v1/namespaces", json={"namespace": [made, levels[0]]}))
    ok(client.post("/v1/namespaces", json={"namespace": [made, *levels]}))
    space = namespace_path(made, *levels)
    created = ok(client.post(f"{space}/tables", json=create_table_request(name), headers=ASKING))
    endpoint = created["config"]["client.refresh-credentials-endpoint"]
    found = ok(client.get(f"/{endpoint}"))["storage-credentials"]
    assert [credential["prefix"] for credential in found] == [created["metadata"]["location"]]


def test_nothing_secret_unless_it_is_asked_for(client: Client, table: Tabular, vending: TestServer) -> None:
    for headers in ({}, {"X-Iceberg-Access-Delegation": "remote-signing"}):
        answer = ok(client.get(table.path, headers=headers))
        assert answer["config"] == {}
        assert "storage-credentials" not in answer
    assert issued(vending, table.name) == []


def test_the_keys_of_the_service_stay_there(client: Client, table: Tabular, vending: TestServer) -> None:
    warehouse = vending.warehouse
    assert isinstance(warehouse, VendingWarehouse)
    text = client.get(table.path, headers=ASKING).text + client.get("/v1/config").text
    for secret in (*warehouse.user, warehouse.minio.access_key, warehouse.minio.secret_key):
        assert secret not in text


@pytest.mark.once("counts what was issued")
def test_no_secret_is_logged_or_kept(client: Client, table: Tabular, vending: TestServer) -> None:
    config = load(table)["config"]
    (details,) = issued(vending, table.name)
    assert details["key"] == config["s3.access-key-id"]
    assert details["session"] == f"anonymous@{table.namespace}.{table.name}"[: len(details["session"])]
    assert vending.database is not None
    query = "SELECT t.name FROM audit_events e JOIN tabulars t ON t.id = e.object_id WHERE e.name = %s"
    assert vending.database.query(query, table.name) == [(table.name,)]
    assert (details["access"], details["location"]) == ("read-write", table.metadata["location"])
    output = vending.stdout.read_text() + vending.stderr.read_text()
    for secret in (config["s3.secret-access-key"], config["s3.session-token"]):
        assert secret not in str(details) + output


def test_a_missing_table_has_none(client: Client, namespace: str) -> None:
    path = table_path(namespace, "none")
    assert_error(client.get(path, headers=ASKING), 404, "NoSuchTableException")
    assert_error(client.get(f"{path}/credentials"), 404, "NoSuchTableException")


def test_a_staged_table_may_not_lie_in_another(client: Client, table: Tabular) -> None:
    for location in (f"{table.metadata['location']}/below", f"s3://{OTHER}/x", f"s3://{BUCKET}/root"):
        body = create_table_request("staged", location=location, **{"stage-create": True})
        answer = client.post(f"{namespace_path(table.namespace)}/tables", json=body, headers=ASKING)
        assert_error(answer, 400, "IllegalArgumentException")


def test_many_who_ask_at_once_share_a_credential_per_worker(
    vending: TestServer, client: Client, table: Tabular, sts: Proxy
) -> None:
    def slow(exchange: Exchange) -> None:
        threading.Event().wait(0.3)
        exchange.pass_through()

    def key(_: int) -> str:
        with Client(vending.url) as session:
            return str(ok(session.get(table.path, headers=ASKING))["config"]["s3.access-key-id"])

    sts.behave = slow
    with ThreadPoolExecutor(12) as pool:
        keys = set(pool.map(key, range(24)))
    assert 1 <= len(keys) <= len(vending.workers())
    assert {details["key"] for details in issued(vending, table.name)} == keys


# Tags of compressed answers have one part more.
UNCOMPRESSED = {**ASKING, "Accept-Encoding": "identity"}


def tag_with(tag: str, seconds: float) -> str:
    """Return the tag of the same answer whose secrets end in ``seconds``."""
    return f'"{tag.strip(chr(34)).partition("-")[0]}-{int(time.time() + seconds):x}"'


def test_who_holds_good_credentials_need_not_load_again(client: Client, table: Tabular) -> None:
    loaded = client.get(table.path, headers=UNCOMPRESSED)
    tag = loaded.headers["ETag"]
    expires = int(loaded.json()["config"]["s3.session-token-expires-at-ms"]) // 1000
    assert int(tag.strip('"').partition("-")[2], 16) == expires
    for known in (tag, tag_with(tag, HOUR / 2 + 60)):
        answer = client.get(table.path, headers={**UNCOMPRESSED, "If-None-Match": known})
        assert (answer.status_code, answer.headers["ETag"]) == (304, known)


def test_past_half_of_their_life_there_are_new_ones(client: Client, table: Tabular) -> None:
    tag = client.get(table.path, headers=UNCOMPRESSED).headers["ETag"]
    for known in (tag_with(tag, HOUR / 2 - 1), tag_with(tag, -1), tag.partition("-")[0] + '"', "*", '"-"'):
        answer = client.get(table.path, headers={**UNCOMPRESSED, "If-None-Match": known})
        assert answer.status_code == 200, known
        assert answer.json()["storage-credentials"]


def test_credentials_are_never_compressed(client: Client, table: Tabular) -> None:
    table.commit(set_properties(**{f"p{number}": "x" * 30_000 for number in range(3)}))
    gzip = {"Accept-Encoding": "gzip"}
    assert client.get(table.path, headers=gzip).headers["Content-Encoding"] == "gzip"
    loaded = client.get(table.path, headers={**ASKING, **gzip})
    assert loaded.json()["storage-credentials"]
    assert "Content-Encoding" not in loaded.headers


def test_answers_with_and_without_credentials_have_other_tags(client: Client, table: Tabular) -> None:
    plain = client.get(table.path).headers["ETag"]
    tag = client.get(table.path, headers=ASKING).headers["ETag"]
    assert client.get(table.path, headers={"If-None-Match": tag}).status_code == 200
    assert client.get(table.path, headers={**ASKING, "If-None-Match": plain}).status_code == 200
    assert client.get(table.path, headers={"If-None-Match": plain}).status_code == 304
