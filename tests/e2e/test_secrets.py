"""Secrets stay where they were put: in files, never on a command line, in an answer or in a log line."""

import base64
from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.support.minio import Minio
from tests.support.postgres import DatabaseAddress
from tests.support.proc import command_line
from tests.support.server import TestServer
from tests.support.warehouses import S3Warehouse

SEALING = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


@pytest.fixture
def guarded(make_server: MakeServer, database: DatabaseAddress, minio: Minio, tmp_path: Path):
    """A node all of whose secrets lie in files."""
    secrets = {
        "database_password": database.password,
        "secrets_key": SEALING,
        "storage_s3_secret_access_key": minio.secret_key,
    }
    for name, secret in secrets.items():
        (tmp_path / name).write_text(secret + "\n")
    warehouse = S3Warehouse(minio, minio.create_bucket("secrets"), "of-files")
    env = {f"ICEBERG_{name.upper()}_FILE": str(tmp_path / name) for name in secrets}
    env |= {f"ICEBERG_{name.upper()}": "" for name in secrets}  # an empty variable counts as absent
    with make_server(warehouse, database, env=env) as running:
        yield running, list(secrets.values())


def test_secrets_stay_in_their_files(guarded: tuple[TestServer, list[str]]):
    server, secrets = guarded
    with server.client() as client:
        assert client.post("/v1/namespaces", json={"namespace": ["hidden"]}).status_code == 200
        answers = [client.get(path).text for path in ("/v1/config", "/openapi.json", "/metrics", "/nowhere")]
    pids = server.pids()
    assert len(pids) >= 5
    lines = [command_line(pid) for pid in pids]
    assert any("gunicorn" in line for line in lines)
    environments = [Path(f"/proc/{pid}/environ").read_text() for pid in pids]
    shown = [
        server.cli("config", *words).out for words in (["show"], ["show", "--format", "json"], ["check"])
    ]
    assert "***" in shown[0]
    logs = server.stdout.read_text() + server.stderr.read_text()
    for secret in secrets:
        for text in [*answers, *lines, *environments, *shown, logs]:
            assert secret not in text
