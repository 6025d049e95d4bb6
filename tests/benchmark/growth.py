"""What each operation costs in a catalog of few and of many tables, half of them in one namespace (``bulk.py``).

Counts are those of PostgreSQL: pages touched, rows returned. They are the same whatever else the machine does;
processor times are not.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.benchmark.arithmetic import growth
from tests.benchmark.bulk import BULK, NAMESPACES, SPACES, done, fill
from tests.benchmark.load import Processor
from tests.benchmark.site import Site, running_site
from tests.factories import commit_request, create_table_request, set_properties, unique_name
from tests.support.postgres import FAST, DatabaseAddress, Postgres
from tests.support.server import Client

SIZES = (1_000, 10_000, 100_000)
TIMES = 100
STATEMENTS = {"server.hot_path": "false"}  # answers that are kept have no costs to compare
LISTS = 5  # times of what costs more the more there is
FLUSH = 1.1  # seconds after which a session of PostgreSQL tells its counts at the end of a statement
ALLOWED = 1.5
"""How much more may be touched at the last size than at the first: trees get a level deeper."""

COUNTS = "SELECT blks_hit + blks_read, tup_returned FROM pg_stat_database WHERE datname = current_database()"


@dataclass(frozen=True)
class Cost:
    """Of one operation at one size, each: pages and rows of PostgreSQL, processor time in microseconds."""

    pages: float
    rows: float
    cpu_us: float
    database_cpu_us: float


@dataclass(frozen=True)
class Operation:
    """``ask`` is called with 0, 1, 2 …; ``listed`` is how many things one call lists where that grows."""

    name: str
    ask: Callable[[int], None]
    times: int = TIMES
    listed: int = 0


def measure(sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Return the costs of every operation at every size, and what grew."""
    costs: dict[str, list[dict[str, float]]] = {}
    listed: dict[str, list[int]] = {}
    with Postgres(options=[*FAST, "-c", "autovacuum=off"]) as postgres:
        for size in sizes:
            with running_site(postgres, STATEMENTS, entry="gunicorn", workers=1) as site:
                fill(site, size)
                for operation in operations(site.client(), size):
                    costs.setdefault(operation.name, []).append(asdict(cost(site, operation)))
                    listed.setdefault(operation.name, []).append(operation.listed)
    return {
        "sizes": list(sizes),
        "allowed": ALLOWED,
        "operations": [row(name, costs[name], listed[name]) for name in costs],
    }


def row(name: str, costs: list[dict[str, float]], listed: Sequence[int]) -> dict[str, Any]:
    """``growth`` is in pages and in processor time; for lists that grow, in those per thing that is listed."""
    each = [max(1, number) for number in listed]
    pages = growth([one["pages"] / number for one, number in zip(costs, each, strict=True)])
    spent = growth(
        [(one["cpu_us"] + one["database_cpu_us"]) / number for one, number in zip(costs, each, strict=True)]
    )
    return {
        "name": name,
        "costs": costs,
        "listed": list(listed),
        "growth_pages": round(pages, 2),
        "growth_cpu": round(spent, 2),
        "verdict": "constant" if pages <= ALLOWED else "grows",
    }


def cost(site: Site, operation: Operation) -> Cost:
    """What an operation costs on the average."""
    database = site.server.database
    assert database is not None
    operation.ask(0)
    counts, before = told_counts(database, operation, 1), Processor.now(*site.pids())
    for number in range(2, operation.times + 2):
        operation.ask(number)
    taken = Processor.now(*site.pids()).since(before)
    after = told_counts(database, operation, operation.times + 2)
    asked = operation.times + 1
    pages, rows = ((end - begin) / asked for end, begin in zip(after, counts, strict=True))
    return Cost(
        pages=round(pages, 1),
        rows=round(rows, 1),
        cpu_us=round(taken.service / operation.times * 1e6, 1),
        database_cpu_us=round(taken.database / operation.times * 1e6, 1),
    )


def told_counts(database: DatabaseAddress, operation: Operation, number: int) -> tuple[int, int]:
    """Ask once more, late enough for every session to tell what it counted before, and return pages and rows."""
    time.sleep(FLUSH)
    operation.ask(number)
    ((pages, rows),) = database.query(COUNTS)
    return pages, rows


def operations(client: Client, size: int) -> Iterator[Operation]:
    """In an order in which each finds what the ones before have left."""
    half = size // 2
    tables = f"{NAMESPACES}/{BULK}/tables"

    def bulk(number: int) -> str:
        """Tables far from one another; their numbers have no divisor in common with how many there are."""
        return f"{tables}/t{number * 7919 % half + 1}"

    def space(number: int) -> str:
        return f"{NAMESPACES}/s{number * 7919 % max(1, half // 100) + 1}"

    first = done(client.get(f"{tables}?pageToken=&pageSize=100"))["next-page-token"]
    created = [unique_name("grown") for _ in range(TIMES + 3)]
    body = commit_request(set_properties(owner="bench"))
    yield Operation("load namespace", lambda number: done(client.get(space(number))))
    yield Operation("table exists", lambda number: done(client.head(bulk(number)), 204))
    yield Operation("load table", lambda number: done(client.get(bulk(number))))
    yield Operation(
        "load a table that is not there", lambda number: done(client.get(f"{tables}/no{number}"), 404)
    )
    yield Operation(
        "second page of 100 tables", lambda _: done(client.get(f"{tables}?pageToken={first}&pageSize=100"))
    )
    yield Operation(
        "first page of 100 namespaces", lambda _: done(client.get(f"{NAMESPACES}?pageToken=&pageSize=100"))
    )
    yield Operation(
        "list the tables of one of many namespaces",
        lambda number: done(client.get(f"{space(number)}/tables")),
    )
    yield Operation("commit", lambda number: done(client.post(bulk(number), json=body)))
    yield Operation(
        "create namespace",
        lambda number: done(client.post(NAMESPACES, json={"namespace": [created[number]]})),
    )
    yield Operation(
        "create table", lambda number: done(client.post(tables, json=create_table_request(created[number])))
    )
    yield Operation(
        "rename table",
        lambda number: done(client.post("/v1/tables/rename", json=renamed(created[number])), 204),
    )
    yield Operation("drop table", lambda number: done(client.delete(f"{tables}/{created[number]}_new"), 204))
    yield Operation(
        "drop namespace", lambda number: done(client.delete(f"{NAMESPACES}/{created[number]}"), 204)
    )
    yield Operation(
        "list all tables of the largest namespace", lambda _: done(client.get(tables)), LISTS, half
    )
    yield Operation(
        "list all namespaces", lambda _: done(client.get(NAMESPACES)), LISTS, max(half // 100, SPACES)
    )


def renamed(name: str) -> dict[str, Any]:
    old, new = ({"namespace": [BULK], "name": one} for one in (name, f"{name}_new"))
    return {"source": old, "destination": new}
