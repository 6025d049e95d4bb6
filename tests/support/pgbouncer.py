"""A PgBouncer in front of a PostgreSQL of the tests."""

import os
import shutil
import signal
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Self

import psycopg2

from tests.support.postgres import NOBODY, DatabaseAddress
from tests.support.process import SetupError, eventually, free_port, require_program, start, stop

CONFIGURATION = """[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = {mode}
"""


class PgBouncer:
    """Pools connections to ``target``; ``mode`` is session or transaction."""

    def __init__(self, target: DatabaseAddress, mode: str) -> None:
        self.program = require_program("pgbouncer", "pgbouncer")
        self.user = NOBODY if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="bingsan-pgbouncer-"))
        self.folder.chmod(0o755)
        self.address = replace(target, port=free_port())
        (self.folder / "users.txt").write_text(f'"{target.user}" "{target.password}"\n')
        (self.folder / "pgbouncer.ini").write_text(
            CONFIGURATION.format(
                host=target.host,
                port=target.port,
                own_port=self.address.port,
                folder=self.folder,
                mode=mode,
            )
        )

    def __enter__(self) -> Self:
        command = [self.program, self.folder / "pgbouncer.ini"]
        self.process = start(command, self.folder / "log", user=self.user, end_signal=signal.SIGINT)
        eventually(self.is_ready, 20, f"PgBouncer answers (log: {self.folder / 'log'})")
        return self

    def __exit__(self, *fault: object) -> None:
        stop(self.process, signal.SIGINT)
        shutil.rmtree(self.folder)

    def is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise SetupError(f"PgBouncer ended:\n{(self.folder / 'log').read_text()}")
        try:
            self.address.connect().close()
        except psycopg2.OperationalError:
            return False
        return True
