"""Who may have what signed; credentials that are good for nothing else."""

from collections.abc import Iterator

import pytest

from tests.conftest import SHARED, MakeServer
from tests.contract.calls import (
    Tabular,
    assert_error,
    make_namespace,
    make_table,
    namespace_path,
    ok,
    table_path,
)
from tests.contract.rights import grant, on_namespace, on_table, person_with, revoke
from tests.contract.signing.signed import Signed
from tests.factories import create_table_request, unique_name
from tests.support.identities import Identities, secured_settings
from tests.support.minio import Minio
from tests.support.process import eventually
from tests.support.server import Client
from tests.support.warehouses import SigningWarehouse

FORBIDDEN, MISSING = "ForbiddenException", "NoSuchTableException"
READS, WRITES = ("GET", "HEAD"), ("PUT", "DELETE")


@pytest.fixture(scope="module")
def people(make_server: MakeServer, minio: Minio) -> Iterator[Identities]:
    warehouse = SigningWarehouse(minio, minio.create_bucket("signing-secured"), "root")
    with make_server(warehouse, settings=secured_settings()) as running:
        SHARED.append(running)
        yield Identities(running)
        SHARED.remove(running)


@pytest.fixture
def table(people: Identities) -> Tabular:
    return make_table(people.admin, make_namespace(people.admin))


def signed_by(client: Client, minio: Minio, table: Tabular, route: str = "") -> Signed:
    """Return a client that need not be allowed to load the table."""
    return Signed.at(client, minio, table.load()["metadata"]["location"], route or f"{table.path}/sign")


def outcomes(signed: Signed, *methods: str) -> set[int]:
    return {signed.ask(method, signed.uri("data/x")).status_code for method in methods}


def test_rights_to_read_and_to_write(people: Identities, table: Tabular, minio: Minio) -> None:
    target = on_table(table.namespace, table.name)
    reader, writer, both, neither, data = (
        signed_by(person_with(people, target, *privileges)[1], minio, table)
        for privileges in (
            ("vend", "read-data"),
            ("vend", "write-data"),
            ("vend", "read-data", "write-data"),
            ("vend",),
            ("read-data", "write-data", "read-metadata"),
        )
    )
    assert (outcomes(reader, *READS), outcomes(reader, *WRITES)) == ({200}, {403})
    assert (outcomes(writer, *READS), outcomes(writer, *WRITES)) == ({403}, {200})
    assert (outcomes(both, *READS), outcomes(both, *WRITES)) == ({200}, {200})
    assert outcomes(neither, *READS, *WRITES) == outcomes(data, *READS, *WRITES) == {403}
    assert_error(reader.ask("PUT", reader.uri("x")), 403, FORBIDDEN)
    copy = {"x-amz-copy-source": f"/{both.bucket}/{both.path}/y"}
    assert both.ask("PUT", both.uri("x"), copy).status_code == 200
    assert_error(writer.ask("PUT", writer.uri("x"), copy), 403, FORBIDDEN)
    listing = reader.listing(f"{reader.path}/")
    assert (reader.ask("GET", listing).status_code, writer.ask("GET", listing).status_code) == (200, 403)


def test_who_does_not_see_the_table(people: Identities, table: Tabular, minio: Minio) -> None:
    person, client = person_with(people, on_namespace(make_namespace(people.admin)), "administer")
    stranger = signed_by(client, minio, table)
    missing = signed_by(client, minio, table, f"{table_path(table.namespace, 'none')}/sign")
    for signed in (stranger, missing):
        assert_error(signed.ask("GET", signed.uri("x")), 404, MISSING)
    older = signed_by(client, minio, table, "/v1/aws/s3/sign")
    texts = {
        older.ask("GET", uri).json()["error"]["message"].partition(" (error id ")[0]
        for uri in (older.uri("x"), older.uri("x").replace(older.path, "root/nothing"))
    }
    assert texts == {"Refused to sign the request: uri: it is in the location of no table"}
    grant(people.admin, on_table(table.namespace, table.name), person.name, "vend", "read-data")
    assert outcomes(older, "GET") == outcomes(stranger, "GET") == {200}
    assert_error(older.ask("PUT", older.uri("x")), 403, FORBIDDEN)


def test_signing_ends_with_the_right(people: Identities, table: Tabular, minio: Minio) -> None:
    target = on_table(table.namespace, table.name)
    person, client = person_with(people, target, "vend", "read-data", "write-data")
    signed = signed_by(client, minio, table)
    assert outcomes(signed, "GET", "PUT") == {200}
    revoke(people.admin, target, person.name, "write-data")
    assert (outcomes(signed, "GET"), outcomes(signed, "PUT")) == ({200}, {403})
    revoke(people.admin, target, person.name, "vend", "read-data")
    assert outcomes(signed, "GET", "PUT") == {404}


def test_token_that_may_only_sign(people: Identities, table: Tabular, minio: Minio) -> None:
    person, _ = person_with(people, on_namespace(table.namespace), "administer")
    client = people.with_token(people.token(person, scope="sign"))
    signed = signed_by(client, minio, table)
    assert outcomes(signed, *READS, *WRITES) == {200}
    assert_error(client.get(table.path), 403, FORBIDDEN)
    assert_error(client.get(f"{table.path}/credentials"), 403, FORBIDDEN)
    assert_error(client.delete(table.path), 403, FORBIDDEN)
    reading = signed_by(people.with_token(people.token(person, scope="read")), minio, table)
    assert (outcomes(reading, *READS), outcomes(reading, *WRITES)) == ({200}, {403})


def test_staged_table_is_signed_for_who_may_create(people: Identities, table: Tabular, minio: Minio) -> None:
    space = on_namespace(table.namespace)
    creator, client = person_with(people, space, "create")
    name = unique_name("staged")
    body = {**create_table_request(name), "stage-create": True}
    headers = {"X-Iceberg-Access-Delegation": "remote-signing"}
    staged = ok(client.post(f"{namespace_path(table.namespace)}/tables", json=body, headers=headers))
    assert staged["config"]["s3.remote-signing-enabled"] == "true"
    location, route = staged["metadata"]["location"], f"{table_path(table.namespace, name)}/sign"
    for key in ("s3.signer.endpoint", "signer.endpoint"):
        assert staged["config"][key] == route.replace("/v1/", "v1/default/", 1)
    for session in (client, people.with_token(people.token(creator, scope="sign"))):
        signed = Signed.at(session, minio, location, route)
        assert outcomes(signed, *READS, *WRITES) == {200}
        assert signed.send("PUT", signed.uri("data/x"), b"x").status_code == 200
    onlooker = Signed.at(
        person_with(people, space, "vend", "read-data", "write-data")[1], minio, location, route
    )
    assert outcomes(onlooker, *READS, *WRITES) == {404}
    reading = Signed.at(people.with_token(people.token(creator, scope="read")), minio, location, route)
    assert (outcomes(reading, "GET"), outcomes(reading, "PUT")) == ({200}, {404})


def test_nobody_signs_without_a_credential(people: Identities, table: Tabular, minio: Minio) -> None:
    with Client(people.server.url) as client:
        for route in ("", "/v1/aws/s3/sign"):
            signed = signed_by(client, minio, table, route)
            assert_error(signed.ask("GET", signed.uri("x")), 401, "NotAuthorizedException")


def test_way_that_a_client_is_told(people: Identities, table: Tabular) -> None:
    target = on_table(table.namespace, table.name)
    _, allowed = person_with(people, target, "read-metadata", "vend", "read-data")
    _, refused = person_with(people, target, "read-metadata", "read-data")
    headers = {"X-Iceberg-Access-Delegation": "vended-credentials, remote-signing"}
    loaded = ok(allowed.get(table.path, headers=headers))
    endpoint = f"v1/default/namespaces/{table.namespace}/tables/{table.name}/sign"
    assert loaded["config"].items() >= {
        ("s3.remote-signing-enabled", "true"),
        ("s3.signer", "S3V4RestSigner"),
        ("s3.signer.endpoint", "v1/default/aws/s3/sign"),
        ("signer.endpoint", endpoint),
        ("s3.path-style-access", "true"),
    }
    assert loaded["remote-signing-config"] == {"properties": {}, "headers": {}}
    for client, sent in ((refused, headers), (allowed, {})):
        assert "s3.remote-signing-enabled" not in ok(client.get(table.path, headers=sent))["config"]


@pytest.mark.once("each refusal is an event")
def test_refusals_are_in_the_audit(people: Identities, table: Tabular, minio: Minio) -> None:
    person, client = person_with(people, on_table(table.namespace, table.name), "vend", "read-data")
    signed = signed_by(client, minio, table)
    assert_error(signed.ask("PUT", signed.uri("x")), 403, FORBIDDEN)
    assert_error(signed.ask("GET", signed.uri("x").replace(signed.path, "root/other")), 403, FORBIDDEN)
    query = {"actor": person.name, "outcome": "denied"}
    eventually(
        lambda: len(ok(people.admin.get("/management/v1/audit", params=query))["events"]) == 2,
        10,
        "both refusals are recorded",
    )
