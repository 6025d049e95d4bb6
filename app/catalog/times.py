"""Points in time as people and metadata have them: milliseconds since the epoch."""

import time
from datetime import datetime


def now_ms() -> int:
    """Server time."""
    return time.time_ns() // 1_000_000


def epoch_ms(at: datetime) -> int:
    """A time of the database."""
    return int(at.timestamp() * 1000)


def optional_ms(at: datetime | None) -> int | None:
    """The same of a time that may not have come."""
    return None if at is None else epoch_ms(at)
