"""Whom the service takes a request to be from, behind which proxies, whatever a client writes into headers."""

import pytest

from app.observability.forwarding import TrustedProxies

PROXIES = ("10.0.0.0/8", "2001:db8:1::/48")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the left one may be forged
        ("10.0.0.1", "203.0.113.9, 10.7.7.7", "203.0.113.9"),  # two proxies of ours
        ("10.0.0.1", "203.0.113.9,198.51.100.1,10.7.7.7", "198.51.100.1"),
        ("10.0.0.1", "10.9.9.9, 10.7.7.7", "10.9.9.9"),  # a client inside the trusted network
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, " + "1" * 5000, "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8:2::7]:4711", "2001:db8:2::7"),
        ("10.0.0.1", "2001:DB8:2:0:0:0:0:7", "2001:db8:2::7"),
        ("10.0.0.1", "fe80::1%eth0\n{}", "fe80::1"),
        ("2001:db8:1::5", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),  # nobody trusts this peer
        ("2001:db8:2::5", "203.0.113.9", "2001:db8:2::5"),
        ("", "203.0.113.9", ""),  # a socket in the file system
    ],
)
def test_the_client_is_the_right_most_address_that_is_no_proxy(peer: str, forwarded: str, client: str):
    assert TrustedProxies(PROXIES).client_address(peer, forwarded) == client


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.1", "::1"])
def test_nobody_is_trusted_by_default(peer: str):
    environ = {
        "REMOTE_ADDR": peer,
        "HTTP_X_FORWARDED_FOR": "203.0.113.9",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_PREFIX": "/catalog",
        "wsgi.url_scheme": "http",
    }
    TrustedProxies(()).apply(environ)
    assert environ["bingsan.client_address"] == peer
    assert environ["wsgi.url_scheme"] == "http"
    assert "SCRIPT_NAME" not in environ


@pytest.mark.parametrize(
    ("protocol", "scheme"),
    [("https", "https"), ("HTTPS", "https"), ("https, http", "http"), ("gopher", "http"), ("", "http")],
)
@pytest.mark.parametrize(
    ("prefix", "script"),
    [
        ("/catalog", "/catalog"),
        ("/a/b-c/", "/a/b-c"),
        ("//evil.example", ""),
        ("/a/../b\r\nX: y", ""),
        ("a", ""),
        ("/", ""),
    ],
)
def test_a_trusted_proxy_names_scheme_and_prefix(protocol: str, scheme: str, prefix: str, script: str):
    environ = {
        "REMOTE_ADDR": "10.0.0.1",
        "HTTP_X_FORWARDED_PROTO": protocol,
        "HTTP_X_FORWARDED_PREFIX": prefix,
        "wsgi.url_scheme": "http",
        "SCRIPT_NAME": "",
    }
    TrustedProxies(PROXIES).apply(environ)
    assert environ["wsgi.url_scheme"] == scheme
    assert environ["SCRIPT_NAME"] == script
