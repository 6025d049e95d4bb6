"""What breaks: each breaks it, returns once it can mend by itself or has been mended, and says what it was."""

import random
import signal
import threading
from collections.abc import Callable

from tests.soak.site import Site, jobs_process, master
from tests.support.process import eventually, send
from tests.support.server import TestServer

FROZEN_SECONDS = 4.0
OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


def worker_killed(site: Site, chance: random.Random) -> None:
    kill(chance.choice(site.nodes), lambda node: chance.choice(node.workers()))


def master_killed(site: Site, chance: random.Random) -> None:
    """gunicorn's; the supervisor starts another one."""
    kill(chance.choice(site.nodes), master)


def jobs_killed(site: Site, chance: random.Random) -> None:
    kill(chance.choice(site.nodes), jobs_process)


def kill(node: TestServer, which: Callable[[TestServer], int]) -> None:
    """KILL one process of a node, and wait until the node is whole again."""
    whole = len(node.pids())
    pid = which(node)
    send(pid, signal.SIGKILL)
    eventually(lambda: pid not in node.pids(), 30, "the process is gone")
    eventually(lambda: len(node.pids()) >= whole, 60, "there is another one")
    node.wait_ready()


def node_killed(site: Site, chance: random.Random) -> None:
    node = chance.choice(site.nodes)
    node.kill()
    node.start().wait_ready()


def node_restarted(site: Site, chance: random.Random) -> None:
    node = chance.choice(site.nodes)
    assert node.stop() == 0
    node.start().wait_ready()


def node_frozen(site: Site, chance: random.Random) -> None:
    node = chance.choice(site.nodes)
    pids = node.pids()
    for pid in pids:
        send(pid, signal.SIGSTOP)
    threading.Event().wait(FROZEN_SECONDS)  # the fault itself
    for pid in pids:
        send(pid, signal.SIGCONT)
    node.wait_ready()


def database_restarted(site: Site, _: random.Random) -> None:
    site.postgres.shut_down()
    site.postgres.start()


def database_killed(site: Site, _: random.Random) -> None:
    site.postgres.kill()
    site.postgres.start()


def database_frozen(site: Site, _: random.Random) -> None:
    with site.postgres.paused():
        threading.Event().wait(FROZEN_SECONDS)  # the fault itself


def connections_cut(site: Site, _: random.Random) -> None:
    site.database.query(OTHERS)


Fault = Callable[[Site, random.Random], None]
FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        worker_killed,
        master_killed,
        jobs_killed,
        node_killed,
        node_restarted,
        node_frozen,
        database_restarted,
        database_killed,
        database_frozen,
        connections_cut,
    )
}
