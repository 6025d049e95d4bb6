"""Every setting there is, with those of auth, openid, storage and upkeep; the reference page is made of them.

A setting without effect is a lie: what is not built yet has no setting.
"""

# ruff: noqa: RUF009 - section() makes a dataclass field, not a default

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.config.auth import AuthSettings
from app.config.options import boolean, choice, duration, integer, secret, section, size, text, text_list
from app.config.storage import StorageSettings
from app.config.upkeep import ChangesSettings, JobsSettings, SweepSettings


@dataclass(frozen=True)
class TlsSettings:
    enabled: bool = boolean(False, "Speak TLS on the port, and nothing else.")
    cert_file: str = text(
        "",
        "Certificate in PEM form, followed by its chain. A changed file is used for new connections at once.",
    )
    key_file: str = text("", "Private key of the certificate in PEM form, not encrypted.")
    min_version: str = choice("1.2", ("1.2", "1.3"), "Oldest version of TLS that clients may use.")
    client_ca_file: str = text(
        "", "Authorities whose certificates clients must show; only health checks and /metrics need none."
    )
    handshake_timeout: float = duration("10s", "Time for a client to shake hands.", low="100ms")


@dataclass(frozen=True)
class ServerSettings:
    host: str = text("127.0.0.1", "Address to listen on.")
    port: int = integer(8181, 0, 65535, "Port to listen on; 0 takes a free one, which the log names.")
    workers: int = integer(2, 1, 256, "Worker processes of the node.")
    worker_connections: int = integer(
        10_000, 1, 100_000, "Connections one worker holds; more wait in the kernel."
    )
    keep_alive: float = duration("75s", "How long an idle connection stays open; keep it above the proxy's.")
    read_timeout: float = duration(
        "30s", "Time for a client to send one request, head and body.", low="100ms"
    )
    write_timeout: float = duration(
        "30s", "Time for a client to take the next part of an answer.", low="100ms"
    )
    request_timeout: float = duration("25s", "Time for one request in all; then 503.", low="100ms")
    shutdown_delay: float = duration(
        "0s", "After SIGTERM: how long /ready is 503 while connections are still accepted (5s in Kubernetes)."
    )
    drain_timeout: float = duration("30s", "After SIGTERM: how long running requests may take in all.")
    tls: TlsSettings = section(TlsSettings)
    trusted_proxies: tuple[str, ...] = text_list(
        "Addresses and networks (10.0.0.0/8) of proxies whose X-Forwarded-For, -Proto and -Prefix are believed; all"
        " others' are ignored."
    )
    cors_origins: tuple[str, ...] = text_list(
        "Origins of web pages (https://console.example.com) that may call the service from a browser, or *; none"
        " without it."
    )
    cors_credentials: bool = boolean(
        False, "Whether those pages may have cookies and client certificates sent along; not together with *."
    )
    compress_min_size: int = size(
        "64KiB",
        "Answers to GET from this size on are compressed for clients that accept gzip; 1024GiB for none.",
        low="1KiB",
    )
    hot_path: bool = boolean(
        True,
        "Answer reads that were answered before without gunicorn and Flask, as long as nothing they depend on has"
        " changed, and create namespaces of requests that wait together at once. With TLS none of it is done.",
    )
    allow_unauthenticated: bool = boolean(
        False,
        "Permit listening beyond loopback without authentication: everybody who can connect may do all.",
    )


@dataclass(frozen=True)
class DatabaseSettings:
    embedded: bool = boolean(False, "Run a PostgreSQL of our own in `home`; no other database key is needed.")
    host: str = text(
        "", "Host of PostgreSQL 15 or later, or the folder of its socket. Needed unless embedded."
    )
    port: int = integer(5432, 1, 65535, "Port of PostgreSQL.")
    user: str = text("iceberg", "Role to connect as; it owns the schema.")
    password: str = secret("", "Password of that role.")
    database: str = text("iceberg_catalog", "Name of the database; it must exist.")
    ssl_mode: str = choice(
        "disable",
        ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
        "TLS towards PostgreSQL, as libpq's sslmode.",
    )
    ssl_root_cert: str = text("", "File of the authorities that verify-ca and verify-full trust.")
    max_open_conns: int = integer(
        20,
        2,
        10_000,
        "Connections of the node, shared out to its workers, each of which has two more of its own.",
    )
    max_idle_conns: int = integer(5, 0, 10_000, "Connections of the node kept open while unused.")
    conn_max_lifetime: float = duration("5m", "Age at which a connection is replaced; 0 is never.")
    conn_max_idle_time: float = duration("5m", "Time after which an unused connection is closed; 0 is never.")
    acquire_timeout: float = duration(
        "5s", "How long a request waits for a connection; then 429 or 503.", low="10ms"
    )
    statement_timeout: float = duration("15s", "Time limit of one statement; then 503.", low="100ms")
    startup_timeout: float = duration("10s", "How long start-up tries to reach PostgreSQL; then exit 7.")

    def parameters(self) -> dict[str, Any]:
        """The connection as libpq keywords; empty ones are left out."""
        keywords = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "dbname": self.database,
            "sslmode": self.ssl_mode,
            "sslrootcert": self.ssl_root_cert,
        }
        return {name: value for name, value in keywords.items() if value}


@dataclass(frozen=True)
class SecretsSettings:
    folder: str = text(
        "",
        "Folder of named storage credentials: <name>.json with access-key-id and secret-access-key.",
    )
    key: str = secret(
        "",
        "Seals storage credentials that are given to the management API: 32 bytes in base64"
        " (`openssl rand -base64 32`); without it they are refused. Older keys follow it after commas.",
    )


@dataclass(frozen=True)
class CatalogSettings:
    default_warehouse: str = text("default", "Name of the warehouse that routes without prefix mean.")
    lock_timeout: float = duration("5s", "How long a commit waits for a row lock; then 409.", low="10ms")
    idempotency_key_lifetime: float = duration(
        "30m", "How long a request may be repeated under its Idempotency-Key.", low="1m"
    )


@dataclass(frozen=True)
class LimitsSettings:
    max_request_body_size: int = size("64MiB", "Largest request body; above it 413.", low="1KiB")
    max_metadata_size: int = size("256MiB", "Largest metadata file, decompressed; above it 400.", low="1KiB")
    max_header_size: int = size("16KiB", "Largest request head; above it 431.", low="1KiB", high="1MiB")
    max_url_length: int = size("8KiB", "Longest request target; above it 414.", low="256", high="64KiB")
    max_identifier_length: int = integer(
        255, 1, 65535, "Longest name of a namespace level, table, view or function."
    )
    max_namespace_depth: int = integer(32, 1, 1024, "Most levels of a namespace.")
    max_property_count: int = integer(1000, 1, 1_000_000, "Most properties of one object.")
    max_property_key_length: int = integer(255, 1, 65535, "Longest property key.")
    max_property_value_length: int = size("64KiB", "Longest property value.")
    max_columns: int = integer(10_000, 1, 1_000_000, "Most columns of a schema, nested ones counted.")
    max_transaction_changes: int = integer(
        1000, 1, 100_000, "Most table changes of one multi-table transaction; above it 400."
    )
    max_page_size: int = integer(1000, 1, 100_000, "Largest page of a list; larger requests are clamped.")
    max_in_flight_per_worker: int = integer(
        500, 1, 100_000, "Requests one worker handles at once; above it 429 or 503 with Retry-After."
    )


@dataclass(frozen=True)
class RateLimitSettings:
    requests_per_second: int = integer(
        0,
        0,
        1_000_000,
        "Requests that one principal, or one address without one, may send to a worker per second in the long run;"
        " above it 429 with Retry-After. 0 is no limit.",
    )
    burst: int = integer(
        0, 0, 1_000_000, "Requests that may come at once; 0 takes rate_limit.requests_per_second."
    )


@dataclass(frozen=True)
class AuditSettings:
    enabled: bool = boolean(
        True,
        "Record refused requests (403) and issued credentials. Mutations are in the change log, whatever this says.",
    )
    retention_days: int = integer(
        90, 1, 3650, "Days for which the audit is kept, and the change log with it if that is longer."
    )
    log_level: str = choice(
        "all",
        ("all", "write", "manage"),
        "What is recorded beside mutations: all; what is about writing or managing; only what is about managing.",
    )

    @property
    def retention(self) -> float:
        """In seconds."""
        return self.retention_days * 86_400.0


@dataclass(frozen=True)
class CompatSettings:
    go_scopes: bool = boolean(
        False,
        "Let the scopes read, write and manage of an API key grant that on the whole server, as in the Go version.",
    )


@dataclass(frozen=True)
class LoggingSettings:
    level: str = choice("info", ("debug", "info", "warn", "error"), "Least level that is logged.")


@dataclass(frozen=True)
class MetricsSettings:
    label_tables: bool = boolean(
        False, "Count commits per namespace and table: one series for each, so not with very many."
    )
    report_retention: float = duration(
        "720h", "How long reports of clients about their scans and commits are kept.", low="1h"
    )
    allowed_addresses: tuple[str, ...] = text_list(
        "Addresses and networks that may read /metrics beside this machine when auth.enabled is true: its figures name"
        " namespaces. Without authentication everybody may."
    )


@dataclass(frozen=True)
class CacheSettings:
    max_bytes: int = size(
        "64MiB",
        "Memory for remembered answers per worker; the least recently used give way. No answer above a quarter of it is"
        " remembered. Beside it, an eighth as much is for heads of requests, and a quarter for compressed bodies.",
        low="1MiB",
    )


@dataclass(frozen=True)
class TestingSettings:
    __test__ = False

    enabled: bool = boolean(False, "Permit what is only for tests; never in production.")
    failpoints: tuple[str, ...] = text_list(
        "Faults to inject, as name=kill or name=error, both also with :/folder, name=sleep:milliseconds or "
        "name=hold:/folder; needs testing.enabled."
    )
    cache_invalidation: bool = boolean(
        True, "False lets remembered answers grow stale, to show that tests notice; needs testing.enabled."
    )


@dataclass(frozen=True)
class Settings:
    """The whole configuration of a node; attributes are the dotted keys."""

    home: str = text(
        ".bingsan", "Folder of the node's own files: embedded database, local warehouse, metrics, lock."
    )
    server: ServerSettings = section(ServerSettings)
    database: DatabaseSettings = section(DatabaseSettings)
    storage: StorageSettings = section(StorageSettings)
    secrets: SecretsSettings = section(SecretsSettings)
    catalog: CatalogSettings = section(CatalogSettings)
    auth: AuthSettings = section(AuthSettings)
    limits: LimitsSettings = section(LimitsSettings)
    rate_limit: RateLimitSettings = section(RateLimitSettings)
    jobs: JobsSettings = section(JobsSettings)
    changes: ChangesSettings = section(ChangesSettings)
    sweep: SweepSettings = section(SweepSettings)
    audit: AuditSettings = section(AuditSettings)
    compat: CompatSettings = section(CompatSettings)
    logging: LoggingSettings = section(LoggingSettings)
    metrics: MetricsSettings = section(MetricsSettings)
    cache: CacheSettings = section(CacheSettings)
    testing: TestingSettings = section(TestingSettings)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    warnings: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def load(
        cls, path: str | Path | None = None, environ: Mapping[str, str] | None = None, **overrides: Any
    ) -> "Settings":
        """Settings from the file (``path``, else ICEBERG_CONFIG, else the search path) and the environment.

        ``overrides`` are dotted keys with two underscores for a dot (``server__port=0``); they win over both.
        Raises ``ConfigurationError`` with all faults.
        """
        from app.config.load import load

        return load(path, os.environ if environ is None else environ, overrides)

    def origin(self, key: str) -> str:
        """Where a value comes from: ``file PATH``, ``env NAME``, ``argument`` or ``default``."""
        return self.origins.get(key, "default")

    def value(self, key: str) -> Any:
        """The value of a dotted key."""
        value: Any = self
        for name in key.split("."):
            value = getattr(value, name)
        return value
