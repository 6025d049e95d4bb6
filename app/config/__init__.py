"""Settings: frozen dataclasses, one per section, every knob with its type, default and help.

``Settings.load()`` reads ``config.yaml`` and the ``ICEBERG_*`` variables and reports all faults at once.
"""

from app.config.faults import ConfigurationError, Fault
from app.config.openid import OpenIdSettings, ProviderSettings
from app.config.settings import (
    CacheSettings,
    CatalogSettings,
    DatabaseSettings,
    LimitsSettings,
    LoggingSettings,
    MetricsSettings,
    RateLimitSettings,
    SecretsSettings,
    ServerSettings,
    Settings,
    TestingSettings,
    TlsSettings,
)
from app.config.storage import LocalStorageSettings, S3Settings, StorageSettings
from app.config.upkeep import ChangesSettings, JobsSettings, SweepSettings

__all__ = [
    "CacheSettings",
    "CatalogSettings",
    "ChangesSettings",
    "ConfigurationError",
    "DatabaseSettings",
    "Fault",
    "JobsSettings",
    "LimitsSettings",
    "LocalStorageSettings",
    "LoggingSettings",
    "MetricsSettings",
    "OpenIdSettings",
    "ProviderSettings",
    "RateLimitSettings",
    "S3Settings",
    "SecretsSettings",
    "ServerSettings",
    "Settings",
    "StorageSettings",
    "SweepSettings",
    "TestingSettings",
    "TlsSettings",
]
