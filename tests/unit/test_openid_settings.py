"""How OpenID providers are configured, and what is refused."""

import json
from pathlib import Path

import pytest

from app.config import ConfigurationError, Settings

DATABASE = {"ICEBERG_DATABASE_HOST": "db.example"}
PREFIX = "ICEBERG_AUTH_OPENID_"
LIST = "auth.openid.providers"


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def variables(**values: str) -> dict[str, str]:
    return DATABASE | {PREFIX + name.upper(): value for name, value in values.items()}


def faults(**values: str) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(environ=variables(**values))
    return {fault.key: str(fault) for fault in caught.value.faults}


def fault_of_one(**values: str) -> dict[str, str]:
    given = {"issuer": "https://login.example", "audience": "catalog", **values}
    return {key.removeprefix("auth.openid."): text for key, text in faults(**given).items()}


def test_nothing_configured_is_no_provider() -> None:
    assert Settings.load(environ=DATABASE).auth.openid.all() == {}


def test_one_provider_in_variables() -> None:
    settings = Settings.load(
        environ=variables(issuer="https://login.example", audience="a, b", role_mapping="x=y")
    )
    [(key, provider)] = settings.auth.openid.all().items()
    assert key == "auth.openid"
    assert (provider.name, provider.audience, provider.role_mapping) == ("openid", ("a", "b"), ("x=y",))
    assert provider.algorithms == ("RS256", "ES256")
    assert provider.clock_skew == 60


FILE = """
auth:
  openid:
    issuer: https://login.example
    audience: catalog
    providers:
      - name: dex
        issuer: https://dex.example
        audience: [catalog, lake]
        roles_claim: groups
        role_mapping: ["cn=admins,dc=example=administrator"]
        keys_refresh: 1m
      - {name: kubernetes, type: kubernetes, audience: bingsan, jwks_url: "https://eks.example/keys"}
"""


def test_list_of_providers_in_the_file() -> None:
    Path("config.yaml").write_text(FILE)
    providers = Settings.load(environ=DATABASE).auth.openid.all()
    assert list(providers) == ["auth.openid", f"{LIST}[0]", f"{LIST}[1]"]
    _, dex, cluster = providers.values()
    assert (dex.name, dex.audience, dex.keys_refresh) == ("dex", ("catalog", "lake"), 60)
    assert cluster.issuer == "https://kubernetes.default.svc.cluster.local"
    # Keys of another place are none of the cluster's business: its token is not sent there.
    assert (cluster.ca_file, cluster.token_file) == ("", "")


def test_list_of_providers_in_a_variable() -> None:
    items = [{"name": "dex", "issuer": "https://dex.example", "audience": ["catalog"]}]
    [provider] = Settings.load(environ=variables(providers=json.dumps(items))).auth.openid.all().values()
    assert provider.name == "dex"


def test_cluster_is_asked_with_its_own_files() -> None:
    found = faults(type="kubernetes", audience="bingsan")
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"
    assert f"{folder}/ca.crt" in found["auth.openid.ca_file"]
    assert f"{folder}/token" in found["auth.openid.token_file"]
    assert set(found) == {"auth.openid.ca_file", "auth.openid.token_file"}


def test_all_faults_of_a_list_at_once() -> None:
    items = [
        {"name": "a:b", "audiences": ["x"], "clock_skew": "1h"},
        "login.example",
        {"issuer": "https://b.example", "audience": 7, "algorithms": ["HS256"]},
    ]
    found = faults(providers=json.dumps(items))
    assert set(found) == {
        *(f"{LIST}[0].{member}" for member in ("name", "issuer", "audience", "audiences", "clock_skew")),
        f"{LIST}[1]",
        *(f"{LIST}[2].{member}" for member in ("audience", "algorithms")),
    }
    assert "not a list of strings" in found[f"{LIST}[2].audience"]
    assert "did you mean audience?" in found[f"{LIST}[0].audiences"]
    assert all(f"from env {PREFIX}PROVIDERS" in text for text in found.values())


def test_all_faults_of_a_provider_at_once() -> None:
    item = {
        "name": "a:b",
        "issuer": "http://login.example",
        "jwks_url": "https://user:hush@login.example/keys",
        "discovery_url": "https://login.example/?tenant=1",
        "algorithms": ["RS256", "HS256", "none"],
        "role_mapping": ["admins"],
        "required_claims": ["=x"],
        "ca_file": "/nowhere/ca.pem",
        "keys_refresh": "2h",
        "keys_keep": "1h",
        "subject_claim": "",
        "token_types": [],
    }
    found = faults(providers=json.dumps([item]))
    members = {*item, "audience"}
    assert set(found) == {f"{LIST}[0].{member}" for member in members - {"keys_refresh"}}
    assert "HS256" in found[f"{LIST}[0].algorithms"] or "none" in found[f"{LIST}[0].algorithms"]
    assert "hush" not in "\n".join(found.values())


@pytest.mark.parametrize("algorithm", ["HS256", "HS512", "none", "None", "ES256K", "rs256", "A128KW"])
def test_only_key_pairs(algorithm: str) -> None:
    assert "not one with a key pair" in fault_of_one(algorithms=algorithm)["algorithms"]


def test_unencrypted_only_on_this_machine_or_when_permitted() -> None:
    assert "unencrypted" in fault_of_one(issuer="http://login.example")["issuer"]
    for given in (
        {"issuer": "http://127.0.0.1:8080"},
        {"issuer": "http://login.example", "allow_http": "true"},
    ):
        assert Settings.load(environ=variables(audience="x", **given)).auth.openid.issuer == given["issuer"]


@pytest.mark.parametrize(
    "url", ["login.example", "ftp://login.example", "https://", "https://a b", "https://[x"]
)
def test_what_is_no_url(url: str) -> None:
    assert "not a URL" in fault_of_one(issuer=url)["issuer"]


def test_names_and_issuers_are_different() -> None:
    items = [
        {"name": name, "issuer": f"https://{host}", "audience": "x"}
        for name, host in (("a", "x"), ("a", "x"))
    ]
    found = faults(providers=json.dumps(items))
    assert set(found) == {f"{LIST}[{index}].{member}" for index in (0, 1) for member in ("name", "issuer")}
    assert "another provider has the same" in found[f"{LIST}[0].name"]
