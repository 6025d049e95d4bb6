"""The settings of commands that may do without a configured database."""

from app.config import ConfigurationError, Settings


def load_settings(*, embedded_fallback: bool) -> Settings:
    """The settings; with ``embedded_fallback`` a missing database is answered by an embedded one."""
    try:
        return Settings.load()
    except ConfigurationError as error:
        unconfigured = any(fault.key == "database.host" and not fault.got for fault in error.faults)
        if not (embedded_fallback and unconfigured):
            raise
    return Settings.load(database__embedded=True)
