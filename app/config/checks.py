"""Rules between settings: what each value alone cannot say."""

import ipaddress
import re
from collections.abc import Iterator, Set
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from app.config.certificates import certificate_problems
from app.config.faults import Fault
from app.config.kinds import show_duration
from app.config.openid_checks import is_loopback, openid_faults
from app.config.settings import Settings
from app.errors import BadRequestException
from app.identifiers import warehouse_name_problem
from app.storage.endpoints import EndpointRefused, parse_endpoint
from app.storage.locations import normalise
from app.storage.roles import WAYS, session_problem, ways_problem
from app.storage.sealing import decode_keys

_FAILPOINT = re.compile(r"[a-z][a-z0-9_.]*=((kill|error)(:/\S+)?|sleep:\d{1,6}|hold:/\S+)")
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[1-9]\d{0,4})?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_SHORTEST_SECRET = 16
# Of 32 random bytes hardly ever fewer than 25 are different.
_FEWEST_BYTES = 16
_SCHEMES = {"local": ("file",), "s3": ("s3", "s3a", "s3n")}


def check(settings: Settings, faulty: Set[str]) -> list[Fault]:
    """Faults between settings, without those about keys that are faulty already."""
    rules = (
        _database,
        _server,
        _networks,
        _cross_origin,
        _auth,
        _openid,
        _storage,
        _locations,
        _s3,
        _delegation,
        _warehouses,
        _limits,
        _jobs,
        _sweep,
        _testing,
    )
    found = [fault for rule in rules for fault in rule(settings) if fault.key not in faulty]
    # Whether a database is configured is unknown while the switch itself is faulty.
    return [fault for fault in found if fault.key != "database.host" or "database.embedded" not in faulty]


def _fault(settings: Settings, key: str, problem: str, expected: str = "") -> Fault:
    return Fault(key, problem, str(settings.value(key)), expected, settings.origin(key))


def _database(settings: Settings) -> Iterator[Fault]:
    database = settings.database
    if database.embedded and database.host:
        yield _fault(settings, "database.host", "set although database.embedded is true", "one of the two")
    if not database.embedded and not database.host:
        yield Fault(
            "database.host",
            "no database is configured",
            expected="the host of a PostgreSQL, or database.embedded=true",
        )
    if database.max_idle_conns > database.max_open_conns:
        limit = f"at most database.max_open_conns, {database.max_open_conns}"
        if "database.max_idle_conns" in settings.origins:
            yield _fault(settings, "database.max_idle_conns", "more than may be open", limit)
    if database.max_open_conns < 2 * settings.server.workers:
        yield _fault(
            settings,
            "database.max_open_conns",
            "too few for the workers",
            f"at least two for each of the {settings.server.workers} workers",
        )
    if database.ssl_root_cert and not Path(database.ssl_root_cert).is_file():
        yield _fault(settings, "database.ssl_root_cert", "no such file", "a readable file")


def _server(settings: Settings) -> Iterator[Fault]:
    server = settings.server
    if not (is_loopback(server.host) or settings.auth.enabled or server.allow_unauthenticated):
        yield _fault(
            settings,
            "server.host",
            "reachable from other machines while auth.enabled is false",
            "a loopback address, or server.allow_unauthenticated=true",
        )
    if server.shutdown_delay > server.drain_timeout:
        limit = f"at most server.drain_timeout, {show_duration(server.drain_timeout)}"
        yield _fault(settings, "server.shutdown_delay", "longer than the whole stop", limit)


def check_files(settings: Settings, faulty: Set[str]) -> Iterator[Fault]:
    """Faults in the files of the certificate, without those about keys that are faulty already."""
    if settings.server.tls.enabled and not any(key.startswith("server.tls.") for key in faulty):
        for problem in certificate_problems(settings.server.tls):
            yield _fault(settings, problem.key, str(problem))


def _networks(settings: Settings) -> Iterator[Fault]:
    for key in ("server.trusted_proxies", "metrics.allowed_addresses"):
        for network in settings.value(key):
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                expected = "10.1.2.3, 10.0.0.0/8 or 2001:db8::/32"
                yield Fault(key, f"no address or network: {error}", network, expected, settings.origin(key))


def _cross_origin(settings: Settings) -> Iterator[Fault]:
    server = settings.server
    for origin in server.cors_origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            source = settings.origin("server.cors_origins")
            yield Fault(
                "server.cors_origins", "no origin", origin, "https://host or https://host:port", source
            )
    if "*" in server.cors_origins and len(server.cors_origins) > 1:
        yield _fault(settings, "server.cors_origins", "* and others", "one of the two")
    if "*" in server.cors_origins and server.cors_credentials:
        yield _fault(
            settings, "server.cors_credentials", "every page could act as its visitor", "exact origins"
        )


def _auth(settings: Settings) -> Iterator[Fault]:
    auth = settings.auth
    if not auth.enabled:
        return
    if not (auth.oauth2.enabled or auth.api_key.enabled or auth.openid.all()):
        methods = "auth.oauth2.enabled, auth.api_key.enabled or a provider in auth.openid"
        yield _fault(settings, "auth.enabled", "nothing is accepted that shows who somebody is", methods)
    if bool(auth.oauth2.client_id) != bool(auth.oauth2.client_secret):
        missing = "client_secret" if auth.oauth2.client_id else "client_id"
        yield Fault(
            f"auth.oauth2.{missing}", "missing", expected="both of client_id and client_secret or none"
        )
    if 0 < len(auth.oauth2.client_secret) < _SHORTEST_SECRET:
        expected = f"at least {_SHORTEST_SECRET} characters, such as the output of openssl rand -base64 32"
        yield Fault("auth.oauth2.client_secret", "easy to guess", "***", expected)
    yield from _signing_key(settings)


def _signing_key(settings: Settings) -> Iterator[Fault]:
    auth, expected = settings.auth, "the output of openssl rand -base64 32"
    keys = decode_keys(auth.signing_key)
    if keys is None:
        yield Fault("auth.signing_key", "not 32 bytes in base64", "***", expected)
    elif any(len(set(key)) < _FEWEST_BYTES for key in keys):
        yield Fault("auth.signing_key", "a placeholder, not random", "***", expected)
    elif not keys and auth.oauth2.enabled and not settings.database.embedded:
        yield Fault("auth.signing_key", "missing", expected=f"{expected}, the same on all nodes")


def _openid(settings: Settings) -> Iterator[Fault]:
    for fault in openid_faults(settings.auth.openid):
        listed, found, _ = fault.key.partition("[")
        yield replace(fault, source=settings.origin(listed if found else fault.key))


def _storage(settings: Settings) -> Iterator[Fault]:
    storage = settings.storage
    schemes = _SCHEMES[storage.type]
    scheme = storage.warehouse.partition(":")[0] if ":" in storage.warehouse else "file"
    if not storage.warehouse:
        yield Fault(
            "storage.warehouse",
            "neither it nor storage.s3.bucket is set",
            expected="s3://bucket or s3://bucket/folder",
        )
    elif scheme not in schemes:
        expected = f"a location that begins with {schemes[0]}:// (storage.type is {storage.type})"
        yield _fault(settings, "storage.warehouse", "does not fit storage.type", expected)
    problem = warehouse_name_problem(settings.catalog.default_warehouse)
    if problem:
        yield _fault(settings, "catalog.default_warehouse", "not a warehouse name", problem)
    if storage.timeout > storage.deadline:
        limit = f"at most storage.deadline, {show_duration(storage.deadline)}"
        yield _fault(settings, "storage.timeout", "longer than the operation", limit)


def _locations(settings: Settings) -> Iterator[Fault]:
    storage = settings.storage
    prefixes = [("storage.allowed_locations", prefix) for prefix in storage.allowed_locations]
    if storage.type == "local" and "storage.local.root_path" in settings.origins:
        prefixes.append(("storage.local.root_path", storage.local.root_path))
    if storage.warehouse:
        prefixes.append(("storage.warehouse", storage.warehouse))
    for key, prefix in prefixes:
        try:
            normalise(prefix)
        except BadRequestException as error:
            expected = "s3://bucket/folder or file:///folder"
            yield Fault(key, error.message, prefix, expected, settings.origin(key))


def _s3(settings: Settings) -> Iterator[Fault]:
    s3 = settings.storage.s3
    if s3.endpoint:
        parts = urlsplit(s3.endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            yield _fault(settings, "storage.s3.endpoint", "not a URL", "http://host:port or https://host")
        elif parts.username or parts.password:
            yield Fault(
                "storage.s3.endpoint",
                "holds credentials",
                expected="storage.s3.access_key_id and storage.s3.secret_access_key",
                source=settings.origin("storage.s3.endpoint"),
            )
    if bool(s3.access_key_id) != bool(s3.secret_access_key):
        missing = "secret_access_key" if s3.access_key_id else "access_key_id"
        yield Fault(f"storage.s3.{missing}", "missing", expected="both keys or none")
    if s3.bucket and not _BUCKET.fullmatch(s3.bucket):
        yield _fault(settings, "storage.s3.bucket", "not a bucket name", "3 to 63 of a-z, 0-9, '.', '-'")


def _delegation(settings: Settings) -> Iterator[Fault]:
    s3 = settings.storage.s3
    if ways_problem(s3.delegation):
        problem = ways_problem(s3.delegation)
        yield _fault(settings, "storage.s3.delegation", problem, f"some of {', '.join(WAYS)}")
    if "static-keys" in s3.delegation and not s3.access_key_id:
        yield _fault(
            settings, "storage.s3.delegation", "static-keys without keys", "storage.s3.access_key_id"
        )
    if "vended-credentials" not in s3.ways:
        return
    found = session_problem(s3.role_arn, s3.external_id, on_aws=not s3.endpoint)
    if found:
        yield _fault(settings, f"storage.s3.{found[0]}", "not usable for vended credentials", found[1])
    if s3.sts_endpoint:
        try:
            parse_endpoint(s3.sts_endpoint)
        except EndpointRefused as error:
            shown = re.sub(r"//.*@", "//***@", s3.sts_endpoint)
            yield Fault("storage.s3.sts_endpoint", str(error), shown, "https://host:port")


def _warehouses(settings: Settings) -> Iterator[Fault]:
    for root in settings.storage.local.allowed_roots:
        if not root.startswith("/"):
            yield Fault("storage.local.allowed_roots", "not an absolute path", root, "/srv/warehouses")
    for endpoint in settings.storage.allowed_endpoints:
        try:
            parse_endpoint(endpoint)
        except EndpointRefused as error:
            shown = re.sub(r"//.*@", "//***@", endpoint)
            yield Fault("storage.allowed_endpoints", str(error), shown, "https://host:port")
    folder, key = settings.secrets.folder, settings.secrets.key
    if folder and not Path(folder).is_dir():
        yield _fault(settings, "secrets.folder", "no such folder", "a folder")
    if decode_keys(key) is None:
        yield Fault("secrets.key", "not 32 bytes in base64", "***", "the output of openssl rand -base64 32")


def _limits(settings: Settings) -> Iterator[Fault]:
    limits = settings.limits
    if limits.max_url_length > limits.max_header_size:
        limit = f"at most limits.max_header_size, {limits.max_header_size} bytes"
        yield _fault(settings, "limits.max_url_length", "longer than the whole head", limit)


def _jobs(settings: Settings) -> Iterator[Fault]:
    jobs = settings.jobs
    if jobs.heartbeat_interval * 2 > jobs.lease_timeout:
        limit = f"at most half of jobs.lease_timeout, {show_duration(jobs.lease_timeout)}"
        yield _fault(settings, "jobs.heartbeat_interval", "too long", limit)


def _sweep(settings: Settings) -> Iterator[Fault]:
    # Replays may need the file that a request ended with; records are kept for twice their lifetime.
    least = 2 * settings.catalog.idempotency_key_lifetime
    if settings.sweep.mode != "off" and settings.sweep.grace_period < least:
        limit = f"at least twice catalog.idempotency_key_lifetime, {show_duration(least)}"
        yield _fault(settings, "sweep.grace_period", "too short", limit)


def _testing(settings: Settings) -> Iterator[Fault]:
    testing = settings.testing
    if testing.failpoints and not testing.enabled:
        yield _fault(settings, "testing.failpoints", "only for tests", "testing.enabled=true beside it")
    if not testing.cache_invalidation and not testing.enabled:
        yield _fault(
            settings, "testing.cache_invalidation", "only for tests", "testing.enabled=true beside it"
        )
    for failpoint in testing.failpoints:
        if not _FAILPOINT.fullmatch(failpoint):
            expected = "name=kill or name=error, both also with :/folder, name=sleep:milliseconds or name=hold:/folder"
            yield Fault("testing.failpoints", "not a failpoint", failpoint, expected)
