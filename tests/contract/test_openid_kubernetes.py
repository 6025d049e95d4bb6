"""Service accounts of a Kubernetes cluster: the keys are behind TLS of its own authority, and only for its accounts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.contract.calls import ok
from tests.contract.rights import ROLES, WAREHOUSE, grant
from tests.support.certificates import Authority
from tests.support.identities import Identities, secured_settings
from tests.support.process import eventually
from tests.support.provider import Provider
from tests.support.server import TestServer

ISSUER = "https://kubernetes.default.svc.cluster.local"
LOADER = "system:serviceaccount:etl:loader"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "cluster")


@pytest.fixture
def cluster(authority: Authority) -> Iterator[Provider]:
    """What stands for the API server."""
    with Provider(authority.issue("apiserver"), authority.file) as running:
        running.require("first pod token")
        yield running


@pytest.fixture
def pod_token(tmp_path: Path) -> Path:
    """The file of the catalog's own service account."""
    file = tmp_path / "token"
    file.write_text("first pod token\n")
    return file


def settings(cluster: Provider, ca_file: Path, token_file: Path) -> dict[str, Any]:
    given = {
        "name": "kubernetes",
        "type": "kubernetes",
        "audience": "bingsan",
        "jwks_url": f"{cluster.url}/openid/v1/jwks",
        "ca_file": ca_file,
        "token_file": token_file,
        "role_mapping": f"{LOADER}=writer,system:serviceaccounts:reports=reader",
        "keys_refresh": "1s",
    }
    return secured_settings() | {f"auth.openid.{name}": value for name, value in given.items()}


def account(cluster: Provider, namespace: str, name: str, **claims: Any) -> str:
    """Return a token as the API server projects it into a pod."""
    about = {"namespace": namespace, "serviceaccount": {"name": name, "uid": "9c5f"}, "pod": {"name": "p-0"}}
    subject = f"system:serviceaccount:{namespace}:{name}"
    given = {"iss": ISSUER, "aud": ["bingsan"], "kubernetes.io": about, **claims}
    return cluster.token(subject, **given)


def create(server: TestServer, name: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    with server.client() as client:
        return client.post("/v1/namespaces", json={"namespace": [name]}, headers=headers).status_code


def test_service_account_may_what_its_role_may(
    make_server: MakeServer, cluster: Provider, authority: Authority, pod_token: Path
) -> None:
    with make_server(settings=settings(cluster, authority.file, pod_token)) as server:
        admin = Identities(server).admin
        for role, privilege in (("writer", "create"), ("reader", "list")):
            ok(admin.post(ROLES, json={"name": role}), 201)
            grant(admin, WAREHOUSE, f"role:{role}", privilege)
        assert create(server, "a", account(cluster, "etl", "loader")) == 200
        assert create(server, "b", account(cluster, "reports", "loader")) == 403
        assert create(server, "c", account(cluster, "other", "loader")) == 404  # sees no warehouse
        assert create(server, "d", account(cluster, "etl", "loader", aud="other")) == 401
        names = [each["name"] for each in ok(admin.get("/management/v1/principals"))["principals"]]
        assert f"kubernetes:{LOADER}" in names
        cluster.require("second pod token")
        pod_token.write_text("second pod token\n")
        cluster.withdraw(cluster.rotate())
        assert create(server, "e", account(cluster, "etl", "loader")) == 200


def test_authority_of_somebody_else_is_not_believed(
    make_server: MakeServer, cluster: Provider, pod_token: Path, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger")
    with make_server(settings=settings(cluster, stranger.file, pod_token)) as server:
        assert create(server, "a", account(cluster, "etl", "loader")) == 503
        eventually(lambda: "CERTIFICATE_VERIFY_FAILED" in str(server.logs()), 10, "the log has the reason")
        assert cluster.asked_for_keys() == 0
