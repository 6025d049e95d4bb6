"""No secret is in anything the service lets out: log, figures, rows, files, arguments of processes, answers.

One server with everything on, its log at the lowest level, is used in all ways that touch secrets, rightly and wrongly.
"""

import base64
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import MakeServer
from tests.contract.calls import no_content, ok, table_path
from tests.contract.managed import WAREHOUSES, Grounds, create, s3_profile, try_create
from tests.contract.signing.signed import Signed, new_table
from tests.factories import create_table_request, set_properties, unique_name
from tests.support.exchanges import OBSERVERS, Exchange
from tests.support.identities import (
    EXCHANGE,
    KEYS,
    PRINCIPALS,
    TOKENS,
    Identities,
    Person,
    basic,
    secured_settings,
)
from tests.support.minio import Minio
from tests.support.postgres import Postgres
from tests.support.provider import Provider
from tests.support.secrecy import Secrets
from tests.support.server import Client, TestServer
from tests.support.warehouses import VendingWarehouse

BUCKET = "secrecy"
JWT = "urn:ietf:params:oauth:token-type:jwt"
ASKING = {"X-Iceberg-Access-Delegation": "vended-credentials"}
# Whose answers hold what they were asked for.
HANDING_OUT = (TOKENS, PRINCIPALS, KEYS, "/v1/api-keys", "/tables", "/credentials", "/sign")
ROWS = """SELECT table_name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"""
"""Of partitioned tables too: the parent shows what is in all parts."""


class Scene:
    """The server, its people, all that must stay secret, and every exchange."""

    def __init__(self, server: TestServer, identities: Identities, hidden: Secrets) -> None:
        self.server, self.identities, self.hidden = server, identities, hidden
        self.exchanges: list[Exchange] = []

    def login(self, person: Person, **more: str) -> str:
        return self.token(self.identities.token(person, **more))

    def token(self, text: str) -> str:
        """Of a token only the signature is secret."""
        self.hidden.add("a token's signature", text.rpartition(".")[2])
        return text

    def refuse(self, method: str, path: str, **options: Any) -> None:
        """Send what is refused for itself, not for being too often; no document judges it."""
        answer = requests.request(method, f"{self.server.url}{path}", timeout=60, **options)
        assert 400 <= answer.status_code < 429, (answer.status_code, answer.text)
        self.exchanges.append(Exchange.of(answer))

    def refuse_body(self, path: str, **options: Any) -> None:
        """The same of somebody who may do everything."""
        headers = {
            "Authorization": self.identities.admin.headers["Authorization"],
            **options.pop("headers", {}),
        }
        self.refuse("POST", path, headers=headers, **options)


@pytest.fixture(scope="module")
def scene(make_server: MakeServer, minio: Minio) -> Iterator[Scene]:
    hidden, grounds = Secrets(), Grounds(minio.endpoint)
    grounds.put_secret("minio", minio)
    minio.create_bucket(BUCKET)
    warehouse = VendingWarehouse(minio, BUCKET, "root")
    provider = Provider()
    more = {"logging.level": "debug", "server.workers": 1, **grounds.settings(), **provider.settings()}
    settings = secured_settings(**more)
    hidden.add("secrets.key", grounds.key)
    hidden.add("auth.signing_key", str(settings["auth.signing_key"]))
    hidden.add("auth.oauth2.client_secret", str(settings["auth.oauth2.client_secret"]))
    hidden.add("the store's key", warehouse.user.secret_key)
    hidden.add("the store's root key", minio.secret_key)
    with provider, make_server(warehouse, settings=settings) as server:
        assert server.database is not None
        hidden.add("database.password", server.database.password)
        scene = Scene(server, Identities(server), hidden)
        OBSERVERS.append(scene.exchanges.append)
        use(scene, minio, provider)
        OBSERVERS.remove(scene.exchanges.append)
        yield scene
    grounds.remove()


def use(scene: Scene, minio: Minio, provider: Provider) -> None:
    log_in(scene)
    fail_to_log_in(scene)
    come_from_elsewhere(scene, provider)
    administer(scene)
    put_secrets_where_they_do_not_belong(scene)
    vend(scene)
    manage_warehouses(scene, minio)
    sign(scene, minio)
    for path in ("/audit?pageSize=1000", "/warehouses", "/jobs"):
        ok(scene.identities.admin.get(f"/management/v1{path}"))


def log_in(scene: Scene) -> None:
    root, hidden = scene.identities.root, scene.hidden
    scene.identities.admin.headers["Authorization"] = "Bearer " + scene.login(root)
    person = scene.identities.person()
    hidden.add("a client secret", person.secret)
    token = scene.login(person)
    form = {"grant_type": "client_credentials"}
    for headers, body in (({"Authorization": basic(person)}, form),):
        scene.token(ok(scene.identities.ask(body, headers))["access_token"])
    kind = "urn:ietf:params:oauth:token-type:access_token"
    exchanged = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": kind}
    scene.token(ok(scene.identities.ask(exchanged, {"Authorization": basic(person)}))["access_token"])
    assert scene.identities.with_token(token).get("/management/v1/audit").status_code == 403


def fail_to_log_in(scene: Scene) -> None:
    """What is nearly a secret, such as a mistyped one, is none of the log's business either."""
    hidden, root = scene.hidden, scene.identities.root
    token = scene.login(root)
    wrong = Person(unique_name("nobody"), hidden.add("a wrong client secret", secrets.token_urlsafe(32)))

    def form(**more: str) -> dict[str, str]:
        given = {"client_id": unique_name("nobody"), "client_secret": wrong.secret}
        return {"grant_type": "client_credentials", **given, **more}

    key = hidden.add("an unknown key", "bingsan_" + secrets.token_urlsafe(32))
    stranger = scene.token(".".join([*token.split(".")[:2], secrets.token_urlsafe(32)]))
    shown = [f"Bearer {stranger}", f"Bearer {key}", f"x-api-key {key}", basic(wrong), f"Token {key}", key]
    for text in [*shown, f"Bearer {stranger} {key}", "Basic " + key, f"Bearer {stranger[:-3]}"]:
        scene.refuse("GET", "/v1/config", headers={"Authorization": text})
        named = {"grant_type": "client_credentials", "client_id": unique_name("nobody")}
        scene.refuse("POST", TOKENS, data=named, headers={"Authorization": text})
    scene.refuse("GET", "/v1/config", headers={"X-API-Key": key})
    scene.refuse("GET", f"/v1/config?access_token={token}&client_secret={wrong.secret}&api_key={key}")
    scene.refuse("POST", TOKENS, data=form())
    scene.refuse("POST", TOKENS, data=form(client_id=root.name))
    scene.refuse("POST", TOKENS, json=form())
    scene.refuse("POST", f"{TOKENS}?client_secret={wrong.secret}", data={"client_id": wrong.name})
    scene.refuse("POST", TOKENS, data=form(grant_type=wrong.secret))
    scene.refuse("POST", TOKENS, data=form(scope=wrong.secret))
    scene.refuse("POST", TOKENS, data=f"client_secret={wrong.secret}&client_secret={wrong.secret}")
    for body in ({"client_secret": [wrong.secret]}, [wrong.secret]):
        scene.refuse("POST", TOKENS, json=body)
    broken = json.dumps(form())[:-1]
    scene.refuse("POST", TOKENS, data=broken, headers={"Content-Type": "application/json"})
    for subject in (stranger, key, wrong.secret):
        scene.refuse("POST", TOKENS, data=form(grant_type=EXCHANGE, subject_token=subject))


def come_from_elsewhere(scene: Scene, provider: Provider) -> None:
    """With tokens of an OpenID provider, good ones and others."""
    with Client(scene.server.url) as client:
        good = scene.token(provider.token())
        ok(client.get("/v1/config", headers={"Authorization": f"Bearer {good}"}))
    exchange = {"grant_type": EXCHANGE, "subject_token": good, "subject_token_type": JWT}
    scene.token(ok(scene.identities.ask(exchange))["access_token"])
    for claims in ({"aud": "others"}, {"exp": 1}, {"iss": "https://elsewhere"}, {"sub": None}):
        bad = scene.token(provider.token(**claims))
        scene.refuse("GET", "/v1/config", headers={"Authorization": f"Bearer {bad}"})
        scene.refuse(
            "POST", TOKENS, data={**exchange, "subject_token": bad, "client_id": unique_name("nobody")}
        )


def administer(scene: Scene) -> None:
    hidden, admin, identities = scene.hidden, scene.identities.admin, scene.identities
    body, headers = {"name": unique_name("p")}, {"Idempotency-Key": "6f0b7d3e-6f3c-4a39-9f3b-0a5d1c2b3e4f"}
    for _ in range(2):
        made = ok(admin.post(PRINCIPALS, json=body, headers=headers), 201)
        if "client-secret" in made:
            hidden.add("a client secret", made["client-secret"])
    headers = {"Idempotency-Key": headers["Idempotency-Key"].replace("6f0b", "6f0c")}
    rotated = ok(admin.post(f"{PRINCIPALS}/{body['name']}/rotate", headers=headers))
    person = Person(body["name"], hidden.add("a rotated client secret", rotated["client-secret"]))
    key = identities.key(person)
    hidden.add("an API key", key["key"].removeprefix("bingsan_"))
    newer = ok(admin.post(f"{KEYS}/{key['id']}/rotate"))
    hidden.add("a rotated API key", newer["key"].removeprefix("bingsan_"))
    for text in (key["key"], newer["key"]):
        ok(identities.with_token(text).get("/v1/config"))
    token = scene.login(person)
    no_content(admin.post("/management/v1/tokens/revoke", json={"token": token}))
    scene.refuse("GET", "/v1/config", headers={"Authorization": f"Bearer {token}"})
    no_content(admin.delete(f"{KEYS}/{key['id']}"))
    scene.refuse("GET", "/v1/config", headers={"Authorization": f"Bearer {newer['key']}"})
    ok(admin.get(KEYS, params={"include-deleted": "true"}))
    ok(admin.get(PRINCIPALS, params={"include-deleted": "true"}))
    no_content(admin.delete(f"{PRINCIPALS}/{person.name}"))


def put_secrets_where_they_do_not_belong(scene: Scene) -> None:
    """In bodies that are refused, in the User-Agent, in a path that is logged."""
    hidden, admin = scene.hidden, scene.identities.admin
    secret = hidden.add("a misplaced secret", secrets.token_urlsafe(32))
    token = scene.login(scene.identities.root)
    for path in (PRINCIPALS, KEYS, "/management/v1/tokens/revoke", "/v1/namespaces"):
        for body in (
            {"client-secret": secret},
            {"token": f"{token}x", "secret": secret},
            {"name": {"secret": secret}},
        ):
            scene.refuse_body(path, json=body)
        broken = f'{{"secret": "{secret}"'
        scene.refuse_body(path, data=broken, headers={"Content-Type": "application/json"})
    cut = "y" * 220 + " bingsan_" + hidden.add("a key that is cut", secrets.token_urlsafe(32))
    for agent in (cut, f"curl Bearer {token}", f"app token={secret}", f"x{'y' * 250}{token}", f"{token}"):
        name = unique_name("ns")
        ok(admin.post("/v1/namespaces", json={"namespace": [name]}, headers={"User-Agent": agent}))
    logged_only = "bingsan_" + secrets.token_urlsafe(32)
    headers = {"Authorization": admin.headers["Authorization"]}
    for text in (logged_only, token):
        scene.refuse("GET", f"/v1/namespaces/{text}?token={token}", headers=headers)
    # The answers of these two said to their sender what it had sent.
    del scene.exchanges[-2:]
    hidden.add("a key in a path", logged_only.removeprefix("bingsan_"))


def vend(scene: Scene) -> None:
    admin, hidden, namespace = scene.identities.admin, scene.hidden, unique_name("ns")
    ok(admin.post("/v1/namespaces", json={"namespace": [namespace]}))
    made = ok(
        admin.post(f"/v1/namespaces/{namespace}/tables", json=create_table_request("t"), headers=ASKING)
    )
    for answer in (made, ok(admin.get(table_path(namespace, "t"), headers=ASKING))):
        assert answer["config"]["s3.session-token"]
        keep_keys(hidden, answer)
    keep_keys(hidden, ok(admin.get(f"{table_path(namespace, 't')}/credentials", headers=ASKING)))
    ok(admin.post(table_path(namespace, "t"), json={"requirements": [], "updates": [set_properties(a="1")]}))
    no_content(admin.delete(f"{table_path(namespace, 't')}?purgeRequested=true"))


def keep_keys(hidden: Secrets, answer: dict[str, Any]) -> None:
    for config in (
        answer.get("config", {}),
        *(each["config"] for each in answer.get("storage-credentials", ())),
    ):
        for name in ("s3.secret-access-key", "s3.session-token"):
            if name in config:
                hidden.add(f"vended {name}", config[name])


def manage_warehouses(scene: Scene, minio: Minio) -> None:
    admin, hidden = scene.identities.admin, scene.hidden
    profile = s3_profile(minio, BUCKET)
    made = create(admin, profile)
    ok(admin.get(f"{WAREHOUSES}/{made['name']}"))
    wrong = s3_profile(minio, BUCKET)
    wrong["credentials"]["secret-access-key"] = hidden.add("a wrong key of the store", secrets.token_hex(20))
    assert try_create(admin, wrong).status_code == 400
    for value in (
        [wrong["credentials"]["secret-access-key"]],
        {"x": wrong["credentials"]["secret-access-key"]},
    ):
        odd = {**wrong, "credentials": {**wrong["credentials"], "secret-access-key": value}}
        scene.refuse_body(WAREHOUSES, json={"name": unique_name("w"), "storage-profile": odd})
    no_content(admin.delete(f"{WAREHOUSES}/{made['name']}"))


def sign(scene: Scene, minio: Minio) -> None:
    """Signatures are secrets for as long as they are good."""
    admin, hidden = scene.identities.admin, scene.hidden
    user = minio.add_user(BUCKET)
    keys = {
        "access-key-id": user.access_key,
        "secret-access-key": hidden.add("a signer's key", user.secret_key),
    }
    profile = {**s3_profile(minio, BUCKET, delegation=["remote-signing"]), "sts": {}}
    prefix = create(admin, {**profile, "credentials": {"type": "inline", **keys}})["prefix"]
    ok(admin.post(f"/v1/{prefix}/namespaces", json={"namespace": ["signed"]}))
    signed = Signed(admin, minio, new_table(admin, f"/v1/{prefix}/namespaces/signed"))
    for method, key in (("GET", "metadata/x"), ("PUT", "data/y"), ("DELETE", "data/y")):
        answer = ok(signed.ask(method, signed.uri(key)))
        headers = {name.lower(): ",".join(values) for name, values in answer["headers"].items()}
        hidden.add("a signature", headers["authorization"].rpartition("Signature=")[2])
        hidden.add("a signer's session", headers["x-amz-security-token"])
    forged = hidden.add("a forged signature", secrets.token_hex(32))
    headers = {"Authorization": [f"AWS4-HMAC-SHA256 Credential=x, Signature={forged}"]}
    elsewhere = f"{minio.endpoint}/{BUCKET}/elsewhere?X-Amz-Signature={forged}"
    for uri in (elsewhere, signed.uri("data/y", f"X-Amz-Signature={forged}&X-Amz-Security-Token={forged}")):
        body = {"region": minio.region, "uri": uri, "method": "GET", "headers": headers}
        scene.refuse_body(signed.route, json=body)


def test_log(scene: Scene) -> None:
    """Every line so far, of all processes of the node."""
    lines = scene.server.logs()
    assert {line["level"] for line in lines} >= {"DEBUG", "INFO", "WARN"}
    assert len([line for line in lines if line["msg"] == "request completed"]) > 80
    for path in (scene.server.stdout, scene.server.stderr):
        assert scene.hidden.traces_in(path.read_bytes()) == set()


def test_answers(scene: Scene) -> None:
    """Errors, and successes but those that hand something out."""
    judged = 0
    for exchange in scene.exchanges:
        handed_out = exchange.status < 400 and exchange.path.endswith(("/rotate", *HANDING_OUT))
        if not handed_out and not (exchange.status < 400 and "/tables" in exchange.path):
            text = exchange.answer.body + repr(dict(exchange.answer.headers)).encode()
            assert scene.hidden.traces_in(text) == set(), (exchange.method, exchange.target, exchange.status)
            judged += 1
    assert judged > 60


def test_figures(scene: Scene) -> None:
    with Client(scene.server.url) as client:
        text = client.get("/metrics").content
    assert b"bingsan_auth_failures_total" in text
    assert scene.hidden.traces_in(text) == set()


def test_rows(scene: Scene) -> None:
    """Every row of every table: changes, audit, idempotency keys, jobs, and where hashes of secrets are."""
    database = scene.server.database
    assert database is not None
    seen = 0
    for (table,) in database.query(ROWS):
        rows = database.query(f'SELECT row_to_json(t)::text FROM "{table}" AS t')
        seen += len(rows)
        text = "\n".join(row for (row,) in rows).encode()
        assert scene.hidden.traces_in(text) == set(), table
    assert seen > 100
    for table in ("changes", "audit_events", "idempotency_keys", "jobs", "client_secrets", "api_keys"):
        assert database.query(f"SELECT count(*) > 0 FROM {table}") == [(True,)], table


def test_files_and_processes(scene: Scene) -> None:
    """What the node keeps in its folder, and what everybody on the machine may see of its processes."""
    files = [path for path in scene.server.home.rglob("*") if path.is_file()]
    for path in files:
        assert scene.hidden.traces_in(path.read_bytes()) == set(), path
    pids = scene.server.pids()
    assert len(pids) > 2
    for pid in pids:
        assert scene.hidden.traces_in(Path(f"/proc/{pid}/cmdline").read_bytes()) == set()


def test_shown_settings(scene: Scene) -> None:
    shown = scene.server.cli("config", "show")
    assert "auth.signing_key" in shown.out
    assert scene.hidden.traces_in((shown.out + shown.err).encode()) == set()


def test_faults_of_the_database(scene: Scene, postgres: Postgres) -> None:
    """Errors of connections know the password."""
    with postgres.paused():
        assert scene.identities.admin.get("/v1/namespaces").status_code == 503
    text = scene.server.stdout.read_bytes() + scene.server.stderr.read_bytes()
    assert scene.hidden.traces_in(text) == set()


def test_the_search_finds_what_there_is(scene: Scene) -> None:
    secret = secrets.token_urlsafe(32)
    hidden = Secrets()
    hidden.add("it", secret)
    for text in (secret, secret[7:20], basic(Person("anna", secret)), secret.encode().hex(), f"x={secret}y"):
        assert hidden.traces_in(f"before {text} behind".encode()) == {"it"}, text
    assert hidden.traces_in(os.urandom(10_000)) == set()
    assert hidden.traces_in(base64.b64encode(os.urandom(10_000))) == set()
