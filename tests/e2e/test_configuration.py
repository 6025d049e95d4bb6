"""A node that must not start says why, all at once, and leaves the port alone."""

import json
import socket
import time

import pytest

from tests.support.postgres import DatabaseAddress
from tests.support.process import free_port
from tests.support.server import Outcome, TestServer
from tests.support.warehouses import LocalWarehouse

SEVEN_FAULTS = """
server: {prot: 8181, port: 99999, keep_alive: 5 parsecs, tls: {enabled: true}}
storage: {type: ftp}
auth: {enabled: true}
database: {host: db.example, password: [hunter2]}
"""
FAULTY = {
    "server.prot",
    "server.port",
    "server.keep_alive",
    "server.tls.cert_file",
    "server.tls.key_file",
    "storage.type",
    "auth.enabled",
}


@pytest.fixture
def node():
    """A node that is only configured."""
    server = TestServer(LocalWarehouse())
    yield server
    server.warehouse.remove()
    server.remove()


def lines_by_key(outcome: Outcome) -> dict[str, str]:
    return {line.partition(":")[0]: line for line in outcome.err.splitlines()}


def accepts_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("command", [["serve"], ["migrate"], ["config", "check"], ["config", "show"]])
def test_every_command_reports_all_faults_and_exits_78(node: TestServer, command: list[str]):
    (node.folder / "config.yaml").write_text(SEVEN_FAULTS)
    environment = {name: "" for name in node.environment() if name.startswith("ICEBERG_")}
    began = time.monotonic()
    outcome = node.cli(*command, env=environment)
    assert time.monotonic() - began < 5
    assert outcome.code == 78
    assert outcome.out == ""
    lines = lines_by_key(outcome)
    assert set(lines) == FAULTY | {"database.password"}
    assert f"from file {node.folder}/config.yaml" in lines["server.port"]
    assert "99999" in lines["server.port"]
    assert "hunter2" not in outcome.err


def test_faults_as_json(node: TestServer):
    outcome = node.cli("config", "check", "--format", "json", env={"ICEBERG_SERVER_PORT": "x"})
    assert outcome.code == 78
    faults = {fault["key"]: fault for fault in json.loads(outcome.out)["faults"]}
    assert faults["server.port"]["got"] == "'x'"
    assert faults["server.port"]["source"] == "env ICEBERG_SERVER_PORT"


def test_plain_gunicorn_reports_the_same_and_never_listens(node: TestServer):
    node.entry = "gunicorn"
    node.start(auth__enabled=True)
    assert node.process is not None
    assert node.process.wait(20) == 78
    assert "auth.enabled: nothing is accepted that shows who somebody is" in node.stderr.read_text()
    assert not accepts_connections(node.port)


def test_a_node_without_a_database_does_not_start(node: TestServer):
    outcome = node.cli("serve")
    assert outcome.code == 78
    assert "database.host: no database is configured" in outcome.err
    assert not accepts_connections(node.port)


def test_other_machines_are_not_let_in_by_accident(node: TestServer, database: DatabaseAddress):
    node.database = database
    outcome = node.cli("serve", env={"ICEBERG_SERVER_HOST": "0.0.0.0"})
    assert outcome.code == 78
    assert "server.allow_unauthenticated=true" in outcome.err


def test_a_malformed_location_is_a_configuration_fault(node: TestServer, database: DatabaseAddress):
    node.database = database
    malformed = {"ICEBERG_STORAGE_ALLOWED_LOCATIONS": "s3://fine,file:///a/../b"}
    for command in (["serve"], ["migrate"], ["config", "check"]):
        outcome = node.cli(*command, env=malformed)
        assert outcome.code == 78, outcome
        assert lines_by_key(outcome).keys() == {"storage.allowed_locations"}


def test_show_masks_secrets_and_names_sources(node: TestServer):
    environment = {"ICEBERG_DATABASE_HOST": "db.example", "ICEBERG_DATABASE_PASSWORD": "hunter2"}
    for form in ("text", "json"):
        outcome = node.cli("config", "show", "--format", form, env=environment)
        assert outcome.code == 0
        assert "hunter2" not in outcome.out
    shown = json.loads(outcome.out)
    assert shown["database.password"] == {"value": "***", "source": "env ICEBERG_DATABASE_PASSWORD"}
    assert shown["server.host"] == {"value": "127.0.0.1", "source": "default"}


def test_an_unreachable_database_ends_with_7_and_names_host_and_port(node: TestServer):
    port = free_port()
    node.database = DatabaseAddress("127.0.0.1", port, "iceberg", "hunter2", "nothing")
    for command in ("serve", "migrate"):
        outcome = node.cli(command, env={"ICEBERG_DATABASE_STARTUP_TIMEOUT": "500ms"})
        assert outcome.code == 7, outcome
        assert f"127.0.0.1:{port}" in outcome.err
        assert "hunter2" not in outcome.err
        assert "Traceback" not in outcome.err
    assert not accepts_connections(node.port)


def test_migrations_are_checked_then_applied_then_complete(node: TestServer, postgres):
    node.database = postgres.create_database()
    assert node.cli("migrate", "--check").code == 1
    assert node.cli("migrate").code == 0
    assert node.cli("migrate", "--check").code == 0
    postgres.drop(node.database)


def test_a_taken_port_is_named(node: TestServer, database: DatabaseAddress):
    node.database = database
    with socket.create_server(("127.0.0.1", node.port)):
        outcome = node.cli("serve")
    assert outcome.code == 1
    assert f"cannot listen on 127.0.0.1:{node.port}" in outcome.err


def test_usage_errors_exit_2(node: TestServer):
    assert node.cli("srve").code == 2
    assert node.cli("serve", "--nonsense").code == 2


def test_version(node: TestServer):
    outcome = node.cli("version", "--format", "json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["version"]


PROVIDERS = """
database: {host: db.example}
auth:
  enabled: true
  openid:
    name: corp
    issuer: https://login.example
    audience: bingsan
    providers:
      - {name: corp, issuer: http://dex.example, audience: bingsan, algorithms: [HS256]}
      - {name: cluster, type: kubernetes, roles_map: [a=b]}
"""


def test_faults_of_each_provider_name_its_place(node: TestServer):
    (node.folder / "config.yaml").write_text(PROVIDERS)
    environment = {name: "" for name in node.environment() if name.startswith("ICEBERG_")}
    outcome = node.cli("config", "check", "--format", "json", env=environment)
    assert outcome.code == 78
    file = f"file {node.folder}/config.yaml"
    assert {(fault["key"], fault["source"]) for fault in json.loads(outcome.out)["faults"]} == {
        (f"auth.openid.{key}", source)
        for key, source in {
            "name": file,
            "providers[0].name": file,
            "providers[0].issuer": file,
            "providers[0].algorithms": file,
            "providers[1].roles_map": file,
            "providers[1].audience": file,
            "providers[1].ca_file": file,
            "providers[1].token_file": file,
        }.items()
    }


def test_configured_providers_are_shown(node: TestServer):
    (node.folder / "config.yaml").write_text(
        PROVIDERS.partition("    providers:")[0]
        + "    providers: [{name: dex, issuer: 'https://d', audience: b}]\n"
    )
    environment = {name: "" for name in node.environment() if name.startswith("ICEBERG_")}
    outcome = node.cli("config", "show", "--format", "json", env=environment)
    assert outcome.code == 0, outcome.err
    shown = json.loads(outcome.out)
    assert shown["auth.openid.issuer"]["value"] == "https://login.example"
    assert shown["auth.openid.providers"]["value"] == "dex"
