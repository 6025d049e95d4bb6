"""How long the disk takes."""

import os
import tempfile
import time
from pathlib import Path

from tests.benchmark.arithmetic import percentile

WRITES = 200
BYTES = 6_000


def measure_fsync(folder: Path) -> dict[str, float]:
    """Write small files and wait for each, as a commit does; milliseconds of the fsync alone."""
    times = []
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for number in range(WRITES):
            with Path(place, str(number)).open("wb") as file:
                file.write(b"x" * BYTES)
                file.flush()
                begin = time.perf_counter()
                os.fsync(file.fileno())
                times.append((time.perf_counter() - begin) * 1000)
    return {"p50_ms": round(percentile(times, 0.5), 3), "p99_ms": round(percentile(times, 0.99), 3)}
