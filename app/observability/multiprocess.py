"""The folder in which the workers of one node keep their figures, and what happens to those of a dead one.

Each start of a node has a folder of its own, held by a lock for as long as one of its processes lives;
folders whose lock is free belong to starts that are over and are removed. A dead worker's counts move into
the files of process number 0, so that the folder does not grow and totals never fall.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import mark_process_dead

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
ARCHIVE: Final = 0
LOCK_WAIT: Final = 1.0

_held: list[int] = []


def prepare_folder(home: Path) -> Path:
    """Make this start's empty folder under ``home``/metrics and name it in the environment. Call before
    forking.

    A folder that the operator named in ``PROMETHEUS_MULTIPROC_DIR`` is used as it is, emptied of old figures.
    """
    parent = home.resolve() / "metrics"
    named = os.environ.get(VARIABLE)
    if named and Path(named).resolve().parent != parent:
        return _emptied(Path(named))
    parent.mkdir(parents=True, exist_ok=True)
    with _locked(parent / ".lock", fcntl.LOCK_EX):
        _remove_abandoned(parent)
        folder = Path(tempfile.mkdtemp(prefix="start-", dir=parent))
        _hold(folder)
    os.environ[VARIABLE] = str(folder)
    return folder


def ensure_folder() -> Path:
    """This process's folder; where nobody prepared one, a temporary one that lasts as long as the process."""
    named = os.environ.get(VARIABLE)
    if named and Path(named).is_dir():
        return Path(named)
    return prepare_folder(Path(tempfile.gettempdir()) / f"bingsan-{os.getuid()}")


def release_folder() -> None:
    """Remove this start's own folder; called by the process that prepared it, when all workers have ended."""
    folder = Path(os.environ.get(VARIABLE, ""))
    if not _held or not folder.name.startswith("start-"):
        return
    shutil.rmtree(folder, ignore_errors=True)
    os.close(_held.pop())


def absorb_dead_process(pid: int) -> None:
    """Keep the counts of the dead process ``pid`` and drop its gauges.

    Its files stay as they are, and still count, when a reader does not let go of the folder for a second.
    Raises OSError or ValueError when they cannot be read.
    """
    folder = ensure_folder()
    mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
    with _locked(folder / ".lock", fcntl.LOCK_EX) as held:
        for kind in ("counter", "histogram"):
            if held and (folder / f"{kind}_{pid}.db").exists():
                _merge(folder, kind, pid)


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """While inside, no figures move between the files of ``folder``."""
    with _locked(folder / ".lock", fcntl.LOCK_SH):
        yield


def _merge(folder: Path, kind: str, pid: int) -> None:
    archive, dead = folder / f"{kind}_{ARCHIVE}.db", folder / f"{kind}_{pid}.db"
    totals: dict[str, float] = {}
    for file in (archive, dead):
        if file.exists():
            values = MmapedDict.read_all_values_from_file(str(file))  # type: ignore[no-untyped-call]
            for key, value, _, _ in values:
                totals[key] = totals.get(key, 0.0) + value
    fresh = archive.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    _write(fresh, totals)
    fresh.replace(archive)
    dead.unlink()


def _write(file: Path, values: dict[str, float]) -> None:
    store = MmapedDict(str(file))  # type: ignore[no-untyped-call]
    try:
        for key, value in values.items():
            store.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]
    finally:
        store.close()  # type: ignore[no-untyped-call]


def _emptied(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink()
    return folder


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob("start-*"):
        with _locked(folder / ".owner", fcntl.LOCK_EX, wait=0) as held:
            if held:
                shutil.rmtree(folder, ignore_errors=True)


def _hold(folder: Path) -> None:
    """Take the folder's lock for this process and all that it forks."""
    descriptor = os.open(folder / ".owner", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    _held.append(descriptor)


@contextmanager
def _locked(file: Path, kind: int, wait: float = LOCK_WAIT) -> Iterator[bool]:
    """Hold the lock on ``file``; False when it was not free for ``wait`` seconds (never blocks an event
    loop)."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _acquired(descriptor, kind, time.monotonic() + wait)
    finally:
        os.close(descriptor)


def _acquired(descriptor: int, kind: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        else:
            return True
