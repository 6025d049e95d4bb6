"""Data through PyIceberg: writes, snapshots, references, time travel, concurrent writers."""

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import EqualTo, GreaterThan
from pyiceberg.table import Table
from pyiceberg.table.update import AddSchemaUpdate, AssertRefSnapshotId, SetPropertiesUpdate

from tests.clients.pyiceberg import connect
from tests.integration.shapes import PEOPLE
from tests.support.server import TestServer


@pytest.fixture
def table(catalog: Catalog, space: str, people: pa.Table) -> Table:
    """A table with one snapshot of three rows."""
    table = catalog.create_table((space, "people"), PEOPLE)
    table.append(people)
    return table


def ids(table: Table, **scan: object) -> list[int]:
    return sorted(table.scan(**scan).to_arrow()["id"].to_pylist())


def fresh(catalog: Catalog, table: Table) -> Table:
    return catalog.load_table(table.name())


def one(number: int) -> pa.Table:
    return pa.Table.from_pylist([{"id": number, "name": "x", "born": 1}], schema=PEOPLE.as_arrow())


def test_append_and_read_back(catalog: Catalog, table: Table, people: pa.Table) -> None:
    table.append(people)
    rows = fresh(catalog, table).scan(row_filter="born > 1900", selected_fields=("name",)).to_arrow()
    assert sorted(rows["name"].to_pylist()) == ["Edsger", "Edsger", "Grace", "Grace"]
    assert fresh(catalog, table).current_snapshot().summary["total-records"] == "6"


def test_overwrite_replaces_what_the_filter_names(catalog: Catalog, table: Table) -> None:
    table.overwrite(one(9), overwrite_filter=GreaterThan("born", 1900))
    assert ids(fresh(catalog, table)) == [1, 9]
    table.overwrite(one(7))
    assert ids(fresh(catalog, table)) == [7]


def test_delete(catalog: Catalog, table: Table) -> None:
    table.delete(EqualTo("id", 2))
    assert ids(fresh(catalog, table)) == [1, 3]
    table.delete("born > 0")
    assert ids(fresh(catalog, table)) == []


def test_upsert(catalog: Catalog, table: Table) -> None:
    changed = pa.concat_tables([one(3), one(4)])
    result = table.upsert(changed, join_cols=["id"])
    assert (result.rows_updated, result.rows_inserted) == (1, 1)
    assert ids(fresh(catalog, table)) == [1, 2, 3, 4]


def test_snapshot_history(catalog: Catalog, table: Table) -> None:
    table.append(one(4))
    table.delete("id = 1")
    table = fresh(catalog, table)

    assert [snapshot.summary.operation.value for snapshot in table.snapshots()] == [
        "append",
        "append",
        "overwrite",
    ]
    assert [entry.snapshot_id for entry in table.history()] == [s.snapshot_id for s in table.snapshots()]
    assert [s.sequence_number for s in table.snapshots()] == [1, 2, 3]
    assert table.inspect.history().num_rows == 3
    assert table.inspect.metadata_log_entries().num_rows == 4


def test_time_travel(catalog: Catalog, table: Table) -> None:
    first = table.current_snapshot()
    table.append(one(4))
    table.delete("id = 1")
    table = fresh(catalog, table)

    assert ids(table, snapshot_id=first.snapshot_id) == [1, 2, 3]
    assert table.snapshot_as_of_timestamp(first.timestamp_ms).snapshot_id == first.snapshot_id
    assert ids(table) == [2, 3, 4]


def test_rollback(catalog: Catalog, table: Table) -> None:
    first = table.current_snapshot()
    table.append(one(4))
    table.manage_snapshots().rollback_to_snapshot(first.snapshot_id).commit()
    table = fresh(catalog, table)
    assert table.current_snapshot().snapshot_id == first.snapshot_id
    assert ids(table) == [1, 2, 3]
    assert len(table.snapshots()) == 2


def test_branches_and_tags(catalog: Catalog, table: Table) -> None:
    first = table.current_snapshot().snapshot_id
    table.manage_snapshots().create_branch(first, "audit").create_tag(
        first, "v1", max_ref_age_ms=10**12
    ).commit()
    table.append(one(8), branch="audit")
    table.append(one(5))

    table = fresh(catalog, table)
    assert set(table.refs()) == {"main", "audit", "v1"}
    assert table.refs()["v1"].max_ref_age_ms == 10**12
    assert ids(table) == [1, 2, 3, 5]
    assert sorted(table.scan().use_ref("audit").to_arrow()["id"].to_pylist()) == [1, 2, 3, 8]
    assert sorted(table.scan().use_ref("v1").to_arrow()["id"].to_pylist()) == [1, 2, 3]

    table.manage_snapshots().remove_branch("audit").remove_tag("v1").commit()
    assert set(fresh(catalog, table).refs()) == {"main"}


def test_expired_snapshots_are_gone(catalog: Catalog, table: Table) -> None:
    first = table.current_snapshot().snapshot_id
    table.append(one(4))
    table.maintenance.expire_snapshots().by_id(first).commit()
    table = fresh(catalog, table)
    assert table.snapshot_by_id(first) is None
    assert ids(table) == [1, 2, 3, 4]


def test_add_files(catalog: Catalog, table: Table, space: str) -> None:
    copy = catalog.create_table((space, "copy"), PEOPLE)
    copy.add_files([task.file.file_path for task in table.scan().plan_files()])
    assert ids(fresh(catalog, copy)) == [1, 2, 3]


def test_stale_writer_is_refused(catalog: Catalog, table: Table) -> None:
    stale = fresh(catalog, table)
    before = stale.current_snapshot().snapshot_id
    table.append(one(4))
    update = SetPropertiesUpdate(updates={"late": "yes"})
    requirement = AssertRefSnapshotId(ref="main", snapshot_id=before)
    with pytest.raises(CommitFailedException, match="main"):
        catalog.commit_table(stale, (requirement,), (update,))
    assert "late" not in fresh(catalog, table).properties


def test_several_updates_are_one_commit(catalog: Catalog, table: Table) -> None:
    log = table.inspect.metadata_log_entries().num_rows
    with table.transaction() as transaction:
        transaction.append(one(4))
        transaction.append(one(5))
        transaction.set_properties({"batch": "1"})
    table = fresh(catalog, table)
    assert ids(table) == [1, 2, 3, 4, 5]
    assert table.inspect.metadata_log_entries().num_rows == log + 1


def test_concurrent_appends_all_arrive(catalog: Catalog, table: Table, any_server: TestServer) -> None:
    with table.transaction() as transaction:
        transaction.set_properties(
            {"commit.retry.num-retries": "30", "commit.retry.total-timeout-ms": "60000"}
        )

    def write(writer: int) -> None:
        with connect(any_server) as own:
            for number in range(5):
                own.load_table(table.name()).append(one(100 * (writer + 1) + number))

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, writer) for writer in range(4)]:
            done.result()

    expected = [1, 2, 3, *(100 * (writer + 1) + number for writer in range(4) for number in range(5))]
    table = fresh(catalog, table)
    assert ids(table) == expected
    assert [s.sequence_number for s in table.snapshots()] == list(range(1, 22))


def test_same_schema_is_not_added_twice(catalog: Catalog, table: Table) -> None:
    same = table.schema().model_copy(update={"schema_id": -1})
    response = catalog.commit_table(table, (), (AddSchemaUpdate(schema=same),))
    assert len(response.metadata.schemas) == 1
