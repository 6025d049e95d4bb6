"""Which endpoints of stores are refused, and which addresses are public."""

import socket

import pytest

from app.storage.endpoints import Endpoint, EndpointRefused, Endpoints, is_public, parse_endpoint


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("https://s3.example.com", ("https", "s3.example.com", 443)),
        ("http://MinIO:9000/", ("http", "minio", 9000)),
        ("http://[::1]:9000", ("http", "::1", 9000)),
        ("http://10.0.0.1", ("http", "10.0.0.1", 80)),
    ],
)
def test_endpoints(text: str, endpoint: tuple[str, str, int]) -> None:
    assert parse_endpoint(text) == Endpoint(*endpoint)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not a URL"),
        ("minio:9000", "not a URL"),
        ("ftp://minio", "not a URL"),
        ("file:///etc/passwd", "not a URL"),
        ("http://", "not a URL"),
        ("http://minio:0", "not a URL"),
        ("http://minio:99999", "not a URL"),
        ("http://minio:x", "not a URL"),
        ("http://[::1", "not a URL"),
        ("http://user:pw@minio", "credentials"),
        ("http://user@minio", "credentials"),
        ("http://minio/path", "path"),
        ("http://minio/?x", "path"),
        ("http://minio?", "path"),
        ("http://minio#x", "path"),
        ("http://mi nio", "neither a name nor an address"),
        ("http://-minio", "neither a name nor an address"),
        ("http://a\\b", "neither a name nor an address"),
    ],
)
def test_malformed_endpoints(text: str, problem: str) -> None:
    with pytest.raises(EndpointRefused, match=problem):
        parse_endpoint(text)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "nonsense",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0", "[::1]", "[::ffff:7f00:1]"]
)
def test_spellings_of_this_machine_are_refused(host: str) -> None:
    with pytest.raises(EndpointRefused, match="private, loopback or link-local"):
        Endpoints([]).check(f"http://{host}:9000")


def test_named_endpoints_may_be_anywhere() -> None:
    endpoints = Endpoints(["http://127.0.0.1:9000", "https://minio.internal"])
    endpoints.check("http://127.0.0.1:9000")
    endpoints.check("https://MINIO.internal:443/")
    for other in ("http://127.0.0.1:9001", "https://127.0.0.1:9000", "http://127.0.0.1"):
        assert not endpoints.names(other)
        with pytest.raises(EndpointRefused):
            endpoints.check(other)


def test_unknown_hosts_are_refused() -> None:
    with pytest.raises(EndpointRefused, match="cannot be resolved"):
        Endpoints([]).check("http://no-such-host.invalid")


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("8.8.8.8", 80)), (0, 0, 0, "", ("10.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(EndpointRefused, match="private"):
        Endpoints([]).check("http://two-faced.example")
