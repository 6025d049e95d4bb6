"""On what it was measured."""

import os
import platform
import re
from pathlib import Path

from tests.support.postgres import Postgres


def described(postgres: Postgres) -> str:
    """Return the processors, the kernel and the versions of what matters."""
    models = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    model = models[0] if models else platform.machine()
    ((version,),) = postgres.admin("SHOW server_version")
    return (
        f"{os.cpu_count()} processors ({model}), Linux {platform.release()}, Python {platform.python_version()},"
        f" PostgreSQL {version.split()[0]}."
    )
