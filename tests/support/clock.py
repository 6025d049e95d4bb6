"""A clock that can be set, for processes that are started with it; their monotonic clock goes on."""

import os
import platform
import shutil
import struct
import tempfile
from pathlib import Path

from tests.support.process import require_program, run

SOURCE = Path(__file__).with_name("clock.c")
CALLS = {"x86_64": 228, "aarch64": 113}  # the number of the system call clock_gettime


class Clock:
    """``environment()`` is for the processes; ``jump`` moves their time of day."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bingsan-clock-"))
        self.folder.chmod(0o755)
        self.library, self.offset = self.folder / "clock.so", self.folder / "offset"
        self.offset.write_bytes(struct.pack("l", 0))
        number = f"-DCLOCK_GETTIME={CALLS[platform.machine()]}"
        compiler = require_program("cc", "gcc")
        run([compiler, "-O2", "-shared", "-fPIC", "-nostdlib", number, SOURCE, "-o", self.library])

    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "CLOCK_OFFSET": str(self.offset)}

    def jump(self, seconds: int) -> None:
        """Let the clock be wrong by so many seconds from now on."""
        with self.offset.open("r+b") as file:
            os.pwrite(file.fileno(), struct.pack("l", seconds), 0)

    def remove(self) -> None:
        shutil.rmtree(self.folder)
