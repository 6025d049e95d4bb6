"""Python packages that must not be in the environment of the tests, kept in the cache."""

import hashlib
import sys
from pathlib import Path

from tests.support.cache import cached
from tests.support.process import run


def package_folder(requirement: str) -> Path:
    """Return a folder with one package, without what it depends on."""

    def install(folder: Path) -> None:
        pip(sys.executable, "--no-deps", "--target", folder, requirement)

    return cached(f"packages/{requirement}", install)


def environment(*requirements: str) -> Path:
    """Return the Python of a virtual environment that holds the packages and all they need."""

    def make(folder: Path) -> None:
        run([sys.executable, "-m", "venv", folder])
        pip(folder / "bin" / "python", *requirements)

    text = " ".join((sys.version, sys.base_prefix, *requirements))
    name = requirements[0].partition("=")[0]
    return (
        cached(f"environments/{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}", make)
        / "bin"
        / "python"
    )


def pip(python: str | Path, *arguments: str | Path) -> None:
    run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments])
