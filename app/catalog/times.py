"""Points in time as people and metadata have them: milliseconds since the epoch."""

import time
from datetime import datetime


def now_ms() -> int:
    """Server time."""
    return time.time_ns() // 1_000_000


def epoch_ms(at: datetime) -> int:
    """A time of the database."""
    return int(at.timestamp() * 1000)
