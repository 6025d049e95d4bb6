"""Everything that can be done with secrets on one server, rightly and wrongly, and what must stay secret then."""

import json
import secrets
from typing import Any

import requests

from tests.contract.calls import no_content, ok, table_path
from tests.contract.managed import WAREHOUSES, create, s3_profile, try_create
from tests.contract.signing.signed import Signed, new_table
from tests.factories import create_table_request, set_properties, unique_name
from tests.support.exchanges import Exchange
from tests.support.identities import EXCHANGE, KEYS, PRINCIPALS, TOKENS, Identities, Person, basic
from tests.support.minio import Minio
from tests.support.provider import Provider
from tests.support.secrecy import Secrets
from tests.support.server import Client, TestServer

BUCKET = "secrecy"
JWT = "urn:ietf:params:oauth:token-type:jwt"
ASKING = {"X-Iceberg-Access-Delegation": "vended-credentials"}


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
    form = {"grant_type": "client_credentials", "client_id": person.name, "client_secret": person.secret}
    scene.token(ok(scene.identities.ask(form, {"Authorization": basic(person)}))["access_token"])
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
