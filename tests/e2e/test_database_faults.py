"""The database breaks under load: nothing acknowledged is lost, and everything works again by itself.

One node serves through all of it and is never started again. It reaches its database through a proxy, so that
connections can be cut and the address can move to another server.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.load import Load
from tests.load.history import Outcome
from tests.load.rest import Rest
from tests.load.watch import Watch
from tests.support.clock import Clock
from tests.support.disk import SmallDisk
from tests.support.postgres import FAST, Postgres
from tests.support.process import eventually
from tests.support.proxy import Proxy
from tests.support.server import Client, TestServer
from tests.support.standby import Standby
from tests.support.warehouses import LocalWarehouse, same_place

SMALL_WAL = ["-c", "max_wal_size=64MB", "-c", "min_wal_size=32MB"]
POOL = 8
SCARCE = {"database.max_open_conns": POOL, "database.acquire_timeout": "1s"}  # locks are waited for longer
CONNECTIONS = POOL + 2 * 2 + 6  # of the pool; of each worker's own; of the jobs process
FROZEN_SECONDS = 20
DAY = 24 * 60 * 60
COMMITS = {"commit": 4, "load": 1}
NO_SPACE = """CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER no_space BEFORE INSERT ON changes FOR EACH ROW EXECUTE FUNCTION no_space()"""
# The table is locked before its partitions, as by everybody else.
SPACE = "BEGIN; LOCK TABLE changes; DROP FUNCTION no_space CASCADE; COMMIT"


@dataclass
class Site:
    """A node with its database on a disk of its own."""

    disk: SmallDisk
    postgres: Postgres
    proxy: Proxy
    server: TestServer
    stack: ExitStack

    @contextmanager
    def under_load(self, more: Sequence[str] = (), **options: Any) -> Iterator[tuple[Load, Watch]]:
        """Run a load during the block, and check afterwards what it has seen and what is left of it."""
        database = self.server.database
        assert database is not None
        rest = Rest(self.server, CONNECTIONS * (1 + len(more)))
        with Watch(self.server.url) as watch:
            with Load([self.server.url, *more], self.server.warehouse, **options) as load:
                load.flows()
                load.goes_on(20)
                workers = self.server.workers()
                yield load, watch
                load.flows()
                load.goes_on(20)
            watch.says(200)
        print(load.history)
        assert self.server.workers() == workers
        assert watch.silent() == []
        load.verify(database)
        assert len(load.orphans(database)) <= load.unknown()
        self.purge(f"/v1/namespaces/{load.history.namespace}/tables/{load.tables[-1]}")
        eventually(lambda: at_rest(rest), 30, "nothing is left over", interval=0.2)

    def purge(self, table: str) -> None:
        """Drop a table with its files, which is the work of the jobs process."""
        with Client(self.server.url) as client:
            file = same_place(client.get(table).json()["metadata-location"])
            assert client.delete(table, params={"purgeRequested": "true"}).status_code == 204
        eventually(lambda: file not in self.server.warehouse.files(), 60, "the file is gone", interval=0.1)


def at_rest(rest: Rest) -> bool:
    leaks = rest.leaks()
    assert not leaks, leaks
    return True


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with ExitStack() as stack:
        disk = stack.enter_context(SmallDisk(600))
        postgres = stack.enter_context(Postgres([*FAST, *SMALL_WAL], parent=disk.folder))
        proxy = stack.enter_context(Proxy(postgres.port))
        warehouse = LocalWarehouse()
        stack.callback(warehouse.remove)
        database = replace(postgres.create_database(), port=proxy.port)
        server = stack.enter_context(TestServer(warehouse, database, settings=SCARCE))
        yield Site(disk, postgres, proxy, server, stack)


@contextmanager
def restarted(site: Site) -> Iterator[None]:
    site.postgres.shut_down()
    yield
    site.postgres.start()


@contextmanager
def killed(site: Site) -> Iterator[None]:
    """At a COMMIT that does not arrive."""
    kill_at_commit(site, delivered=False)
    yield
    site.postgres.start()


@contextmanager
def failed_over(site: Site) -> Iterator[None]:
    """At a COMMIT whose answer is lost; the standby has it."""
    standby = site.stack.enter_context(Standby(site.postgres, parent=site.disk.folder))
    kill_at_commit(site, delivered=True)
    yield
    standby.promote()
    site.postgres, site.proxy.target_port = standby, standby.port


def kill_at_commit(site: Site, *, delivered: bool) -> None:
    with site.proxy.cutting(b"COMMIT", delivered=delivered) as cut:
        cut.and_then = site.postgres.kill
        eventually(lambda: not site.postgres.is_running(), 30, "the server is killed at a COMMIT")


Fault = Callable[[Site], "contextmanager[None]"]


@pytest.mark.parametrize("fault", [restarted, killed, failed_over])
def test_database_gone_and_back(site: Site, fault: Fault) -> None:
    with site.under_load() as (_, watch):  # noqa: SIM117 -- the load goes on after the fault
        with fault(site):
            gone = time.monotonic()
            watch.says(503)
            back = time.monotonic()
    assert watch.lies(gone, back) == []


def test_database_frozen(site: Site) -> None:
    """For longer than a statement may take: every request gets its answer, also commits on their way."""
    with site.under_load() as (_, watch):
        with site.postgres.paused():
            gone = time.monotonic()
            watch.says(503)
            eventually(lambda: time.monotonic() > gone + FROZEN_SECONDS, 60, "it has been frozen for long")
            back = time.monotonic()
        assert watch.lies(gone, back) == []


def test_connections_cut(site: Site) -> None:
    """At COMMIT, whether it arrives or not, and all at once at any time."""
    with site.under_load() as (load, _):
        for delivered in (True, False) * 4:
            with site.proxy.cutting(b"COMMIT", delivered=delivered) as cut:
                eventually(lambda cut=cut: cut.happened, 30, "a COMMIT is cut off")
            site.proxy.sever()
            load.goes_on(1)


@contextmanager
def said_full(site: Site) -> Iterator[None]:
    """Let the database say what it says when its disk is full."""
    database = site.server.database
    assert database is not None
    database.query(NO_SPACE)
    yield
    with closing(database.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(SPACE)


@pytest.mark.parametrize("way", ["full", "said_full"])
def test_disk_full(site: Site, way: str) -> None:
    """Changes are refused, nothing is lost, reads go on; ``/ready`` does not call that an outage."""
    really = way == "full" and site.disk.can_be_full  # where mounting is not allowed it is said twice
    with site.under_load() as (load, _), full(site) if really else said_full(site):
        refused = refusals(load)
        eventually(lambda: refusals(load) > refused + 20, 60, "changes are refused", interval=0.1)
        seen = len(load.history.sights)
        eventually(lambda: len(load.history.sights) > seen + 20, 60, "reads go on", interval=0.1)


def refusals(load: Load) -> int:
    return sum(each.outcome is Outcome.REFUSED for each in load.history.commits)


@contextmanager
def full(site: Site) -> Iterator[None]:
    """Fill the disk of the database, which may end of that."""
    with site.disk.full():
        yield
    if not site.postgres.is_running():
        site.postgres.start()


def test_pool_exhausted(site: Site) -> None:
    """Everybody waits for a lock: who finds no connection in time is refused, and the node stays ready."""
    with site.under_load(http_clients=24, weights={"load": 2, "create": 2, "commit": 1}) as (_, watch):
        before = len(exhausted(site))
        with closing(site.postgres.address(site.server.database.name).connect()) as holder:
            holder.cursor().execute("LOCK TABLE tabulars IN ACCESS EXCLUSIVE MODE")
            eventually(lambda: len(exhausted(site)) > before + 10, 60, "requests are refused", interval=0.5)
            watch.says(200)


def exhausted(site: Site) -> list[dict[str, Any]]:
    """Return the log lines of requests that found no connection."""
    return [line for line in site.server.logs() if "database.max_open_conns" in str(line.get("error"))]


def test_a_hundred_clients_commit_to_one_table(site: Site) -> None:
    """Everybody comes to a success, again and again."""
    with site.under_load(http_clients=100, pyiceberg_clients=0, tables=1, weights=COMMITS):
        pass


def test_clock_jumps(site: Site) -> None:
    """The clock of one of two nodes goes wrong by a day, both ways: versions still come in the order of their times."""
    clock = Clock()
    with TestServer(site.server.warehouse, site.server.database, env=clock.environment()) as second:
        with site.under_load(more=[second.url]) as (load, _):
            for seconds in (DAY, -DAY, 0):
                clock.jump(seconds)
                eventually(lambda seconds=seconds: abs(wrong(second) - seconds) < 60, 30, "the clock jumps")
                load.flows()
        with closing(second.client()) as client:
            assert client.get("/ready").status_code == 200
    clock.remove()


def wrong(server: TestServer) -> float:
    """Return by how many seconds the clock of a node is ahead."""
    with Client(server.url) as client:
        said = parsedate_to_datetime(client.get("/health").headers["Date"])
    return said.timestamp() - time.time()
