"""Credentials, signing, and what a client says about how it comes to a table."""

import re
from typing import Any

import pytest

from tests.contract.calls import (
    Tabular,
    assert_error,
    make_table,
    namespace_path,
    ok,
    raw_request,
    table_path,
)
from tests.factories import create_table_request, unique_name
from tests.support.server import Client, TestServer

BAD = "BadRequestException"
SIGN = {
    "region": "eu-central-1",
    "uri": "https://bucket.s3.eu-central-1.amazonaws.com/warehouse/t/data/1.parquet?x=y%2Fz",
    "method": "GET",
    "headers": {"host": ["bucket.s3.eu-central-1.amazonaws.com"], "x-amz-date": ["a", "b"]},
}


def test_local_files_have_no_credentials(client: Client, table: Tabular) -> None:
    for query in ("", "?planId=some-plan", "?referenced-by=a%1Fv", "?planId=&referenced-by="):
        assert ok(client.get(f"{table.path}/credentials{query}")) == {"storage-credentials": []}


def test_keys_of_the_service_are_never_given_away(server_s3: TestServer) -> None:
    with Client(server_s3.url) as client:
        name = unique_name("ns")
        ok(client.post("/v1/namespaces", json={"namespace": [name]}))
        headers = {"X-Iceberg-Access-Delegation": "vended-credentials,remote-signing"}
        created = client.post(
            f"{namespace_path(name)}/tables", json=create_table_request("t"), headers=headers
        )
        loaded = client.get(table_path(name, "t"), headers=headers)
        for answer in (created, loaded):
            assert ok(answer)["config"] == {}
            assert ok(answer).get("storage-credentials", []) == []
        answer = client.get(f"{table_path(name, 't')}/credentials", headers=headers)
        assert ok(answer) == {"storage-credentials": []}
        environment = server_s3.environment()
        secret = environment["ICEBERG_STORAGE_S3_SECRET_ACCESS_KEY"]
        assert secret
        assert secret not in created.text + loaded.text + client.get("/v1/config").text


def test_credentials_and_signing_of_a_missing_table(client: Client, namespace: str) -> None:
    for path in (table_path(namespace, "none"), table_path(unique_name("no"), "t")):
        assert_error(client.get(f"{path}/credentials"), 404, "NoSuchTableException")
        assert_error(client.post(f"{path}/sign", json=SIGN), 404, "NoSuchTableException")


@pytest.mark.parametrize("provider", [None, "s3", "gcs"])
def test_signing_for_storage_that_takes_no_signatures(
    client: Client, table: Tabular, provider: str | None
) -> None:
    answer = client.post(f"{table.path}/sign", json={**SIGN, "provider": provider})
    message = (
        f"Cannot sign a request to {provider or 's3'} for table {table.namespace}.{table.name}:"
        " its storage (local) has no remote signing"
    )
    assert_error(answer, 400, BAD, message)


def test_signing_on_s3_is_refused_too(server_s3: TestServer) -> None:
    with Client(server_s3.url) as client:
        name = unique_name("ns")
        ok(client.post("/v1/namespaces", json={"namespace": [name]}))
        path = make_table(client, name).path
        assert_error(client.post(f"{path}/sign", json=SIGN), 400, BAD, re.compile(r"storage \(s3\)"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"region": None}, "region: Missing data for required field"),
        ({"uri": None}, "uri: Missing data for required field"),
        ({"method": None}, "method: Missing data for required field"),
        ({"headers": None}, "headers: Missing data for required field"),
        ({"region": 1}, "region: expected a string, got a number"),
        ({"uri": "/warehouse/t"}, "uri: expected an absolute http or https URI"),
        ({"uri": "ftp://host/x"}, "uri: expected an absolute http or https URI"),
        ({"uri": "http://[x"}, "uri: expected an absolute http or https URI"),
        (
            {"method": "get"},
            "method: must be one of PUT, GET, HEAD, POST, DELETE, PATCH, OPTIONS",
        ),
        ({"headers": []}, "headers: expected an object, got an array"),
        ({"headers": {"host": "x"}}, "headers: the value of 'host' must be an array of strings"),
        ({"headers": {"host": [1]}}, "headers: the value of 'host' must be an array of strings"),
        ({"properties": {"a": 1}}, "properties: the value of 'a' must be a string, got a number"),
        ({"body": {}}, "body: expected a string, got an object"),
        ({"provider": ["s3"]}, "provider: expected a string, got an array"),
    ],
)
def test_malformed_request_to_sign(
    client: Client, table: Tabular, change: dict[str, Any], message: str
) -> None:
    answer = client.post(f"{table.path}/sign", json={**SIGN, **change})
    assert_error(answer, 400, BAD, f"Invalid request body: {message}")


GOOD_CHAINS = [
    "prod%1Fv",
    "prod%1fv",
    "prod%1Fanalytics%1Fquarterly,prod%1Fanalytics%1Fmonthly",
    "prod%251Fa%252Cb%2Cprod%251Fmonthly",
    "prod%1Fwith%2Ccomma",
    "a+b%1Fc%20d%2Be,%E2%82%AC%1F%F0%9F%A6%86",
    "a%1Fv&referenced-by=b%1Fw",
    "",
]
BAD_CHAINS = [
    ("v", "Invalid referenced-by[0] 'v': expected the levels of a namespace and the name of a view"),
    ("a%1Fv,w", "Invalid referenced-by[1] 'w': expected the levels"),
    ("a%1Fv,", "Invalid referenced-by[1] '': expected the levels"),
    (",", "Invalid referenced-by[0] '': expected the levels"),
    ("a%1F", "Invalid referenced-by[0].name: must not be empty"),
    ("%1Fv", "Invalid referenced-by[0].namespace[0]: must not be empty"),
    ("a%1Fv%00", "Invalid referenced-by[0].name 'v\\x00': control characters are not allowed"),
    ("a%1F%FF", "Invalid referenced-by: not UTF-8"),
    ("a%1F" + "x" * 256, "Invalid referenced-by[0].name: 256 characters exceed limits.max_identifier_length"),
]


@pytest.mark.parametrize("chain", GOOD_CHAINS)
def test_chain_of_views_is_understood(server: TestServer, table: Tabular, view: Tabular, chain: str) -> None:
    for path in (table.path, view.path, f"{table.path}/credentials"):
        answer = raw_request(server, "GET", f"{path}?x=1&referenced-by={chain}")
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("chain", "message"), BAD_CHAINS)
def test_malformed_chain_of_views(
    server: TestServer, table: Tabular, view: Tabular, chain: str, message: str
) -> None:
    for path in (table.path, view.path, f"{table.path}/credentials"):
        answer = raw_request(server, "GET", f"{path}?referenced-by={chain}")
        assert_error(answer, 400, BAD, re.compile("^" + re.escape(message)))


@pytest.mark.lenient("a hint is never a reason to refuse")
@pytest.mark.parametrize(
    "value", ["vended-credentials", "Remote-Signing , VENDED-credentials", "", ",", "nonsense,,x", "é"]
)
def test_delegation_is_a_hint_whatever_it_says(server: TestServer, table: Tabular, value: str) -> None:
    headers = {"X-Iceberg-Access-Delegation": value}
    answer = raw_request(server, "GET", table.path, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["config"] == {}
    answer = raw_request(server, "POST", table.path, b"{}", headers)
    assert answer.status_code == 200, answer.text
