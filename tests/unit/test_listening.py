"""Where a node listens, and what it says about it."""

import pytest

from app.cli.screen import access, credential
from app.config import ConfigurationError, Settings

DATABASE = {"ICEBERG_DATABASE_HOST": "db.example"}
SIGNING = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
AUTH = DATABASE | {
    "ICEBERG_AUTH_ENABLED": "true",
    "ICEBERG_AUTH_API_KEY_ENABLED": "true",
    "ICEBERG_AUTH_SIGNING_KEY": SIGNING,
}


@pytest.fixture(autouse=True)
def working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def warned(settings):
    return [line.partition(":")[0] for line in settings.warnings]


def test_by_default_only_this_machine_is_let_in():
    settings = Settings.load(environ=DATABASE)
    assert settings.server.host == "127.0.0.1"
    assert access(settings) == "everybody on this machine, nobody else: it listens on 127.0.0.1 only"
    assert warned(settings) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1"])
def test_without_authentication_nobody_else_unless_asked_for(host):
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(environ=DATABASE, server__host=host)
    assert [fault.key for fault in caught.value.faults] == ["server.host"]
    settings = Settings.load(environ=DATABASE, server__host=host, server__allow_unauthenticated=True)
    assert warned(settings) == ["server.allow_unauthenticated"]
    assert access(settings) == f"everybody who reaches {host}, without being asked who they are"


def test_with_authentication_it_may_listen_anywhere_and_expects_tls_in_front():
    assert warned(Settings.load(environ=AUTH)) == []
    settings = Settings.load(environ=AUTH, server__host="0.0.0.0")
    assert warned(settings) == ["server.host"]
    assert "a proxy that ends TLS is expected" in settings.warnings[0]
    assert access(settings).startswith("who shows a credential; `bingsan bootstrap` makes the first")


@pytest.mark.parametrize(
    ("method", "shown"),
    [("oauth2", ("credential", "CLIENT_ID:SECRET")), ("api_key", ("token", "API_KEY"))],
)
def test_the_screen_shows_clients_how_to_log_in(method, shown):
    settings = Settings.load(
        environ=DATABASE | {"ICEBERG_AUTH_SIGNING_KEY": SIGNING},
        auth__enabled=True,
        **{f"auth__{method}__enabled": True},
    )
    assert credential(settings) == [shown]


def test_the_screen_shows_no_credential_where_none_is_asked_for():
    assert credential(Settings.load(environ=DATABASE)) == []
