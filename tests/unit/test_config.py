"""The configuration as a user meets it: sources, precedence, and every fault at once."""

from pathlib import Path

import pytest

from app.config import ConfigurationError, Settings, superseded
from app.config.kinds import Duration, Size, show_duration, show_size
from app.config.options import options

DATABASE = {"ICEBERG_DATABASE_HOST": "db.example"}
KEY = "q83vEjRWeJq83gEjRWeJCrze8BI0VniJq7zd7g8PHy4="
OAUTH2 = {"auth__enabled": True, "auth__oauth2__enabled": True, "auth__signing_key": KEY}


@pytest.fixture(autouse=True)
def working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def faults(path=None, environ=DATABASE, **overrides):
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(path, environ, **overrides)
    return {fault.key: str(fault) for fault in caught.value.faults}


def write(text: str, path: str = "config.yaml") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_only_the_database_is_needed(tmp_path):
    settings = Settings.load(environ=DATABASE)
    assert settings.server.host == "127.0.0.1"
    assert settings.server.port == 8181
    assert settings.home == str(tmp_path / ".bingsan")
    assert settings.storage.warehouse == f"file://{tmp_path}/.bingsan/warehouse"
    assert settings.origin("server.port") == "default"
    assert settings.origin("database.host") == "env ICEBERG_DATABASE_HOST"


def test_without_a_database_it_is_a_fault():
    assert "no database is configured" in faults(environ={})["database.host"]


def test_seven_faults_are_reported_at_once_with_key_value_form_and_source():
    file = write(
        "server: {prot: 8181, port: 99999, keep_alive: 5 parsecs, tls: {enabled: true}}\n"
        "storage: {type: ftp}\n"
        "auth: {enabled: true}\n"
    )
    found = faults()
    source = f"from file {file.absolute()}"
    assert set(found) == {
        "server.prot",
        "server.port",
        "server.keep_alive",
        "server.tls.cert_file",
        "server.tls.key_file",
        "storage.type",
        "auth.enabled",
    }
    assert found["server.prot"] == f"server.prot: unknown key, did you mean server.port? ({source})"
    expected = "expected an integer from 0 to 65535"
    assert found["server.port"] == f"server.port: out of range (got 99999; {expected}; {source})"
    assert "'5 parsecs'" in found["server.keep_alive"]
    assert "local, s3" in found["storage.type"]
    assert "nothing is accepted that shows who somebody is" in found["auth.enabled"]
    assert "needed for server.tls.enabled" in found["server.tls.cert_file"]


def test_environment_wins_over_the_file_and_an_argument_over_both():
    write("server: {port: 1001, workers: 3}\ndatabase: {host: a}\n")
    settings = Settings.load(environ={"ICEBERG_SERVER_PORT": "1002"})
    assert (settings.server.port, settings.server.workers, settings.database.host) == (1002, 3, "a")
    assert settings.origin("server.port") == "env ICEBERG_SERVER_PORT"
    assert settings.origin("server.workers").startswith("file ")
    assert Settings.load(environ={"ICEBERG_SERVER_PORT": "1002"}, server__port=0).server.port == 0


def test_the_file_is_searched_in_the_working_folder_then_in_home(tmp_path):
    home = tmp_path / "elsewhere"
    write("database: {host: in-home}\n", f"{home}/.iceberg-catalog/config.yaml")
    assert Settings.load(environ={"HOME": str(home)}).database.host == "in-home"
    write("database: {host: here}\n")
    assert Settings.load(environ={"HOME": str(home)}).database.host == "here"


def test_a_named_file_is_taken_and_must_exist():
    named = write("database: {host: named}\n", "other.yaml")
    assert Settings.load(environ={"ICEBERG_CONFIG": str(named)}).database.host == "named"
    assert "no such file" in faults(environ=DATABASE | {"ICEBERG_CONFIG": "missing.yaml"})["config"]


def test_an_empty_variable_counts_as_absent():
    assert Settings.load(environ=DATABASE | {"ICEBERG_SERVER_PORT": ""}).server.port == 8181


def test_an_unknown_variable_is_a_warning():
    settings = Settings.load(environ=DATABASE | {"ICEBERG_SERVER_PROT": "1"})
    assert settings.warnings == ("ICEBERG_SERVER_PROT: unknown variable, did you mean ICEBERG_SERVER_PORT?",)


@pytest.mark.parametrize(
    "text",
    ["database: {password: [hunter2]}", "database: {pasword: hunter2}", "database: hunter2", "a: b: hunter2"],
)
def test_no_fault_shows_a_secret(text):
    write(text + "\n")
    assert "hunter2" not in "\n".join(faults().values())


def test_a_key_written_twice_is_a_fault():
    write("server:\n  port: 1\n  port: 2\n")
    assert "port is written twice at line 2" in faults()["config"]


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::", "catalog.example"])
def test_other_machines_are_let_in_only_on_request(host):
    assert "allow_unauthenticated=true" in faults(server__host=host)["server.host"]
    settings = Settings.load(environ=DATABASE, server__host=host, server__allow_unauthenticated=True)
    assert settings.server.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_permission(host):
    assert Settings.load(environ=DATABASE, server__host=host).server.host == host


def test_embedded_and_configured_database_exclude_each_other():
    assert "database.host" in faults(database__embedded=True)
    assert Settings.load(environ={}, database__embedded="true").database.embedded


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        ({"storage__type": "s3"}, "storage.warehouse"),
        ({"storage__warehouse": "s3://bucket"}, "storage.warehouse"),
        ({"storage__s3__access_key_id": "a"}, "storage.s3.secret_access_key"),
        ({"storage__s3__endpoint": "localhost:9000"}, "storage.s3.endpoint"),
        ({"storage__timeout": "20s"}, "storage.timeout"),
        ({"database__max_open_conns": 3}, "database.max_open_conns"),
        ({"database__ssl_root_cert": "/nowhere"}, "database.ssl_root_cert"),
        ({"server__shutdown_delay": "31s"}, "server.shutdown_delay"),
        ({"server__workers": 0}, "server.workers"),
        ({"server__port": True}, "server.port"),
        ({"testing__failpoints": "x=kill"}, "testing.failpoints"),
        ({"testing__failpoints": "x=boom", "testing__enabled": True}, "testing.failpoints"),
        ({"testing__failpoints": "x=hold:folder", "testing__enabled": True}, "testing.failpoints"),
        ({"limits__max_url_length": "32KiB"}, "limits.max_url_length"),
        ({"jobs__heartbeat_interval": "20s"}, "jobs.heartbeat_interval"),
        ({"catalog__idempotency_key_lifetime": "37h"}, "sweep.grace_period"),
        ({"catalog__default_warehouse": "a/b"}, "catalog.default_warehouse"),
        ({"catalog__prefix": "x"}, "catalog.prefix"),
        ({"server__trusted_proxies": "10.0.0.1/8"}, "server.trusted_proxies"),
        ({"server__trusted_proxies": "proxy.example"}, "server.trusted_proxies"),
        ({"metrics__allowed_addresses": "prometheus"}, "metrics.allowed_addresses"),
        ({"server__cors_origins": "console.example"}, "server.cors_origins"),
        ({"server__cors_origins": "https://console.example/"}, "server.cors_origins"),
        ({"server__cors_origins": "*,https://a"}, "server.cors_origins"),
        ({"server__cors_origins": "*", "server__cors_credentials": True}, "server.cors_credentials"),
        ({"auth__enabled": True}, "auth.enabled"),
        ({"auth__enabled": True, "auth__oauth2__enabled": True}, "auth.signing_key"),
        ({**OAUTH2, "auth__signing_key": "your-signing-key"}, "auth.signing_key"),
        ({**OAUTH2, "auth__signing_key": f"{KEY},{'A' * 43}="}, "auth.signing_key"),
        ({**OAUTH2, "auth__oauth2__client_id": "root"}, "auth.oauth2.client_secret"),
        ({**OAUTH2, "auth__oauth2__client_secret": "x" * 16}, "auth.oauth2.client_id"),
        (
            {**OAUTH2, "auth__oauth2__client_id": "root", "auth__oauth2__client_secret": "changeme"},
            "auth.oauth2.client_secret",
        ),
        ({**OAUTH2, "auth__token_expiry": "500ms"}, "auth.token_expiry"),
    ],
)
def test_settings_that_do_not_fit_together(overrides, key):
    assert list(faults(**overrides)) == [key]


def test_what_can_be_set_is_not_called_superseded():
    assert superseded.KEYS & {option.key for option in options(Settings)} == set()


def test_keys_of_the_go_version_that_do_nothing_are_warnings():
    write(
        "server: {debug: true, idle_timeout: 90s}\npool: {buffer_max_size: 9}\n"
        "auth: {enabled: false, oauth2: {enabled: false, client_id: x, issuer: y}}\nstorage: {gcs: {bucket: ''}}\n"
    )
    settings = Settings.load(environ=DATABASE)
    assert settings.server.keep_alive == 90.0
    assert {line.partition(":")[0] for line in settings.warnings} == {
        "server.debug",
        "pool.buffer_max_size",
        "auth.oauth2.issuer",
        "storage.gcs.bucket",
    }


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [("30s", 30), ("100ms", 0.1), ("1h30m", 5400), ("1.5h", 5400), ("0", 0), (0, 0), ("1m0.5s", 60.5)],
)
def test_durations_in_go_notation(raw, seconds):
    assert Duration().parse(raw) == seconds


@pytest.mark.parametrize("raw", ["30", 30, "s", "-1s", "1 s", "1d", "", None, True, [], "1h-30m"])
def test_what_is_no_duration(raw):
    with pytest.raises(ValueError, match="not a duration"):
        Duration().parse(raw)


@pytest.mark.parametrize(
    ("raw", "size"), [("64MiB", 2**26), ("16KiB", 16384), (5, 5), ("1GB", 10**9), ("7", 7)]
)
def test_sizes(raw, size):
    assert Size().parse(raw) == size


def test_shown_values_are_read_back_equal():
    for option in options(Settings):
        if option.default not in ("", ()):
            assert option.kind.parse(option.show(option.default)) == option.default
    assert show_duration(5400.5) == "1h30m0.5s"
    assert show_size(2**30) == "1GiB"


PASSWORD_FILE = "ICEBERG_DATABASE_PASSWORD_FILE"


@pytest.mark.parametrize("written", ["hunter2", "hunter2\n", "hunter2\r\n"])
def test_a_secret_in_a_file(tmp_path, written):
    secret = tmp_path / "secret"
    secret.write_bytes(written.encode())
    settings = Settings.load(environ=DATABASE | {PASSWORD_FILE: str(secret)})
    assert settings.database.password == "hunter2"
    assert settings.origin("database.password") == f"file {secret}, named by env {PASSWORD_FILE}"
    file = write(f"database: {{host: a, password_file: {secret}}}\n")
    settings = Settings.load(environ={})
    assert settings.database.password == "hunter2"
    assert settings.origin("database.password") == f"file {secret}, named by file {file.absolute()}"


def test_only_one_line_end_is_left_out(tmp_path):
    (tmp_path / "secret").write_text(" spaces count \n\n")
    found = faults(environ=DATABASE | {PASSWORD_FILE: str(tmp_path / "secret")})
    assert "not one line of text" in found["database.password"]
    assert "spaces" not in "".join(found.values())


def test_a_secret_and_its_file_in_one_place_are_a_fault(tmp_path):
    (tmp_path / "secret").write_text("hunter2")
    both = {PASSWORD_FILE: str(tmp_path / "secret"), "ICEBERG_DATABASE_PASSWORD": "hunter3"}
    found = faults(environ=DATABASE | both)
    assert list(found) == [PASSWORD_FILE]
    assert "ICEBERG_DATABASE_PASSWORD is given too" in found[PASSWORD_FILE]
    assert "hunter" not in found[PASSWORD_FILE]


def test_a_secret_in_a_file_of_the_environment_wins_over_the_configuration_file(tmp_path):
    (tmp_path / "secret").write_text("hunter2")
    write("database: {host: a, password: hunter3}\n")
    assert Settings.load(environ={PASSWORD_FILE: "secret"}).database.password == "hunter2"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file or directory"),
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\xff\xfe", "not text"),
        (b"x" * (2**20 + 1), "too large"),
    ],
)
def test_a_secret_that_cannot_be_read_is_a_fault(tmp_path, content, problem):
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_bytes(content)
    found = faults(environ=DATABASE | {PASSWORD_FILE: str(secret)})
    assert list(found) == [PASSWORD_FILE]
    assert f"cannot be read: {problem}" in found[PASSWORD_FILE]
    assert str(secret) in found[PASSWORD_FILE]


def test_every_secret_can_lie_in_a_file(tmp_path):
    (tmp_path / "secret").write_text("a secret")
    for option in options(Settings):
        if option.kind.secret:
            lying = outcome(option.key, {f"{option.variable}_FILE": "secret"})
            assert lying == outcome(option.key, {option.variable: "a secret"})


def outcome(key, environ):
    """The value of a setting, or what the rules say about it."""
    try:
        return Settings.load(environ=DATABASE | environ).value(key)
    except ConfigurationError as error:
        return {fault.key: fault.problem for fault in error.faults}


def test_only_secrets_can_lie_in_files(tmp_path):
    settings = Settings.load(environ=DATABASE | {"ICEBERG_SERVER_HOST_FILE": "x"})
    assert "ICEBERG_SERVER_HOST_FILE: unknown variable" in settings.warnings[0]
