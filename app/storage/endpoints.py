"""Which stores the service may be sent to by those who manage warehouses.

An endpoint is a place in the network that the service connects to on somebody's word, so it must not be one that only
the service can reach: every address behind its name has to be public, unless the settings name the endpoint. The
addresses are looked at again when a connection is made (:mod:`app.storage.s3_guard`), whatever the name means then.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
# IPv6 networks whose last 32 bits are the IPv4 address that is reached in the end.
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))


class EndpointRefused(ValueError):
    """Why an endpoint must not be used, to go behind its name and a colon."""


class Endpoint(NamedTuple):
    """A store's address; ``host`` is in lower case, without brackets."""

    scheme: str
    host: str
    port: int


def parse_endpoint(text: str) -> Endpoint:
    """
    :raises EndpointRefused: when it is no ``http://host:port`` or ``https://host:port``
    """
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError as error:
        raise EndpointRefused("not a URL of the form https://host:port") from error
    if scheme not in _PORTS or not host or port == 0:
        raise EndpointRefused("not a URL of the form https://host:port")
    if parts.username is not None or parts.password is not None:
        raise EndpointRefused("must not hold credentials")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "?" in text or "#" in text:
        raise EndpointRefused("must not have a path, a query or a fragment")
    if not (_HOST.fullmatch(host) or _is_address(host)):
        raise EndpointRefused("its host is neither a name nor an address")
    return Endpoint(scheme, host, port or _PORTS[scheme])


class Endpoints:
    """The endpoints that the settings name, and the rule for all others."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(map(parse_endpoint, allowed))

    def names(self, endpoint: str) -> bool:
        """Whether the settings name it, so that it may be anywhere."""
        return parse_endpoint(endpoint) in self._allowed

    def check(self, endpoint: str) -> None:
        """Look the name up and check every address behind it. Waits for the name server.

        :raises EndpointRefused: when it cannot be resolved or leads to an address that is not public
        """
        place = parse_endpoint(endpoint)
        if place in self._allowed:
            return
        try:
            found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise EndpointRefused(f"its host {place.host} cannot be resolved") from error
        if not found or not all(is_public(str(entry[4][0])) for entry in found):
            raise EndpointRefused(
                f"its host {place.host} has an address that is private, loopback or link-local;"
                " storage.allowed_endpoints has to name the endpoint"
            )


def is_public(address: str) -> bool:
    """Whether a numeric address belongs to the public internet, also as IPv6 carries IPv4."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        for inner in _carried(ip):
            if not _is_public(inner):
                return False
        if ip.ipv4_mapped is not None:
            return True
    return _is_public(ip)


def _is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast


def _carried(ip: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    found = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if any(ip in network for network in _TRANSLATED):
        found.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return [inner for inner in found if inner is not None]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
