"""Where the embedded database keeps its files."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.cli.embedded.account import Account
from app.cli.embedded.binaries import SHARED

# A Unix socket's path has at most 107 bytes; the file in the folder is called .s.PGSQL.5432.
_LONGEST_FOLDER = 107 - len("/.s.PGSQL.5432")


@dataclass(frozen=True)
class Layout:
    """``root`` holds the data and the socket; ``password`` stays in ``home``, readable by its owner only."""

    home: Path
    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def unfinished(self) -> Path:
        """The data folder while it is being made; an interrupted attempt leaves nothing that counts."""
        return self.root / "data.new"

    @property
    def password(self) -> Path:
        return self.home / "postgres.password"

    @property
    def output(self) -> Path:
        """What PostgreSQL says before its own log is open, and initdb's output."""
        return self.root / "start.log"

    @property
    def elsewhere(self) -> bool:
        return self.root.parent != self.home

    def major(self) -> int | None:
        """The major version that made the data, ``None`` before there is any."""
        recorded = self.data / "PG_VERSION"
        return int(recorded.read_text().strip()) if recorded.is_file() else None

    def new_socket_folder(self, account: Account) -> Path:
        """An empty folder for the socket; one in the temporary folder where the path is too long, or has a comma,
        which separates hosts for libpq.

        What a dead server left there names a process id that may be somebody else's by now.
        """
        folder = self.root / "run"
        if len(os.fsencode(folder)) > _LONGEST_FOLDER or "," in str(folder):
            folder = Path(tempfile.mkdtemp(prefix="bingsan-"))
        else:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
        account.own(folder)
        return folder


def find_layout(home: Path, account: Account) -> Layout:
    """The layout of ``home``, whose ``postgres`` folder is used if ``account`` can get there."""
    if account.uid is not None:
        home.chmod(home.stat().st_mode | 0o011)  # others may pass through, not look
        if not account.can_enter(home):
            name = f"{home.parent.name}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"
            return Layout(home, SHARED / name)
    return Layout(home, home / "postgres")
