"""PyIceberg's writers on two nodes: nothing that was acknowledged is lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException

from tests.clients.pyiceberg import connect
from tests.factories import unique_name
from tests.integration.shapes import PEOPLE
from tests.support.nodes import Nodes

WRITERS, APPENDS = 10, 10
ARROW = pa.schema([pa.field("id", pa.int64(), nullable=False), ("name", pa.string()), ("born", pa.int64())])


@contextmanager
def connected(nodes: Nodes, count: int) -> Iterator[list[Catalog]]:
    """Return catalogs, each connected to the next node."""
    catalogs = [connect(nodes.servers[number % 2]) for number in range(count)]
    yield catalogs
    for catalog in catalogs:
        catalog.close()


@pytest.fixture
def shared(nodes: Nodes) -> Iterator[tuple[str, str]]:
    """A table that all writers append to."""
    identifier = (unique_name("ns"), "shared")
    with connected(nodes, 1) as (catalog,):
        catalog.create_namespace(identifier[0])
        catalog.create_table(identifier, PEOPLE)
        yield identifier


def append_all(catalog: Catalog, identifier: tuple[str, str], writer: int, start: Barrier) -> None:
    """Append one row at a time; when PyIceberg gives up its own retries, again until it is in."""
    table = catalog.load_table(identifier)
    start.wait()
    for number in range(APPENDS):
        rows = [{"id": writer * APPENDS + number, "name": f"w{writer}", "born": number}]
        data = pa.Table.from_pylist(rows, schema=ARROW)
        while True:
            try:
                table.append(data)
                break
            except CommitFailedException:
                table.refresh()


def conflicts(nodes: Nodes) -> float:
    return sum(server.metric("bingsan_commit_conflicts_total") for server in nodes.servers)


def test_ten_writers_lose_nothing(nodes: Nodes, shared: tuple[str, str]) -> None:
    start, before = Barrier(WRITERS), conflicts(nodes)
    with connected(nodes, WRITERS) as catalogs, ThreadPoolExecutor(WRITERS) as pool:
        jobs = [pool.submit(append_all, each, shared, number, start) for number, each in enumerate(catalogs)]
        for job in jobs:
            job.result()
        assert conflicts(nodes) > before, "the writers never met"
        for catalog in catalogs[:2]:
            check(catalog, shared)


def check(catalog: Catalog, identifier: tuple[str, str]) -> None:
    """Every row is there once, and every append is one snapshot whose parent is the one before it."""
    table = catalog.load_table(identifier)
    ids = table.scan().to_arrow()["id"].to_pylist()
    assert sorted(ids) == list(range(WRITERS * APPENDS))
    snapshots = sorted(table.metadata.snapshots, key=lambda each: each.sequence_number)
    assert [each.sequence_number for each in snapshots] == list(range(1, WRITERS * APPENDS + 1))
    assert [each.parent_snapshot_id for each in snapshots[1:]] == [
        each.snapshot_id for each in snapshots[:-1]
    ]
    assert table.metadata.current_snapshot_id == snapshots[-1].snapshot_id
    assert len(table.metadata.metadata_log) == WRITERS * APPENDS
