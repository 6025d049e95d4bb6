"""A folder that keeps what is dear to download or build, shared by all checkouts of a user."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """Return the cache folder: ``BINGSAN_CACHE`` or ``~/.cache/bingsan``; it exists afterwards."""
    configured = os.environ.get("BINGSAN_CACHE")
    folder = Path(configured).expanduser() if configured else Path.home() / ".cache" / "bingsan"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the file lock ``name`` of the cache: one process at a time, freed when its holder dies."""
    lock = cache_folder() / f"{name.replace('/', '-')}.lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cached(name: str, build: Callable[[Path], None]) -> Path:
    """Return the folder ``name`` of the cache, made once by ``build(empty folder)``.

    The folder appears by one rename: it is whole or absent, also when a build is killed.
    """
    target = cache_folder() / name
    if target.exists():
        return target
    with locked(name):
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            build_and_rename(target, build)
    return target


def build_and_rename(target: Path, build: Callable[[Path], None]) -> None:
    workplace = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        build(workplace)
        workplace.chmod(0o755)
        workplace.rename(target)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
