"""What a node holds when nobody asks it for anything."""

from collections import Counter
from pathlib import Path

from tests.support.proc import open_files
from tests.support.server import TestServer

CLOSE_WAIT = "08"
BUSY = (
    "iceberg_catalog_http_requests_in_progress",
    "iceberg_db_connections_active",
    "iceberg_db_connections_waiting",
)
MINE = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'bingsan%%'"""


class Rest:
    """Taken of a node at rest; ``leaks`` tells what is there later and was not before.

    ``connections`` is how many connections to the database it and other nodes may have in all.
    """

    def __init__(self, server: TestServer, connections: int) -> None:
        self.server, self.connections = server, connections
        self.files = self.open_files()

    def open_files(self) -> dict[int, Counter[str]]:
        """Return the files of each process of the node, but those of its figures, which are opened on first use."""
        mine = ("/dev/", str(self.server.home / "metrics"))
        return {
            pid: Counter(name for name in open_files(pid) if name[0] == "/" and not name.startswith(mine))
            for pid in self.server.pids()
        }

    def leaks(self) -> list[str]:
        """Return transactions, locks, connections, requests and files that are left over."""
        assert self.server.database is not None
        faults = self.server.faults_at_rest()
        faults += [f"{name} is {value:g}" for name in BUSY if (value := self.server.metric(name))]
        ((open_now,),) = self.server.database.query(MINE)
        if open_now > self.connections:
            faults.append(f"{open_now} connections to the database")
        if ended := ended_connections(self.server.port):
            faults.append(f"{ended} connections whose clients have closed them")
        for pid, files in self.open_files().items():
            more = files - self.files.get(pid, files)
            faults += [f"process {pid} holds {name}" for name in more]
        return faults


def ended_connections(port: int) -> int:
    """Return how many connections to a server of the loopback interface only the server holds open."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    parts = [line.split() for line in lines]
    return sum(int(part[1].rpartition(":")[2], 16) == port and part[3] == CLOSE_WAIT for part in parts)
