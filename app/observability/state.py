"""What every layer may ask about this process: is it draining, and which build is it."""

import os
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class ProcessState:
    """Flags of the running process. Draining starts once and is never taken back."""

    __slots__ = ("_draining",)

    def __init__(self) -> None:
        self._draining = False

    @property
    def draining(self) -> bool:
        """True from the first stop signal on: readiness answers 503 while open requests finish."""
        return self._draining

    def begin_drain(self) -> None:
        self._draining = True


process = ProcessState()


@dataclass(frozen=True)
class Build:
    """``version`` is the package's; ``commit`` the full git hash, or empty where it is not known."""

    version: str
    commit: str


@cache
def build() -> Build:
    """The build this process runs. An image sets ``BINGSAN_COMMIT``; a checkout is asked."""
    return Build(_version(), os.environ.get("BINGSAN_COMMIT") or _checkout_commit())


def _version() -> str:
    try:
        return metadata.version("bingsan")
    except metadata.PackageNotFoundError:
        return _declared_version()


def _declared_version() -> str:
    """The version in setup.cfg, for a checkout that was never installed."""
    setup = ROOT / "setup.cfg"
    lines = setup.read_text(encoding="utf-8").splitlines() if setup.is_file() else []
    values = (line.partition("=")[2].strip() for line in lines if line.startswith("version ="))
    return next(values, "0")


def _checkout_commit() -> str:
    if not (ROOT / ".git").exists():
        return ""
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
