"""S3 clients for endpoints of other people connect to public addresses only, whatever a name means by then."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from app.config import S3Settings
from app.errors import ServiceUnavailableException
from app.storage import s3_guard
from app.storage.s3 import S3FileSystem
from tests.support.faults import SilentStore

LOCATION = "s3://bucket/a"


@pytest.fixture
def connect() -> Any:
    """Return a function that makes a client, and close them all."""
    made: list[S3FileSystem] = []

    def new(endpoint: str, *, public_only: bool = True) -> S3FileSystem:
        settings = S3Settings(
            endpoint=endpoint, access_key_id="a", secret_access_key="b", use_path_style=True
        )
        made.append(S3FileSystem(settings, 0.3, 1.0, 4, public_only=public_only))
        return made[-1]

    yield new
    for client in made:
        client.close()


Connect = Callable[..., S3FileSystem]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_no_connection_to_this_machine(connect: Connect, host: str) -> None:
    with SilentStore().running() as store:
        endpoint = f"http://{host}:{store.endpoint.rpartition(':')[2]}"
        with pytest.raises(ServiceUnavailableException, match="does not answer"):
            connect(endpoint).read(LOCATION, 10)
        assert store.accepted == 0


def test_nor_with_tls(connect: Connect) -> None:
    with SilentStore().running() as store:
        with pytest.raises(ServiceUnavailableException):
            connect(store.endpoint.replace("http:", "https:")).read(LOCATION, 10)
        assert store.accepted == 0


def test_nor_through_a_proxy(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with SilentStore().running() as proxy, SilentStore().running() as store:
        monkeypatch.setenv("HTTP_PROXY", proxy.endpoint)
        monkeypatch.setenv("http_proxy", proxy.endpoint)
        with pytest.raises(ServiceUnavailableException):
            connect(store.endpoint).read(LOCATION, 10)
        assert (proxy.accepted, store.accepted) == (0, 0)


def test_a_name_that_changes_its_meaning_gets_no_byte(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is public when it is looked up, and this machine when it is connected to."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = connect(f"http://rebound.example:{listener.getsockname()[1]}")
        real, asked = socket.getaddrinfo, []

        def resolve(host: str, *arguments: Any, **options: Any) -> Any:
            asked.append(host)
            public = len(asked) % 2 == 1
            return real("8.8.8.8" if public else "127.0.0.1", *arguments, **options)

        monkeypatch.setattr(s3_guard.socket, "getaddrinfo", resolve)
        with pytest.raises(ServiceUnavailableException, match="does not answer"):
            client.read(LOCATION, 10)
        assert asked[:2] == ["rebound.example", "rebound.example"]
        listener.settimeout(5)
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            received.append(connection.recv(100))
    assert received == [b""]


def test_without_the_guard_it_connects(connect: Connect) -> None:
    with SilentStore().running() as store:
        with pytest.raises(ServiceUnavailableException):
            connect(store.endpoint, public_only=False).read(LOCATION, 10)
        assert store.accepted > 0
