"""The audit where it is known who asks: logins, failures to log in, and who did what with which credential."""

import re
import time
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.contract.calls import ok, table_path
from tests.factories import create_table_request, set_properties, unique_name
from tests.support.identities import EXCHANGE, TOKENS, Identities, Person, basic, secured_settings
from tests.support.process import eventually
from tests.support.server import Client, TestServer

AUDIT = "/management/v1/audit"
ISSUED_TO = ("actor", "actor-kind", "credential", "object-kind", "name")


def listed(admin: Client, **filters: Any) -> list[dict[str, Any]]:
    parameters = {name.replace("_", "-"): value for name, value in filters.items()}
    events: list[dict[str, Any]] = ok(admin.get(AUDIT, params=parameters))["events"]
    return events


def test_every_token_is_recorded_once(admin: Client, identities: Identities) -> None:
    person, began = identities.person(), int(time.time() * 1000)
    client = identities.with_token(identities.token(person, scope="read"))
    for _ in range(3):
        assert client.get("/v1/config").status_code == 200
    (event,) = listed(admin, actor=person.name)
    assert (event["event-type"], event["outcome"], event["response-code"]) == ("token.issued", "success", 200)
    assert [event[name] for name in ISSUED_TO][:2] == [person.name, "service"]
    assert re.fullmatch("secret:[0-9]+", event["credential"])
    assert [event["object-kind"], event["name"]] == ["principal", person.name]
    assert event["object-id"] == event["actor-id"]
    assert event["operation"] == f"POST {TOKENS}"
    details = event["details"]
    assert details["scopes"] == ["read"]
    assert began + 3_500_000 < details["expires-at-ms"] <= time.time() * 1000 + 3_601_000
    assert len(details["id"]) >= 16


def test_an_exchanged_token_is_one_more(admin: Client, identities: Identities) -> None:
    person = identities.person()
    token = identities.token(person)
    kind = "urn:ietf:params:oauth:token-type:access_token"
    body = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": kind}
    ok(identities.ask(body, headers={"Authorization": basic(person)}))
    first, second = listed(admin, actor=person.name, event_type="token.issued")
    assert first["details"]["id"] != second["details"]["id"]


def test_who_did_it_with_what(admin: Client, identities: Identities) -> None:
    """A token is named by its id, an API key by its own."""
    marker = unique_name("request")
    key = identities.key(identities.root)
    by_key = identities.with_token(key["key"])
    for client in (admin, by_key):
        body = {"name": unique_name("p")}
        ok(client.post("/management/v1/principals", json=body, headers={"X-Request-ID": marker}), 201)
    with_key, with_token = listed(admin, request_id=marker)
    assert with_key["credential"] == f"key:{key['id']}"
    assert with_token["credential"] is not None
    assert with_token["credential"] != with_key["credential"]
    for event in (with_key, with_token):
        assert (event["event-type"], event["object-kind"], event["warehouse"]) == (
            "principal.created",
            "principal",
            None,
        )
        assert (event["actor"], event["actor-kind"]) == ("root", "service")


@pytest.mark.parametrize("shown", ["Bearer nonsense", "Bearer bingsan_" + "x" * 43, "Basic eDp5", ""])
@pytest.mark.once("counts refusals")
def test_nobody_known_is_counted_and_logged_only(
    admin: Client, identities: Identities, secured: TestServer, shown: str
) -> None:
    marker = unique_name("request")
    headers = {"X-Request-ID": marker, **({"Authorization": shown} if shown else {})}

    def counted() -> float:
        return sum(
            value
            for name, value in secured.metrics().items()
            if name.startswith("bingsan_auth_failures_total")
        )

    before = counted()
    with secured.client() as stranger:
        assert stranger.get("/v1/config", headers=headers).status_code == 401
    eventually(lambda: counted() == before + 1, 5, "it is counted")

    def lines() -> list[dict[str, Any]]:
        return [line for line in secured.logs() if line.get("request_id") == marker]

    eventually(lines, 5, "it is logged")
    (line,) = lines()
    assert (line["status"], line["principal"], line["level"]) == (401, None, "WARN")
    assert line["client_address"] == "127.0.0.1"
    assert listed(admin, request_id=marker) == []


def test_a_wrong_secret(admin: Client, identities: Identities, secured: TestServer) -> None:
    """Whose name was claimed is in no entry: nobody showed to be that."""
    person = identities.person()
    name = "bingsan_auth_failures_total"
    before = secured.metrics().get(f'{name}{{reason="client"}}', 0.0)
    assert identities.login(Person(person.name, "wrong" * 8)).status_code == 401
    eventually(lambda: secured.metric(name, reason="client") == before + 1, 5, "it is counted")
    assert listed(admin, actor=person.name) == []


def test_a_refusal_names_what_was_missing(admin: Client, identities: Identities, secured: TestServer) -> None:
    """By the path, by the body, and by each part of it; the error id of the 403 finds it."""
    reader, name = identities.person(), unique_name("ns")
    ok(admin.post("/v1/namespaces", json={"namespace": [name]}))
    ok(admin.post(f"/v1/namespaces/{name}/tables", json=create_table_request("t")))
    target = {"warehouse": "default", "namespace": [name]}
    given = {"privileges": ["read-metadata"], "object": target, "to": {"principal": reader.name}}
    ok(admin.post("/management/v1/grants", json=given))
    client, table = identities.as_(reader), table_path(name, "t")
    change = {
        "identifier": {"namespace": [name], "name": "t"},
        "requirements": [],
        "updates": [set_properties(a="1")],
    }
    refused = {
        "create": client.post(f"/v1/namespaces/{name}/tables", json=create_table_request("u")),
        "drop": client.delete(table),
        "read-data": client.post(f"{table}/plan", json={}),
        "administer": client.get(AUDIT),
        "write-data": client.post("/v1/transactions/commit", json={"table-changes": [change]}),
    }
    for privilege, answer in refused.items():
        assert answer.status_code == 403, (privilege, answer.text)
        message = answer.json()["error"]["message"]
        (error_id,) = re.findall(r"\(error id (.+)\)$", message)
        eventually(lambda error_id=error_id: listed(admin, request_id=error_id), 10, "it is listed")
        (event,) = listed(admin, request_id=error_id)
        assert (event["event-type"], event["outcome"], event["response-code"]) == (
            "access.denied",
            "denied",
            403,
        )
        assert (event["privilege"], event["actor"], event["details"]) == (
            privilege,
            reader.name,
            {"message": message},
        )
        where = (event["object-kind"], event["warehouse"], event["namespace"], event["name"])
        in_table, in_namespace = ("table", "default", [name], "t"), ("namespace", "default", [name], None)
        expected = {"create": in_namespace, "administer": ("server", None, [], None)}
        assert where == expected.get(privilege, in_table)
        assert (event["object-id"] or 0) > 0 or privilege == "administer"
        assert event["credential"].startswith(("secret:", "token:"))


def test_what_may_not_be_seen_is_missing_and_not_refused(admin: Client, identities: Identities) -> None:
    stranger, name = identities.person(), unique_name("ns")
    ok(admin.post("/v1/namespaces", json={"namespace": [name]}))
    assert identities.as_(stranger).get(f"/v1/namespaces/{name}").status_code == 404
    assert [event["event-type"] for event in listed(admin, actor=stranger.name)] == ["token.issued"]


@pytest.mark.once("each request has one line")
def test_log_lines_say_who(admin: Client, identities: Identities, secured: TestServer) -> None:
    """Of a request that is answered, of one that is refused, and of a login."""
    person, marker = identities.person(), unique_name("request")
    headers = {"X-Request-ID": marker}
    client = identities.as_(person)
    assert client.get("/v1/config", headers=headers).status_code == 200
    assert client.get(AUDIT, headers=headers).status_code == 403
    form = {"grant_type": "client_credentials", "client_id": person.name, "client_secret": person.secret}
    assert identities.ask(form, {**headers, "Authorization": basic(person)}).status_code == 200
    wrong = basic(person._replace(secret="wrong" * 8))
    form = {"grant_type": "client_credentials"}
    assert identities.ask(form, {**headers, "Authorization": wrong}).status_code == 401

    def lines() -> list[dict[str, Any]]:
        return [line for line in secured.logs() if line.get("request_id") == marker]

    eventually(lambda: len(lines()) == 4, 5, "all are logged")
    assert [
        (line["status"], line["principal"]) for line in sorted(lines(), key=lambda line: line["time"])
    ] == [
        (200, person.name),
        (403, person.name),
        (200, person.name),
        (401, None),
    ]


def test_no_token_leaves_that_is_not_recorded(make_server: MakeServer) -> None:
    settings = secured_settings(database__statement_timeout="500ms")
    with make_server(workers=1, settings=settings) as server:
        assert server.database is not None
        people = Identities(server)
        lock = server.database.connect()
        with lock, lock.cursor() as cursor:
            cursor.execute("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE")
            answer = people.login(people.root)
            assert answer.status_code == 503
            assert set(answer.json()) == {"error", "error_description"}
        lock.close()
        assert server.database.query("SELECT count(*) FROM audit_events") == [(0,)]
        assert people.login(people.root).status_code == 200
        assert server.database.query("SELECT action FROM audit_events") == [("token.issued",)]
