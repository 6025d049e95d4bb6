"""Register: an existing metadata file becomes a table as it is."""

import gzip
import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.calls import (
    Tabular,
    assert_error,
    local,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    table_path,
)
from tests.factories import set_properties, unique_name
from tests.support.server import Client, TestServer


def register(client: Client, namespace: str, name: str, location: Any, **more: Any) -> Any:
    body = {"name": name, "metadata-location": location, **more}
    return client.post(f"{namespace_path(namespace)}/register", json=body)


@pytest.fixture
def orphan(client: Client, table: Tabular) -> dict[str, Any]:
    """What a load said about a table that was dropped since."""
    table.commit(set_properties(a="1"))
    loaded = table.load()
    no_content(client.delete(table.path))
    return loaded


@pytest.fixture
def folder(server: TestServer, client: Client) -> Path:
    """A folder of the warehouse to put files in."""
    path = local(server.warehouse.location) / unique_name("foreign") / "metadata"
    path.mkdir(parents=True)
    return path


def foreign(folder: Path, **changes: Any) -> dict[str, Any]:
    """Return the metadata of a table that somebody else wrote; None removes a member."""
    document = {
        "format-version": 2,
        "table-uuid": str(uuid4()),
        "location": f"file://{folder.parent}",
        "last-sequence-number": 0,
        "last-updated-ms": 1_700_000_000_000,
        "last-column-id": 1,
        "current-schema-id": 0,
        "schemas": [
            {
                "type": "struct",
                "schema-id": 0,
                "fields": [{"id": 1, "name": "id", "required": False, "type": "long"}],
            }
        ],
        "default-spec-id": 0,
        "partition-specs": [{"spec-id": 0, "fields": []}],
        "last-partition-id": 999,
        "default-sort-order-id": 0,
        "sort-orders": [{"order-id": 0, "fields": []}],
        **changes,
    }
    return {name: value for name, value in document.items() if value is not None}


def write(folder: Path, document: Any, name: str = "00003-x.metadata.json") -> str:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    (folder / name).write_bytes(data)
    return f"file://{folder / name}"


def test_register_adopts_the_file_as_it_is(client: Client, namespace: str, orphan: dict[str, Any]) -> None:
    name = unique_name("t")
    answer = ok(register(client, namespace, name, orphan["metadata-location"]))
    assert answer == orphan
    assert ok(client.get(table_path(namespace, name))) == orphan
    files = list(local(orphan["metadata"]["location"]).rglob("*.json"))
    assert len(files) == 2


def test_the_next_commit_counts_on(client: Client, namespace: str, orphan: dict[str, Any]) -> None:
    name = unique_name("t")
    ok(register(client, namespace, name, orphan["metadata-location"]))
    table = Tabular(client, namespace, name, table_path(namespace, name))
    log = table.commit(set_properties(b="2"))["metadata-log"]
    assert table.location.rpartition("/")[2].startswith("00002-")
    assert log[-1]["metadata-file"] == orphan["metadata-location"]
    assert len(log) == 2


@pytest.mark.parametrize("name", ["v3.metadata.json", "x.metadata.json", "-1-x.metadata.json"])
def test_a_name_without_version_counts_from_zero(
    client: Client, namespace: str, folder: Path, name: str
) -> None:
    location = write(folder, foreign(folder), name)
    ok(register(client, namespace, "t", location))
    table = Tabular(client, namespace, "t", table_path(namespace, "t"))
    table.commit(set_properties(b="2"))
    assert table.location.rpartition("/")[2].startswith("00000-")


@pytest.mark.parametrize("name", ["00001-a.gz.metadata.json", "v7.metadata.json.gz"])
def test_compressed_file(client: Client, namespace: str, folder: Path, name: str) -> None:
    document = foreign(folder, **{"x-unknown": {"big": 2**63}})
    location = write(folder, gzip.compress(json.dumps(document).encode()), name)
    answer = ok(register(client, namespace, unique_name("t"), location))
    assert answer["metadata-location"] == location
    assert answer["metadata"]["x-unknown"] == {"big": 2**63}


def test_unknown_members_survive_commits(client: Client, namespace: str, folder: Path) -> None:
    document = foreign(folder, **{"x-unknown": [1, {"y": 1e300}], "x-null": ""})
    ok(register(client, namespace, "t", write(folder, document)))
    table = Tabular(client, namespace, "t", table_path(namespace, "t"))
    metadata = table.commit(set_properties(b="2"))
    assert metadata["x-unknown"] == [1, {"y": 1e300}]
    assert json.loads(local(table.location).read_text())["x-unknown"] == [1, {"y": 1e300}]


@pytest.mark.parametrize("spelling", ["file:{}", "{}", "file://localhost{}"])
def test_other_spellings_of_the_location(client: Client, namespace: str, folder: Path, spelling: str) -> None:
    path = local(write(folder, foreign(folder)))
    answer = ok(register(client, namespace, unique_name("t"), spelling.format(path)))
    assert answer["metadata-location"] == spelling.format(path)


def test_missing_file(client: Client, namespace: str, folder: Path) -> None:
    location = f"file://{folder}/none.metadata.json"
    message = f"Failed to open input stream for file: {location}"
    assert_error(register(client, namespace, "t", location), 404, "NotFoundException", message)


def test_a_folder_is_no_file(client: Client, namespace: str, folder: Path) -> None:
    location = f"file://{folder}"
    assert_error(register(client, namespace, "t", location), 404, "NotFoundException", re.compile(location))


INVALID = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"{}",
    b"\xff\xfe",
    b'{"format-version": 2, "\x80": 1}',
    b"[" * 100_000,
    {"format-version": 4},
    {"format-version": "2"},
    {"table-uuid": None},
    {"table-uuid": "x"},
    {"location": None},
    {"schemas": None},
    {"schemas": []},
    {"current-schema-id": 7},
    {"default-spec-id": 7},
    {"default-sort-order-id": 7},
    {"partition-specs": []},
    {"sort-orders": []},
    {"last-sequence-number": None},
    {"current-snapshot-id": 5},
    {"refs": {"main": {"snapshot-id": 5, "type": "branch"}}},
    {"properties": {"a": 1}},
    {"format-version": 3},
]


@pytest.mark.parametrize("content", INVALID, ids=[str(content)[:40] for content in INVALID])
def test_invalid_file(client: Client, namespace: str, folder: Path, content: Any) -> None:
    location = write(folder, content if isinstance(content, bytes) else foreign(folder, **content))
    answer = register(client, namespace, "t", location)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["type"] in {"ValidationException", "IllegalArgumentException"}
    assert_error(client.get(table_path(namespace, "t")), 404, "NoSuchTableException")


def test_file_that_is_no_gzip(client: Client, namespace: str, folder: Path) -> None:
    location = write(folder, b"{}", "1-x.gz.metadata.json")
    assert_error(register(client, namespace, "t", location), 400, "ValidationException", re.compile(location))


def test_truncated_gzip(client: Client, namespace: str, folder: Path) -> None:
    data = gzip.compress(json.dumps(foreign(folder)).encode())
    location = write(folder, data[:-20], "1-x.gz.metadata.json")
    assert register(client, namespace, "t", location).status_code == 400


def test_same_uuid_twice(client: Client, table: Tabular) -> None:
    name = unique_name("t")
    answer = register(client, table.namespace, name, table.location)
    assert_error(answer, 409, "AlreadyExistsException", re.compile(table.metadata["table-uuid"]))
    assert_error(client.get(table_path(table.namespace, name)), 404, "NoSuchTableException")


def test_same_table_under_a_copy_of_its_file(client: Client, table: Tabular) -> None:
    copy = local(table.location).with_name("00009-copy.metadata.json")
    copy.write_bytes(local(table.location).read_bytes())
    answer = register(client, table.namespace, unique_name("t"), f"file://{copy}")
    assert_error(answer, 409, "AlreadyExistsException")


def test_overwrite_with_the_uuid_of_another_table(client: Client, table: Tabular) -> None:
    other = make_table(client, table.namespace)
    answer = register(client, table.namespace, other.name, table.location, overwrite=True)
    assert_error(answer, 409, "AlreadyExistsException")
    assert other.metadata["location"] != table.metadata["location"]


def test_taken_name(client: Client, table: Tabular, folder: Path) -> None:
    message = f"Table already exists: {table.namespace}.{table.name}"
    answer = register(client, table.namespace, table.name, write(folder, foreign(folder)))
    assert_error(answer, 409, "AlreadyExistsException", message)


def test_overwrite(client: Client, namespace: str, folder: Path) -> None:
    table, document = make_table(client, namespace), foreign(folder)
    location = write(folder, document)
    answer = ok(register(client, namespace, table.name, location, overwrite=True))
    assert answer["metadata-location"] == location
    assert table.metadata["table-uuid"] == document["table-uuid"]


def test_overwrite_of_nothing_registers(client: Client, namespace: str, folder: Path) -> None:
    location = write(folder, foreign(folder))
    assert ok(register(client, namespace, "t", location, overwrite=True))["metadata-location"] == location


@pytest.mark.parametrize("overwrite", [False, True])
def test_name_of_a_view(client: Client, namespace: str, folder: Path, overwrite: bool) -> None:
    view, location = make_view(client, namespace), write(folder, foreign(folder))
    answer = register(client, namespace, view.name, location, overwrite=overwrite)
    message = f"View with same name already exists: {namespace}.{view.name}"
    assert_error(answer, 409, "AlreadyExistsException", message)


def test_missing_namespace(client: Client, folder: Path) -> None:
    name = unique_name("none")
    answer = register(client, name, "t", write(folder, foreign(folder)))
    assert_error(answer, 404, "NoSuchNamespaceException", f"Namespace does not exist: {name}")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, "name"),
        ({"name": "t"}, "metadata-location"),
        ({"name": "t", "metadata-location": None}, "metadata-location"),
        ({"name": "t", "metadata-location": ""}, "location"),
        ({"name": "t", "metadata-location": 5}, "metadata-location"),
        ({"name": 5, "metadata-location": "/x"}, "name"),
        ({"name": "t", "metadata-location": "/x", "overwrite": "yes"}, "overwrite"),
    ],
)
def test_malformed_body(client: Client, namespace: str, body: dict[str, Any], names: str) -> None:
    answer = client.post(f"{namespace_path(namespace)}/register", json=body)
    assert_error(answer, 400, "BadRequestException", re.compile(names))


def test_table_location_outside_the_warehouse(client: Client, namespace: str, folder: Path) -> None:
    location = write(folder, foreign(folder, location="file:///etc/x"))
    answer = register(client, namespace, "t", location)
    assert_error(answer, 400, "IllegalArgumentException", re.compile("file:///etc/x"))


def test_metadata_file_outside_the_warehouse(client: Client, namespace: str, tmp_path: Path) -> None:
    location = write(tmp_path, foreign(tmp_path))
    answer = register(client, namespace, "t", location)
    assert_error(answer, 400, "IllegalArgumentException", re.compile(re.escape(location)))
