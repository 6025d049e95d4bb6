"""Purge of real tables, written by PyIceberg through the service, on local files and on MinIO."""

import gzip
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pytest
import requests
from pyiceberg.catalog import Catalog as Client
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import BadRequestError
from pyiceberg.expressions import EqualTo
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform

from app.catalog import removal
from app.catalog.context import Catalog
from app.catalog.purge import PURGE, Purged, enqueue_purge, purge, refuse_while_purged
from app.catalog.storages import WarehouseStorages
from app.changes.origin import Origin
from app.config import Settings
from app.db import Database
from app.errors import IllegalArgumentException
from app.identifiers import Namespace
from app.jobs import Job, JobInterrupted, Worker
from app.storage.executor import DirectExecutor
from tests.conftest import MakeServer
from tests.factories import unique_name
from tests.support.minio import Minio
from tests.support.process import eventually
from tests.support.server import TestServer
from tests.support.warehouses import LocalWarehouse, S3Warehouse, same_place

OF = Purged(1, Namespace(["n"]), "t", Origin(principal="p", principal_kind="user", request_id="r"))


class Node:
    """A server without a jobs process, a PyIceberg client, and what a purge needs."""

    def __init__(self, server: TestServer) -> None:
        self.server = server
        properties = {"type": "rest", "uri": server.url, **server.warehouse.client_properties()}
        properties["py-io-impl"] = "pyiceberg.io.pyarrow.PyArrowFileIO"
        self.client: Client = load_catalog(unique_name("catalog"), **properties)
        settings = Settings.load(environ=server.environment())
        quick = replace(
            settings.jobs, poll_interval=0.02, retry_delay=0.02, max_retry_delay=0.05, max_attempts=3
        )
        self.settings = replace(settings, jobs=quick)
        self.db = Database(self.settings, pool_size=3)
        storages = WarehouseStorages(self.settings)
        self.catalog = Catalog(self.settings, self.db, storages, DirectExecutor())

    def files(self) -> set[str]:
        return {same_place(file) for file in self.server.warehouse.files()}

    def under(self, location: str) -> set[str]:
        return {file for file in self.files() if file.startswith(same_place(location) + "/")}

    def put(self, location: str, data: bytes = b"x") -> str:
        self.catalog.storages.default.for_location(location).write_new(location, data)
        return same_place(location)

    def job(self) -> dict[str, Any]:
        """The newest purge."""
        columns = "id, status, attempts, message, progress, payload"
        query = f"SELECT {columns} FROM jobs WHERE kind = 'purge' ORDER BY id DESC LIMIT 1"
        return dict(zip(columns.split(", "), self.server.database.query(query)[0], strict=True))

    def work(self) -> dict[str, Any]:
        """Run all purges to their end and return the newest one."""
        worker = Worker(self.db, self.settings.jobs, {PURGE: partial(purge, self.catalog)})

        def end() -> bool:
            left = self.server.database.query(
                "SELECT count(*) FROM jobs WHERE kind = 'purge' AND status IN ('queued', 'retrying', 'running')"
            )
            return left == [(0,)]

        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            eventually(end, 30, "all purges have ended")
        finally:
            worker.stop()
            thread.join()
        return self.job()

    def close(self) -> None:
        self.client.close()
        self.db.close()


@pytest.fixture(scope="module", params=["file", "s3"])
def node(request: pytest.FixtureRequest, make_server: MakeServer) -> Iterator[Node]:
    if request.param == "file":
        warehouse: Any = LocalWarehouse()
    else:
        minio: Minio = request.getfixturevalue("minio")
        warehouse = S3Warehouse(minio, minio.create_bucket(unique_name("purge").replace("_", "-")), "wh")
    with make_server(warehouse, entry="gunicorn", workers=1) as server:
        assert server.cli("migrate").code == 0  # the root of this warehouse, not of the template's
        running = Node(server)
        running.client.create_namespace("ns")
        yield running
        running.close()
    warehouse.remove()


# What has no counterpart in a bucket, or is the same there.
only_local = pytest.mark.parametrize("node", ["file"], indirect=True)

ROWS = pa.table({"id": pa.array(range(30), pa.int64()), "kind": pa.array([f"k{i % 3}" for i in range(30)])})
MakeTable = Callable[..., Table]


@pytest.fixture
def make_table(node: Node) -> MakeTable:
    """A partitioned table with appends, a deletion, an overwrite and a statistics file."""

    def make(**properties: str) -> Table:
        table = node.client.create_table(("ns", unique_name("t")), ROWS.schema, properties=properties)
        with table.update_spec() as spec:
            spec.add_field("kind", IdentityTransform())
        for _ in range(2):
            table.append(ROWS)
        table.delete(EqualTo("id", 4))
        table.overwrite(ROWS, overwrite_filter=EqualTo("kind", "k1"))
        return table

    return make


def drop(node: Node, table: Table) -> None:
    node.client.purge_table(table.name()[-2:])


def test_all_files_of_the_table_go_and_no_others(node: Node, make_table: MakeTable) -> None:
    kept, purged = make_table(), make_table()
    assert purged.location() != kept.location()
    strange = node.put(f"{purged.location()}/data/not-mine.parquet")
    others = node.files() - node.under(purged.location()) | {strange}
    count = len(node.under(purged.location())) - 1
    assert count > 15
    drop(node, purged)
    assert len(node.under(purged.location())) == count + 1
    done = node.work()
    assert (done["status"], done["message"]) == ("completed", f"{count} files deleted")
    assert node.files() == others
    assert (
        node.client.load_table(kept.name()[-2:]).scan().to_arrow().num_rows == kept.scan().to_arrow().num_rows
    )


def test_a_gzipped_table_with_statistics_goes_whole(node: Node, make_table: MakeTable) -> None:
    table = make_table(**{"write.metadata.compression-codec": "gzip"})
    location = table.location()
    snapshot = table.current_snapshot()
    assert snapshot
    statistics = node.put(f"{location}/metadata/s.stats")
    blob = {"snapshot-id": snapshot.snapshot_id, "file-size-in-bytes": 1}
    update = {"action": "set-statistics", "snapshot-id": snapshot.snapshot_id}
    update["statistics"] = {
        **blob,
        "statistics-path": statistics,
        "file-footer-size-in-bytes": 1,
        "blob-metadata": [],
    }
    partition = node.put(f"{location}/metadata/p.parquet")
    more = {
        "action": "set-partition-statistics",
        "partition-statistics": {**blob, "statistics-path": partition},
    }
    post(node, table, [update, more])
    drop(node, table)
    assert node.work()["status"] == "completed"
    assert node.under(location) == set()


def post(node: Node, table: Table, updates: list[dict[str, Any]]) -> None:
    path = f"{node.server.url}/v1/namespaces/ns/tables/{table.name()[-1]}"
    answer = requests.post(path, json={"requirements": [], "updates": updates}, timeout=30)
    assert answer.status_code == 200, answer.text


@only_local
@pytest.mark.parametrize("value", ["false", "FALSE"])
def test_without_garbage_collection_data_stays(node: Node, make_table: MakeTable, value: str) -> None:
    table = make_table()
    post(node, table, [{"action": "set-properties", "updates": {"gc.enabled": value}}])
    data = {same_place(path) for path in data_files(table)}
    drop(node, table)
    assert node.work()["status"] == "completed"
    assert node.under(table.location()) == data


def data_files(table: Table) -> set[str]:
    return set(table.inspect.all_files()["file_path"].to_pylist())


def test_a_table_registered_again_keeps_everything(node: Node, make_table: MakeTable) -> None:
    table = make_table()
    rows = table.scan().to_arrow().num_rows
    before = node.under(table.location())
    drop(node, table)
    again = ("ns", unique_name("again"))
    # The service refuses to register while the purge is pending, so the row comes first.
    pending = node.server.database.query("DELETE FROM jobs WHERE status = 'queued' RETURNING payload")
    node.client.register_table(again, table.metadata_location)
    node.server.database.query(
        "INSERT INTO jobs (kind, payload) VALUES ('purge', %s)", json.dumps(pending[0][0])
    )
    done = node.work()
    assert done["status"] == "completed"
    assert done["message"] == f"0 files deleted, {len(before)} left because a live table or view has them"
    assert node.under(table.location()) == before
    assert node.client.load_table(again).scan().to_arrow().num_rows == rows


def test_files_of_another_table_stay_however_they_are_claimed(node: Node, make_table: MakeTable) -> None:
    """One table names the files of another, and even calls the other's folder its own."""
    victim = make_table()
    thief = node.client.create_table(("ns", unique_name("thief")), ROWS.schema)
    thief.append(ROWS)
    thief.add_files(sorted(data_files(victim)), check_duplicate_files=False)
    paths = {"write.data.path": victim.location(), "write.metadata.path": f"{thief.location()}/metadata"}
    post(node, thief, [{"action": "set-properties", "updates": paths}])
    before = node.under(victim.location())
    drop(node, thief)
    done = node.work()
    assert done["status"] == "completed"
    assert "left because a live table or view has them" in done["message"]
    assert node.under(victim.location()) == before
    assert node.under(thief.location()) == set()


def test_write_paths_are_emptied_of_own_files_only(node: Node, make_table: MakeTable) -> None:
    root = node.server.warehouse.location
    elsewhere = f"{root}/{unique_name('elsewhere')}"
    table = make_table(**{"write.data.path": f"{elsewhere}/data", "write.metadata.path": f"{elsewhere}/meta"})
    assert node.under(elsewhere)
    foreign = {node.put(f"{elsewhere}/data/foreign"), node.put(f"{elsewhere}/database/sibling")}
    drop(node, table)
    assert node.work()["status"] == "completed"
    assert node.under(elsewhere) == foreign
    assert node.under(table.location()) == set()


@only_local
def test_files_outside_the_tables_places_stay(node: Node, make_table: MakeTable) -> None:
    root = node.server.warehouse.location
    elsewhere = f"{root}/{unique_name('elsewhere')}"
    table = make_table(**{"write.data.path": elsewhere})
    post(node, table, [{"action": "remove-properties", "removals": ["write.data.path"]}])
    before = node.under(elsewhere)
    drop(node, table)
    done = node.work()
    assert done["status"] == "completed"
    assert f"{len(before)} left outside the table's locations" in done["message"]
    assert node.under(elsewhere) == before


def test_missing_files_are_fine(node: Node, make_table: MakeTable) -> None:
    table = make_table()
    named = [file for file in node.under(table.location()) if re.search(r"\.parquet$|-m\d+\.avro$", file)]
    missing = sorted(named)[::2]
    assert node.catalog.storages.default.for_location(missing[0]).delete(missing) == {}
    drop(node, table)
    assert node.work()["status"] == "completed"
    left = node.under(table.location())
    assert all(file.endswith(".parquet") for file in left), left


@only_local
def test_a_missing_metadata_file_fails_the_job_with_its_name(node: Node, make_table: MakeTable) -> None:
    table = make_table()
    node.catalog.storages.default.for_location(table.location()).delete([table.metadata_location])
    drop(node, table)
    done = node.work()
    assert (done["status"], done["attempts"]) == ("failed", 3)
    assert done["message"] == f"Failed to open input stream for file: {table.metadata_location}"


@only_local
def test_an_unreadable_manifest_stops_before_anything_that_names_it(
    node: Node, make_table: MakeTable
) -> None:
    table = make_table()
    snapshot = table.current_snapshot()
    assert snapshot
    manifests = sorted(manifest.manifest_path for manifest in snapshot.manifests(table.io))
    storage = node.catalog.storages.default.for_location(manifests[0])
    content = storage.read(manifests[0], 1 << 20)
    storage.delete([manifests[0]])
    storage.write_new(manifests[0], b"garbage")
    names = {file for file in node.under(table.location()) if not file.endswith(".parquet")}
    drop(node, table)
    done = node.work()
    assert done["status"] == "failed"
    assert done["message"].startswith(
        f"1 files cannot be read, the first: {manifests[0]}: not a readable Avro"
    )
    assert names <= node.under(table.location())
    storage.delete([manifests[0]])
    storage.write_new(manifests[0], content)
    node.server.database.query("UPDATE jobs SET status = 'queued', attempts = 0 WHERE id = %s", done["id"])
    assert node.work()["status"] == "completed"
    assert node.under(table.location()) == set()


@only_local
def test_an_attempt_may_end_anywhere(
    node: Node, make_table: MakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "_BATCH", 2)
    table = make_table()
    drop(node, table)
    row = node.db.fetch_one("claim_job", owner="test", kinds=[PURGE])
    interruptions = 0
    message = None
    while message is None:
        steps = iter(range(2 + interruptions))
        job = Job.from_row(node.db, "test", row, lambda steps=steps: next(steps, None) is None)
        job.progress = node.job()["progress"] or {}
        with suppress(JobInterrupted):
            message = purge(node.catalog, job)
        interruptions += message is None
    assert job.finish("completed", message)
    assert interruptions > 5
    assert node.under(table.location()) == set()


@only_local
def test_an_attempt_that_ended_after_the_last_file_is_known_to_be_complete(
    node: Node, make_table: MakeTable
) -> None:
    table = make_table()
    drop(node, table)
    node.work()
    node.server.database.query("UPDATE jobs SET status = 'queued' WHERE id = %s", node.job()["id"])
    done = node.work()
    assert (done["status"], done["message"]) == ("completed", "all files were deleted by an earlier attempt")


@only_local
def test_old_metadata_that_names_manifests_itself(node: Node, make_table: MakeTable) -> None:
    """Format version 1 allowed a list of manifests in the snapshot."""
    table = make_table()
    metadata = json.loads(table.metadata.model_dump_json(by_alias=True, exclude_none=True))
    manifests = {}
    for snapshot in table.metadata.snapshots:
        manifests[snapshot.snapshot_id] = [one.manifest_path for one in snapshot.manifests(table.io)]
    lists = {same_place(snapshot.pop("manifest-list")) for snapshot in metadata["snapshots"]}
    for snapshot in metadata["snapshots"]:
        snapshot["manifests"] = manifests[snapshot["snapshot-id"]]
    node.client.drop_table(table.name()[-2:])
    old = f"{table.location()}/metadata/v1.gz.metadata.json"
    document = json.dumps(metadata)
    node.put(old, gzip.compress(document.encode()))
    current = same_place(table.metadata_location)
    with node.db.transaction() as tx:
        enqueue_purge(tx, 1, old, document, OF)
    assert node.work()["status"] == "completed"
    assert node.under(table.location()) == {*lists, current}


@only_local
def test_checksums_and_empty_folders_go_but_nothing_else(node: Node, make_table: MakeTable) -> None:
    table = make_table()
    folder = Path(table.location().removeprefix("file://"))
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        path.with_name(f".{path.name}.crc").touch()
    foreign = folder / "data" / "kind=k0" / "foreign"
    foreign.touch()
    drop(node, table)
    assert node.work()["status"] == "completed"
    left = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    assert left == {"data", "data/kind=k0", "data/kind=k0/foreign"}


@only_local
def test_the_tables_folder_goes_when_it_is_empty(node: Node, make_table: MakeTable) -> None:
    table = make_table()
    folder = Path(table.location().removeprefix("file://"))
    drop(node, table)
    assert node.work()["status"] == "completed"
    assert not folder.exists()
    assert folder.parent.is_dir()


@only_local
def test_a_folder_that_became_a_symlink_is_not_entered(
    node: Node, make_table: MakeTable, tmp_path: Path
) -> None:
    table = make_table()
    folder = Path(table.location().removeprefix("file://"))
    (folder / "data").rename(tmp_path / "data")
    (folder / "data").symlink_to(tmp_path / "data")
    before = sorted(tmp_path.rglob("*"))
    drop(node, table)
    done = node.work()
    assert done["status"] == "failed"
    assert "symbolic link" in done["message"]
    assert sorted(tmp_path.rglob("*")) == before


@only_local
def test_a_manifest_outside_the_allowed_locations_is_not_read(
    node: Node, make_table: MakeTable, tmp_path: Path
) -> None:
    """A snapshot points to a manifest list elsewhere, which names a file of this table that must stay."""
    table = make_table()
    kept = node.put(f"{table.location()}/data/kept.parquet")
    schema = {"type": "record", "name": "m", "fields": [{"name": "manifest_path", "type": "string"}]}
    stream = io.BytesIO()
    fastavro.writer(stream, schema, [{"manifest_path": kept}])
    outside = tmp_path / "list.avro"
    outside.write_bytes(stream.getvalue())
    document = {"location": table.location(), "snapshots": [{"manifest-list": f"file://{outside}"}]}
    node.client.drop_table(table.name()[-2:])
    path = f"{table.location()}/metadata/forged.metadata.json"
    node.put(path, json.dumps(document).encode())
    with node.db.transaction() as tx:
        enqueue_purge(tx, 1, path, json.dumps(document), OF)
    assert node.work()["status"] == "completed"
    assert kept in node.files()
    assert outside.exists()


@only_local
def test_adopting_files_waits_for_the_end_of_a_purge(node: Node, make_table: MakeTable) -> None:
    table = make_table()
    drop(node, table)

    def refused(location: str) -> bool:
        try:
            with node.db.transaction() as tx:
                refuse_while_purged(tx, location)
        except IllegalArgumentException:
            return True
        return False

    around = (table.location(), f"{table.location()}/inner", table.location().rpartition("/")[0])
    assert all(refused(location) for location in around)
    assert not refused(f"{table.location()}2")
    with pytest.raises(BadRequestError, match="is being purged"):
        node.client.register_table(("ns", unique_name("t")), table.metadata_location)
    node.work()
    assert all(refused(location) for location in around)
    node.server.database.query("UPDATE jobs SET finished_at = finished_at - interval '2 minutes'")
    assert not any(refused(location) for location in around)


@only_local
def test_a_purge_is_queued_with_the_drop_or_not_at_all(node: Node, make_table: MakeTable) -> None:
    table = make_table()
    count = "SELECT count(*) FROM jobs"
    before = node.server.database.query(count)

    def drop_and_fail() -> None:
        with node.db.transaction() as tx:
            document = table.metadata.model_dump_json(by_alias=True)
            enqueue_purge(tx, 1, table.metadata_location, document, OF)
            refuse_while_purged(tx, table.location())

    with pytest.raises(IllegalArgumentException, match="is being purged"):
        drop_and_fail()
    assert node.server.database.query(count) == before


def test_the_jobs_process_purges_by_itself(make_server: MakeServer) -> None:
    with make_server(workers=1) as server:
        running = Node(server)
        running.client.create_namespace("ns")
        table = running.client.create_table(("ns", "t"), ROWS.schema)
        table.append(ROWS)
        assert running.under(table.location())
        drop(running, table)
        eventually(lambda: not running.files(), 10, "no file is left")
        running.close()
