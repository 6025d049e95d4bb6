"""Keys of the earlier Go version that have another name, no effect, or no support yet."""

from collections.abc import Mapping

from app.config.faults import Fault
from app.config.options import variable_name
from app.config.sources import Given

ALIASES = {"server.idle_timeout": "server.keep_alive"}

# Nothing to set here: a configuration that carries them keeps working, with a warning.
IGNORED = {
    "server.version": "the version is that of the program",
    "server.debug": "use logging.level",
    "pool.buffer_initial_size": "there are no such buffers",
    "pool.buffer_max_size": "there are no such buffers",
    "catalog.lock_retry_interval": "row locks queue in PostgreSQL",
    "catalog.max_lock_retries": "row locks queue in PostgreSQL",
    "auth.oauth2.issuer": "the catalog itself is the issuer of its tokens",
    "storage.gcs.token_lifetime": "it has no effect without storage.gcs.bucket",
}

# Features that are not there yet. Switched off, their keys are ignored with a warning; on is a fault.
SWITCHED = {
    "telemetry.enabled": ("telemetry.endpoint", "telemetry.sample_rate", "telemetry.insecure"),
    "compat.polaris_enabled": (),
}

# Not there yet, without a switch: any value is a fault.
UNSUPPORTED = {
    "catalog.prefix": "the prefix is the warehouse's name; see catalog.default_warehouse",
    "storage.gcs.project": "Google Cloud Storage is not available in this version",
    "storage.gcs.credentials_file": "Google Cloud Storage is not available in this version",
    "storage.gcs.bucket": "Google Cloud Storage is not available in this version",
    "storage.gcs.impersonate_service_account": "Google Cloud Storage is not available in this version",
}

_DEPENDENT = {key for keys in SWITCHED.values() for key in keys}
_SWITCHES = set(SWITCHED)
KEYS = {*ALIASES, *IGNORED, *UNSUPPORTED, *_SWITCHES, *_DEPENDENT}
VARIABLES = {variable_name(key): key for key in KEYS}


def judge(given: Mapping[str, Given]) -> tuple[list[Fault], list[str]]:
    """Faults and warnings for the superseded keys among those given."""
    faults, warnings = [], []
    for key, value in given.items():
        if key in UNSUPPORTED and value.raw not in (None, ""):
            faults.append(Fault(key, f"not supported yet: {UNSUPPORTED[key]}", source=value.source))
        elif key in _SWITCHES and str(value.raw).lower() not in ("false", "0", "no", "off", "none"):
            faults.append(Fault(key, "not supported yet", str(value.raw)[:80], "false", value.source))
        elif key in IGNORED:
            warnings.append(f"{key}: ignored: {IGNORED[key]} (from {value.source})")
        elif key in _SWITCHES or key in _DEPENDENT or key in UNSUPPORTED:
            warnings.append(f"{key}: ignored: not supported yet (from {value.source})")
    return faults, warnings
