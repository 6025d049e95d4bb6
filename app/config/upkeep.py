"""Settings of what runs beside the requests: jobs, and how long things are kept."""

from dataclasses import dataclass

from app.config.options import choice, duration, integer


@dataclass(frozen=True)
class JobsSettings:
    poll_interval: float = duration("1s", "How often the jobs process looks for due jobs.", low="10ms")
    heartbeat_interval: float = duration("5s", "How often a running job says that it lives.", low="100ms")
    lease_timeout: float = duration("30s", "Silence after which another node takes a job over.", low="1s")
    max_attempts: int = integer(10, 1, 1000, "Attempts before a job counts as failed.")
    retry_delay: float = duration("1s", "Pause before the second attempt; doubled each time.", low="10ms")
    max_retry_delay: float = duration("10m", "Longest pause between two attempts.", low="10ms")


@dataclass(frozen=True)
class ChangesSettings:
    retention: float = duration(
        "168h", "How long rows of the change log are kept, unless the audit needs them longer.", low="1h"
    )


@dataclass(frozen=True)
class SweepSettings:
    mode: str = choice(
        "delete",
        ("delete", "report", "off"),
        "What becomes of metadata files that nothing names: deleted; only logged; not looked for.",
    )
    grace_period: float = duration(
        "72h", "Age from which such a file counts; younger ones are never touched.", low="1h"
    )
    interval: float = duration("24h", "How often they are looked for.", low="1m")
