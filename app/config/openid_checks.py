"""Rules of the settings of OpenID providers."""

import ipaddress
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from app.config.faults import Fault
from app.config.kinds import show_duration
from app.config.openid import ALGORITHMS, OpenIdSettings, ProviderSettings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_URLS = ("issuer", "discovery_url", "jwks_url")
_FILES = ("ca_file", "token_file")
_PAIRS = {"role_mapping": "theirs=ours", "required_claims": "claim=value"}


def openid_faults(openid: OpenIdSettings) -> Iterator[Fault]:
    """Faults of all providers; their keys are the full ones."""
    providers = openid.all()
    for place, provider in providers.items():
        for fault in _faults(provider):
            yield replace(fault, key=f"{place}.{fault.key}")
    for member in ("name", "issuer"):
        counted = Counter(getattr(provider, member) for provider in providers.values())
        for place, provider in providers.items():
            value = getattr(provider, member)
            if value and counted[value] > 1:
                yield Fault(f"{place}.{member}", "another provider has the same", value, "a different one")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _faults(provider: ProviderSettings) -> Iterator[Fault]:
    for rule in (_identity, _trust, _pairs, _files):
        yield from rule(provider)


def _identity(provider: ProviderSettings) -> Iterator[Fault]:
    if not _NAME.fullmatch(provider.name):
        yield Fault("name", "not a name", provider.name, "at most 64 of letters, digits, '.', '_', '-'")
    if not provider.issuer:
        yield Fault("issuer", "missing", expected="the issuer as the tokens name it")
    if not provider.subject_claim:
        yield Fault("subject_claim", "empty", expected="the name of a claim")
    for member in _URLS:
        url = getattr(provider, member)
        problem = url and url_problem(url, allow_http=provider.allow_http)
        if problem:
            yield Fault(member, problem, re.sub(r"//.*@", "//***@", url), "https://host/path")


def _trust(provider: ProviderSettings) -> Iterator[Fault]:
    if not provider.audience:
        yield Fault("audience", "missing", expected="the audience of tokens that are meant for this catalog")
    for algorithm in provider.algorithms:
        if algorithm not in ALGORITHMS:
            yield Fault("algorithms", "not one with a key pair", algorithm, "among " + ", ".join(ALGORITHMS))
    for member in ("algorithms", "token_types"):
        if not getattr(provider, member):
            yield Fault(member, "empty", expected="at least one")
    if provider.keys_keep < provider.keys_refresh:
        keep, limit = show_duration(provider.keys_keep), show_duration(provider.keys_refresh)
        yield Fault("keys_keep", "too short", keep, f"at least keys_refresh, {limit}")


def _pairs(provider: ProviderSettings) -> Iterator[Fault]:
    for member, shape in _PAIRS.items():
        for pair in getattr(provider, member):
            if not all(split_pair(pair)):
                yield Fault(member, "not a pair", pair, shape)


def _files(provider: ProviderSettings) -> Iterator[Fault]:
    for member in _FILES:
        path = getattr(provider, member)
        if path and not os.access(path, os.R_OK):
            yield Fault(member, "cannot be read", path, "a readable file")


def split_pair(pair: str) -> tuple[str, str]:
    """The two sides of ``theirs=ours``; theirs may hold ``=`` itself."""
    left, _, right = pair.rpartition("=")
    return left.strip(), right.strip()


def url_problem(url: str, *, allow_http: bool) -> str:
    """Why a URL is none that keys may be fetched by, or nothing."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "not a URL"
    if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
        return "not a URL"
    if parts.username is not None or parts.password is not None:
        return "must not hold credentials"
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return "must not have a query or a fragment"
    if parts.scheme == "http" and not (allow_http or is_loopback(host)):
        return "unencrypted though it is not on this machine; allow_http permits it"
    return ""
