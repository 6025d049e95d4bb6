"""No secret is in anything the service lets out: log, figures, rows, files, arguments of processes, answers.

One server with everything on, its log at the lowest level, is used in all ways that touch secrets, rightly and wrongly.
"""

import base64
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.contract.managed import Grounds
from tests.contract.secrecy import BUCKET, Scene, use
from tests.support.exchanges import OBSERVERS
from tests.support.identities import KEYS, PRINCIPALS, TOKENS, Identities, Person, basic, secured_settings
from tests.support.minio import Minio
from tests.support.postgres import Postgres
from tests.support.provider import Provider
from tests.support.secrecy import Secrets
from tests.support.server import Client
from tests.support.warehouses import VendingWarehouse

# Whose answers hold what they were asked for.
HANDING_OUT = (TOKENS, PRINCIPALS, KEYS, "/v1/api-keys", "/tables", "/credentials", "/sign")
ROWS = """SELECT table_name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"""
"""Of partitioned tables too: the parent shows what is in all parts."""


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
