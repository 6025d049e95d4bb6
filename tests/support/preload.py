"""Libraries in C that are loaded before the C library, to have processes see what is hard to bring about."""

import platform
import shutil
import struct
import tempfile
from pathlib import Path

from tests.support.process import require_program, run

# The numbers of system calls.
CALLS = {
    "x86_64": {"CLOCK_GETTIME": 228, "WRITE": 1, "FSYNC": 74},
    "aarch64": {"CLOCK_GETTIME": 113, "WRITE": 64, "FSYNC": 82},
}


class Preload:
    """``environment()`` is for the processes; the library finds ``number`` in a file that all of them share.

    :param variable: the environment variable that tells the library where that file is
    """

    def __init__(self, source: Path, variable: str, number: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bingsan-preload-"))
        self.folder.chmod(0o755)
        self.variable, self.library, self.shared = (
            variable,
            self.folder / "library.so",
            self.folder / "number",
        )
        self.shared.touch()
        self.shared.chmod(0o666)
        self.number = number
        calls = [f"-D{name}={call}" for name, call in CALLS[platform.machine()].items()]
        compiler = require_program("cc", "gcc")
        run([compiler, "-O2", "-shared", "-fPIC", "-nostdlib", *calls, source, "-o", self.library])

    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), self.variable: str(self.shared)}

    @property
    def number(self) -> int:
        return int(struct.unpack("l", self.shared.read_bytes())[0])

    @number.setter
    def number(self, value: int) -> None:
        with self.shared.open("r+b") as file:
            file.write(struct.pack("l", value))

    def remove(self) -> None:
        shutil.rmtree(self.folder)
