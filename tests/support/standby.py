"""A PostgreSQL that follows another one and can take its place."""

import os
from pathlib import Path

from tests.support.postgres import SUPERUSER, Postgres
from tests.support.process import eventually

FOLLOWING = "SELECT pid FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'"


class Standby(Postgres):
    """A copy of ``primary``, which waits for it at every COMMIT: what was acknowledged is here."""

    def __init__(self, primary: Postgres, *, parent: Path | None = None) -> None:
        super().__init__(primary.options, parent=parent)
        self.primary, self.password = primary, primary.password

    def initialise(self) -> None:
        self.data.mkdir(mode=0o700)
        if self.user is not None:
            os.chown(self.data, self.user, self.user)
        address = ["-h", "127.0.0.1", "-p", str(self.primary.port), "-U", SUPERUSER]
        options = ["-D", self.data, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        environment = {**os.environ, "PGPASSWORD": self.password}
        self.run("pg_basebackup", *address, *options, env=environment)

    def __enter__(self) -> "Standby":
        super().__enter__()
        self.primary.admin("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.primary.admin("SELECT pg_reload_conf()")
        eventually(lambda: self.primary.admin(FOLLOWING), 30, "the primary waits for its standby")
        return self

    def promote(self) -> None:
        """Take writes from now on."""
        ((done,),) = self.admin("SELECT pg_promote(true, 60)")
        assert done, self.log.read_text()
