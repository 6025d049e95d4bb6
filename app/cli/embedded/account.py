"""The user that PostgreSQL runs as: it refuses root, so root lends it ``nobody``."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Account:
    """``None`` ids mean: as ourselves."""

    uid: int | None = None
    gid: int | None = None

    def popen_options(self) -> dict[str, Any]:
        """Arguments for ``subprocess`` that start a program as this user."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Can this user reach things below ``folder``?"""
        if self.uid is None:
            return os.access(folder, os.X_OK)
        command = ["/bin/sh", "-c", 'test -x "$0"', str(folder)]
        return subprocess.run(command, check=False, cwd="/", **self.popen_options()).returncode == 0


def postgres_account() -> Account:
    if os.geteuid() != 0:
        return Account()
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)
