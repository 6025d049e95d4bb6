"""Whose request it is: what proxies say about a client is believed only if they are trusted."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

Address = IPv4Address | IPv6Address
CLIENT_ADDRESS = "bingsan.client_address"
_SCHEMES = ("http", "https")
_LONGEST = 80
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_PORT = re.compile(r"\[(?P<six>[^\]]*)\](:\d{1,5})?|(?P<four>[0-9.]+):\d{1,5}")


class Networks:
    """Addresses and networks (``10.0.0.0/8``, ``2001:db8::1``)."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(ip_network(network) for network in networks)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, text: str) -> bool:
        return self.has(_parse(text))

    def has(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


class TrustedProxies:
    """``networks`` are those of proxies of ours."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = Networks(networks)

    def client_address(self, peer: str, forwarded: str | None) -> str:
        """The address of the client behind the connection from ``peer``.

        ``forwarded`` is X-Forwarded-For: each proxy appends whom it heard, so the client is the right-most address
        that is no trusted proxy. Whatever stands left of it may be forged.
        """
        if not self._networks:
            return _canonical(peer)
        found = _parse(peer)
        if found is None:
            return peer
        for text in reversed((forwarded or "").split(",")):
            named = _parse(text) if self._networks.has(found) else None
            if named is None:
                break
            found = named
        return str(found)

    def trusts(self, peer: str) -> bool:
        """Whether the connection from ``peer`` is that of a proxy of ours."""
        return bool(self._networks) and peer in self._networks

    def apply(self, environ: dict[str, Any]) -> bool:
        """Note the client's address in a WSGI environ; the scheme and prefix that a trusted proxy gives.

        Returns whether the connection is that of a trusted proxy.
        """
        peer = environ.get("REMOTE_ADDR", "")
        environ[CLIENT_ADDRESS] = self.client_address(peer, environ.get("HTTP_X_FORWARDED_FOR"))
        if not self.trusts(peer):
            return False
        scheme = _last(environ.get("HTTP_X_FORWARDED_PROTO", "")).lower()
        if scheme in _SCHEMES:
            environ["wsgi.url_scheme"] = scheme
        prefix = _last(environ.get("HTTP_X_FORWARDED_PREFIX", "")).removesuffix("/")
        if _PREFIX.fullmatch(prefix):
            environ["SCRIPT_NAME"] = prefix
        return True


def _parse(text: str) -> Address | None:
    return _address(text.strip()) if len(text) <= _LONGEST else None


@lru_cache(4096)
def _address(text: str) -> Address | None:
    """An address without port and zone; an IPv4 address that is written as IPv6 is one of IPv4."""
    if match := _PORT.fullmatch(text):
        text = match["six"] or match["four"] or ""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


@lru_cache(4096)
def _canonical(peer: str) -> str:
    return str(_parse(peer) or peer)


def _last(value: str) -> str:
    return value.rpartition(",")[2].strip()
