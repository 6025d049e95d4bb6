"""The search for metadata files that were never committed, on local files and on MinIO."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.catalog import sweep as sweeping
from app.catalog.context import Catalog
from app.catalog.file_names import is_made_by, second_of, unique_text
from app.catalog.storages import WarehouseStorages
from app.catalog.sweep import DELETE_ORPHANS, SWEEP, delete_orphans, sweep
from app.catalog.warehouses import load_warehouse
from app.config import Settings
from app.db import Database
from app.errors import ServiceUnavailableException
from app.jobs import Job, JobInterrupted
from app.storage.executor import DirectExecutor
from tests.conftest import MakeServer
from tests.factories import commit_request, create_table_request, set_properties, unique_name
from tests.support.minio import Minio
from tests.support.process import eventually
from tests.support.server import Client, TestServer
from tests.support.warehouses import LocalWarehouse, S3Warehouse, same_place

SPACE = "/v1/namespaces/ns"
# The change log of a test is as old as the test: this makes it reach back.
AGE = """INSERT INTO changes (
    at, commit_id, warehouse_id, action, object_kind, object_id, namespace, principal, request_id
)
VALUES (now() - interval '9 days', gen_random_uuid(), 1, 'namespace.created', 'namespace', 1, '{ns}', 'p', 'r')"""


class Node:
    """A server without a jobs process, and what a sweep needs."""

    def __init__(self, server: TestServer) -> None:
        self.server, self.http = server, server.client()
        settings = Settings.load(environ=server.environment())
        self.db = Database(settings, pool_size=2)
        storages = WarehouseStorages(settings)
        self.catalog = Catalog(settings, self.db, storages, DirectExecutor())
        self.warehouse = load_warehouse(self.db, 1)
        self.clear()

    def clear(self) -> None:
        """Forget all and begin with an empty namespace."""
        for table in ("changes", "jobs", "tabulars", "held_tabulars", "namespaces"):
            self.server.database.query(f"DELETE FROM {table}")
        files = sorted(self.files())
        if files:
            assert self.catalog.storages.default.for_location(files[0]).delete(files) == {}
        assert self.http.post("/v1/namespaces", json={"namespace": ["ns"]}).status_code == 200
        self.server.database.query(AGE)
        self.configure(mode="delete", grace_period=0.0)

    def configure(self, **changes: Any) -> None:
        settings = self.catalog.settings
        settings = replace(settings, sweep=replace(settings.sweep, **changes))
        self.catalog = replace(self.catalog, settings=settings)

    def table(self, **more: Any) -> dict[str, Any]:
        return self.create(unique_name("t"), **more)

    def create(self, name: str, **more: Any) -> dict[str, Any]:
        answer = self.http.post(f"{SPACE}/tables", json=create_table_request(name, **more))
        assert answer.status_code == 200, answer.text
        return {"name": name, **answer.json()}

    def commit(self, table: dict[str, Any], **properties: str) -> None:
        body = commit_request(set_properties(**properties))
        assert self.http.post(f"{SPACE}/tables/{table['name']}", json=body).status_code == 200

    def put(self, location: str, data: bytes = b"{}") -> str:
        self.catalog.storages.default.for_location(location).write_new(location, data)
        return same_place(location)

    def orphan(self, place: str, made: float | None = None) -> str:
        """A file as a commit leaves it that dies before its COMMIT."""
        unique = unique_text(self.warehouse)
        when = f"{int(made):08x}" if made else unique[:8]
        return self.put(f"{place}/metadata/00000-{when}{unique[8:]}.metadata.json")

    def files(self) -> set[str]:
        return {same_place(file) for file in self.server.warehouse.files()}

    def job(self, kind: str) -> Job:
        row = self.db.fetch_one("claim_job", owner="test", kinds=[kind])
        return Job.from_row(self.db, "test", row, lambda: False)

    def find(self) -> str:
        """Sweep once."""
        self.db.execute("schedule_job", kind=SWEEP, period=1.0)
        self.server.database.query("UPDATE jobs SET run_at = now() WHERE kind = 'sweep-metadata'")
        job = self.job(SWEEP)
        message = sweep(self.catalog, job)
        assert job.finish("completed", message, 1.0)
        return message

    def delete(self) -> list[str]:
        """Do now what the sweep has put off."""
        self.server.database.query("UPDATE jobs SET run_at = now() WHERE kind = 'delete-orphans'")
        messages = []
        while row := self.db.fetch_one("claim_job", owner="test", kinds=[DELETE_ORPHANS]):
            job = Job.from_row(self.db, "test", row, lambda: False)
            messages.append(delete_orphans(self.catalog, job))
            assert job.finish("completed", messages[-1])
        return messages

    def close(self) -> None:
        self.db.close()


@pytest.fixture(scope="module", params=["file", "s3"])
def started(request: pytest.FixtureRequest, make_server: MakeServer) -> Iterator[Node]:
    if request.param == "file":
        warehouse: Any = LocalWarehouse()
    else:
        minio: Minio = request.getfixturevalue("minio")
        warehouse = S3Warehouse(minio, minio.create_bucket(unique_name("sweep").replace("_", "-")), "wh")
    with make_server(warehouse, entry="gunicorn", workers=1) as server:
        assert server.cli("migrate").code == 0  # the root of this warehouse, not of the template's
        running = Node(server)
        yield running
        running.close()
    warehouse.remove()


@pytest.fixture
def node(started: Node) -> Node:
    started.clear()
    return started


# What has no counterpart in a bucket, or is the same there.
only_local = pytest.mark.parametrize("started", ["file"], indirect=True)


def location(table: dict[str, Any]) -> str:
    return table["metadata"]["location"]


def test_what_was_never_committed_goes_and_nothing_else(node: Node) -> None:
    """Also not what left the metadata log, what others named, or what a table without purge left."""
    table = node.table(properties={"write.metadata.previous-versions-max": "1"})
    for number in range(4):
        node.commit(table, key=str(number))
    dropped = node.table()
    assert node.http.delete(f"{SPACE}/tables/{dropped['name']}").status_code == 204
    view = node.table()
    node.put(f"{location(table)}/metadata/00009-6f1e5a44-95a1-4b8e-8c9b-1f7c9c1d7f55.metadata.json")
    node.put(f"{location(table)}/metadata/snap-1.avro")
    node.put(f"{location(table)}/data/{unique_text(node.warehouse)}.metadata.json")
    staged = f"{location(table)}2-{unique_text(node.warehouse)}"
    node.put(f"{staged}/data/1.parquet")
    kept = node.files() | {node.orphan(staged)}
    failed = f"{node.server.warehouse.location}/ns/t-{unique_text(node.warehouse)}"
    orphans = [node.orphan(place) for place in (location(table), location(table), location(view), failed)]
    assert node.find() == "4 orphaned metadata files found"
    assert node.files() == kept | set(orphans)
    assert sorted(node.delete()) == ["1 files deleted, 0 left"] * 2 + ["2 files deleted, 0 left"]
    assert node.files() == kept
    assert node.find() == "0 orphaned metadata files found"


@only_local
def test_the_folder_of_a_failed_creation_goes_with_it(node: Node) -> None:
    failed = f"{node.server.warehouse.location}/ns/t-{unique_text(node.warehouse)}"
    node.orphan(failed)
    node.find()
    node.delete()
    assert not Path(failed.removeprefix("file://")).exists()
    assert Path(failed.removeprefix("file://")).parent.parent.exists()


def test_files_of_held_tables_are_seen_too(node: Node) -> None:
    table = node.table()
    orphan = node.orphan(location(table))
    node.server.database.query(HOLD, table["name"])
    kept = node.files() - {orphan}
    assert node.find() == "1 orphaned metadata files found"
    node.delete()
    assert node.files() == kept


HOLD = """WITH dropped AS (DELETE FROM tabulars t USING namespaces n WHERE n.id = t.namespace_id AND t.name = %s
    RETURNING t.id, t.warehouse_id, t.namespace_id, n.levels, t.name, t.kind, t.uuid, t.location, t.location_key,
        t.metadata_location, t.document)
INSERT INTO held_tabulars (id, warehouse_id, namespace_id, namespace, name, kind, uuid, location, location_key,
    metadata_location, document, protected, purge, dropped_by, expires_at, created_at)
SELECT id, warehouse_id, namespace_id, levels, name, kind, uuid, location, location_key, metadata_location, document,
    false, false, 'p', now() + interval '1 day', now() FROM dropped"""


@only_local
def test_young_files_stay_whatever_only_one_of_name_and_storage_says(node: Node) -> None:
    node.configure(grace_period=3600.0)
    place, hours_ago = location(node.table()), time.time() - 7200
    young, named, touched, old = (node.orphan(place, made) for made in (None, hours_ago, None, hours_ago))
    for file in (touched, old):
        os.utime(file.removeprefix("file://"), (hours_ago, hours_ago))
    node.find()
    node.delete()
    assert node.files() >= {young, named, touched}
    assert old not in node.files()


@only_local
def test_what_is_older_than_the_change_log_stays(node: Node) -> None:
    place, days_ago = location(node.table()), time.time() - 10 * 86_400
    orphan = node.orphan(place, days_ago)
    os.utime(orphan.removeprefix("file://"), (days_ago, days_ago))
    assert node.find() == "0 orphaned metadata files found"


@only_local
def test_what_a_metadata_log_names_stays_although_the_change_log_forgot_it(node: Node) -> None:
    table = node.table()
    node.commit(table, a="1")
    node.server.database.query("UPDATE changes SET after_pointer = NULL")
    assert node.find() == "0 orphaned metadata files found"


@only_local
def test_the_committed_files_of_renamed_tables_stay(node: Node) -> None:
    table = node.table(properties={"write.metadata.previous-versions-max": "1"})
    for number in range(4):
        node.commit(table, key=str(number))
    names = {"source": table["name"], "destination": unique_name("t")}
    body = {key: {"namespace": ["ns"], "name": name} for key, name in names.items()}
    assert node.http.post("/v1/tables/rename", json=body).status_code == 204
    assert node.find() == "0 orphaned metadata files found"


@only_local
@pytest.mark.parametrize("mode", ["report", "off"])
def test_it_can_be_kept_from_deleting(node: Node, mode: str) -> None:
    node.configure(mode=mode)
    orphan = node.orphan(location(node.table()))
    found = {
        "report": "1 orphaned metadata files found, left alone: sweep.mode is report",
        "off": "nothing looked for: sweep.mode is off",
    }
    assert node.find() == found[mode]
    assert node.delete() == []
    assert orphan in node.files()


@only_local
def test_what_was_found_stays_when_the_mode_changes(node: Node) -> None:
    orphan = node.orphan(location(node.table()))
    node.find()
    node.configure(mode="report")
    assert node.delete() == ["nothing deleted: sweep.mode is report"]
    assert orphan in node.files()


@only_local
def test_nobody_adopts_a_file_that_is_being_deleted(node: Node) -> None:
    """Who came before the sweep keeps it, who comes after is refused."""
    table = node.table()
    text = node.catalog.storages.default.for_location(location(table)).read(
        table["metadata-location"], 1 << 20
    )
    files = []
    for _ in range(2):
        other = f"{node.server.warehouse.location}/ns/t-{unique_text(node.warehouse)}"
        uuid = unique_text(node.warehouse)
        moved = text.decode().replace(location(table), other).replace(table["metadata"]["table-uuid"], uuid)
        files.append(
            node.put(f"{other}/metadata/00000-{unique_text(node.warehouse)}.metadata.json", moved.encode())
        )

    def register(file: str) -> tuple[int, str]:
        body = {"name": unique_name("t"), "metadata-location": file}
        answer = node.http.post(f"{SPACE}/register", json=body)
        return answer.status_code, answer.text

    assert register(files[0])[0] == 200
    assert node.find() == "1 orphaned metadata files found"
    status, said = register(files[1])
    assert status == 400
    assert "orphan that is being deleted" in said
    node.delete()
    assert files[0] in node.files()
    assert files[1] not in node.files()


@only_local
def test_a_file_that_was_adopted_between_search_and_deletion_stays(node: Node) -> None:
    table = node.table()
    orphan = node.orphan(location(table))
    assert node.find() == "1 orphaned metadata files found"
    node.server.database.query(
        "UPDATE tabulars SET metadata_location = %s WHERE name = %s", orphan, table["name"]
    )
    assert node.delete() == ["0 files deleted, 1 left"]
    assert orphan in node.files()


@only_local
def test_an_attempt_may_end_anywhere(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "_PAGE", 2)
    orphans = {node.orphan(location(node.table())) for _ in range(5)}
    node.db.execute("schedule_job", kind=SWEEP, period=1.0)
    job = node.job(SWEEP)
    message, interruptions = None, 0
    while message is None:
        steps = iter(range(2 + interruptions))
        job.stopping = lambda steps=steps: next(steps, None) is None
        with suppress(JobInterrupted):
            message = sweep(node.catalog, job)
        interruptions += message is None
    assert interruptions > 5
    node.delete()
    assert not orphans & node.files()


@only_local
def test_a_folder_that_cannot_be_read_does_not_keep_others_from_being_swept(
    node: Node, tmp_path: Path
) -> None:
    spoiled, table = node.table(), node.table()
    folder = Path(f"{location(spoiled)}/metadata".removeprefix("file://"))
    folder.rename(tmp_path / "metadata")
    folder.symlink_to(tmp_path / "metadata")
    orphan = node.orphan(location(table))
    assert node.find() == "1 orphaned metadata files found, 1 folders could not be read"
    node.delete()
    assert orphan not in node.files()


@only_local
def test_a_storage_that_is_away_is_asked_once(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        node.orphan(location(node.table()))
    asked = []

    def away(folder: str, after: str = "") -> None:
        asked.append(folder)
        raise ServiceUnavailableException("away")

    monkeypatch.setattr(node.catalog.storages.default.for_location(location(node.table())), "list_page", away)
    assert node.find() == "0 orphaned metadata files found, 1 folders could not be read"
    assert len(asked) == 1


@only_local
def test_names_tell_who_made_them_and_when(node: Node) -> None:
    table = node.table()
    name = table["metadata-location"].rpartition("/")[2]
    assert re.fullmatch(r"00000-[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}.*", name)
    assert is_made_by(node.warehouse, name)
    assert not is_made_by(replace(node.warehouse, id=2), name)
    assert not is_made_by(node.warehouse, name[:-20] + "00000000.metadata.json"[-20:])
    assert abs(second_of(name) - time.time()) < 60
    texts = {unique_text(node.warehouse) for _ in range(10_000)}
    assert len(texts) == 10_000


def test_the_jobs_process_sweeps_by_itself(make_server: MakeServer) -> None:
    with (
        make_server(settings={"sweep.grace_period": "1h"}, workers=1) as server,
        Client(server.url) as client,
    ):
        node = Node(server)
        table = node.table()
        hours_ago = time.time() - 7200
        orphan = node.orphan(location(table), hours_ago)
        os.utime(orphan.removeprefix("file://"), (hours_ago, hours_ago))
        ours = "kind IN ('sweep-metadata', 'delete-orphans')"
        hurry = f"UPDATE jobs SET run_at = now() WHERE status = 'queued' AND {ours}"

        def gone() -> bool:
            server.database.query(hurry)
            return orphan not in node.files()

        eventually(gone, 30, "the orphan is deleted", interval=0.2)
        assert client.get(f"{SPACE}/tables/{table['name']}").status_code == 200
        node.close()
