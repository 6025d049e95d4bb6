"""Definitions and upkeep through the command line of iceberg-go."""

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog

from tests.clients.go import IcebergGo
from tests.clients.program import ClientError
from tests.factories import unique_name


@pytest.fixture
def space(go: IcebergGo) -> str:
    """A namespace of this test."""
    name = unique_name("ns")
    go.json("create", "namespace", name, "--description", "größe")
    return name


@pytest.fixture
def numbers(catalog: Catalog, space: str) -> str:
    """A table with six snapshots of one row each."""
    table = catalog.create_table((space, "numbers"), pa.schema([("id", pa.int64())]))
    for number in range(6):
        table.append(pa.table({"id": pa.array([number], pa.int64())}))
    return f"{space}.numbers"


def ids(catalog: Catalog, table: str) -> list[int]:
    return sorted(catalog.load_table(table).scan().to_arrow()["id"].to_pylist())


def test_life_of_a_namespace(go: IcebergGo, space: str) -> None:
    assert [space] in go.json("list")["identifiers"]
    assert "größe" in go.json("properties", "get", "namespace", space).values()
    go.json("properties", "set", "namespace", space, "k", "v")
    assert go.json("properties", "get", "namespace", space)["k"] == "v"
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        go.json("create", "namespace", space)

    go.json("create", "namespace", f"{space}.inner")
    assert go.json("list", space)["identifiers"] == [[space, "inner"]]
    with pytest.raises(ClientError, match="NamespaceNotEmptyException"):
        go.json("drop", "namespace", space)
    go.json("drop", "namespace", f"{space}.inner")
    go.json("drop", "namespace", space)
    assert [space] not in (go.json("list")["identifiers"] or [])  # null when there is none


def test_many_namespaces_are_listed(go: IcebergGo, space: str, catalog: Catalog) -> None:
    """It asks for pages of 20."""
    inner = [[space, f"n{number:02}"] for number in range(45)]
    for levels in inner:
        catalog.create_namespace(tuple(levels))
    assert go.json("list", space)["identifiers"] == inner


def test_life_of_a_table(go: IcebergGo, space: str) -> None:
    go.create(space, "t")
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        go.create(space, "t")
    assert [field["name"] for field in go.json("schema", f"{space}.t")["fields"]] == [
        "id",
        "name",
        "price",
        "day",
        "ok",
    ]
    assert (
        go.json("describe", f"{space}.t")["metadata"]["table-uuid"] == go.json("uuid", f"{space}.t")["uuid"]
    )
    go.json("properties", "set", "table", f"{space}.t", "k", "v")
    assert go.json("properties", "get", "table", f"{space}.t")["k"] == "v"
    go.json("properties", "remove", "table", f"{space}.t", "k")
    assert "k" not in go.json("properties", "get", "table", f"{space}.t")
    go.json("upgrade", f"{space}.t", "3", "--yes")
    assert go.json("info", f"{space}.t")["format_version"] == 3

    go.json("rename", f"{space}.t", f"{space}.u")
    assert go.tables(space) == {"u"}
    go.json("drop", "table", f"{space}.u")
    with pytest.raises(ClientError, match="NoSuchTableException"):
        go.json("uuid", f"{space}.u")


def test_branches_and_tags(go: IcebergGo, catalog: Catalog, numbers: str) -> None:
    go.json("branch", "create", numbers, "audit", "--yes")
    go.json("tag", "create", numbers, "v1", "--yes")
    refs = {ref["name"]: ref["type"] for ref in go.json("refs", numbers)["refs"]}
    assert refs == {"main": "branch", "audit": "branch", "v1": "tag"}
    assert set(catalog.load_table(numbers).refs()) == {"main", "audit", "v1"}


def test_rollback(go: IcebergGo, catalog: Catalog, numbers: str) -> None:
    history = [snapshot.snapshot_id for snapshot in catalog.load_table(numbers).history()]
    go.json("rollback", numbers, "--snapshot-id", str(history[2]), "--yes")
    assert ids(catalog, numbers) == [0, 1, 2]


def test_compaction_keeps_every_row(go: IcebergGo, catalog: Catalog, numbers: str) -> None:
    assert len(go.data_files(numbers)) == 6
    go.text("compact", "run", numbers)
    assert len(list(catalog.load_table(numbers).scan().plan_files())) == 1
    assert ids(catalog, numbers) == [0, 1, 2, 3, 4, 5]


def test_expired_snapshots_are_gone(go: IcebergGo, catalog: Catalog, numbers: str) -> None:
    go.json("expire-snapshots", numbers, "--older-than", "1ms", "--retain-last", "1", "--yes")
    assert len(catalog.load_table(numbers).snapshots()) == 1
    assert ids(catalog, numbers) == [0, 1, 2, 3, 4, 5]


def test_foreign_names(go: IcebergGo, space: str) -> None:
    for name in ("a b", "größe 😀", "a+b&c=d"):
        go.create(space, name)
        assert go.tables(space) == {name}
        assert go.json("info", f"{space}.{name}")["table"] == f"{space}.{name}"
        go.json("drop", "table", f"{space}.{name}")
