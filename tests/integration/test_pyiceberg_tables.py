"""The life of a table through PyIceberg: create, load, evolve, rename, register, drop, purge."""

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.sorting import SortDirection, SortField, SortOrder
from pyiceberg.transforms import BucketTransform, IdentityTransform, TruncateTransform
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FixedType,
    FloatType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

from tests.integration.shapes import PEOPLE
from tests.support.process import eventually
from tests.support.server import TestServer
from tests.support.warehouses import same_place

TYPES = [
    BooleanType(), IntegerType(), LongType(), FloatType(), DoubleType(), DecimalType(38, 9), DateType(), TimeType(),
    TimestampType(), TimestamptzType(), StringType(), UUIDType(), FixedType(16), BinaryType(),
]  # fmt: skip


def test_created_table_is_there(catalog: Catalog, space: str, any_server: TestServer) -> None:
    created = catalog.create_table((space, "t"), PEOPLE, properties={"owner": "ada"})

    assert catalog.list_tables(space) == [(space, "t")]
    assert catalog.table_exists((space, "t"))
    loaded = catalog.load_table((space, "t"))
    assert loaded.metadata == created.metadata
    assert loaded.schema().as_struct() == PEOPLE.as_struct()
    assert loaded.properties["owner"] == "ada"
    assert loaded.current_snapshot() is None
    assert same_place(loaded.location()).startswith(any_server.warehouse.location + "/")
    assert same_place(loaded.metadata_location) in any_server.warehouse.files()


def test_conflict_and_absence(catalog: Catalog, space: str) -> None:
    catalog.create_table((space, "t"), PEOPLE)
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table((space, "t"), PEOPLE)
    with pytest.raises(NoSuchNamespaceError):
        catalog.create_table(("nowhere", "t"), PEOPLE)
    with pytest.raises(NoSuchTableError):
        catalog.load_table((space, "absent"))
    with pytest.raises(NoSuchTableError):
        catalog.drop_table((space, "absent"))
    assert not catalog.table_exists((space, "absent"))


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_format_versions(catalog: Catalog, space: str, version: str) -> None:
    table = catalog.create_table((space, "t"), PEOPLE, properties={"format-version": version})
    assert table.format_version == int(version)
    assert catalog.load_table((space, "t")).format_version == int(version)


def test_every_type_and_nesting(catalog: Catalog, space: str) -> None:
    fields = [NestedField(number, f"c{number}", kind) for number, kind in enumerate(TYPES, 1)]
    point = StructType(NestedField(30, "x", DoubleType(), required=True), NestedField(31, "y", DoubleType()))
    fields += [
        NestedField(20, "points", ListType(32, point, element_required=False)),
        NestedField(
            21, "labels", MapType(33, StringType(), 34, ListType(35, LongType()), value_required=True)
        ),
    ]
    table = catalog.create_table((space, "t"), Schema(*fields))
    assert str(catalog.load_table((space, "t")).schema()) == str(table.schema())
    assert [field.name for field in table.schema().fields] == [field.name for field in fields]


def test_partitioned_and_sorted(catalog: Catalog, space: str) -> None:
    spec = PartitionSpec(
        PartitionField(1, 1000, BucketTransform(4), "id_bucket"),
        PartitionField(2, 1001, TruncateTransform(3), "name_trunc"),
    )
    order = SortOrder(SortField(3, IdentityTransform(), SortDirection.DESC))
    catalog.create_table((space, "t"), PEOPLE, partition_spec=spec, sort_order=order)

    table = catalog.load_table((space, "t"))
    assert [(f.name, str(f.transform)) for f in table.spec().fields] == [
        ("id_bucket", "bucket[4]"),
        ("name_trunc", "truncate[3]"),
    ]
    assert [(f.source_id, f.direction) for f in table.sort_order().fields] == [(3, SortDirection.DESC)]


def test_schema_evolution(catalog: Catalog, space: str, people: pa.Table) -> None:
    table = catalog.create_table((space, "t"), PEOPLE)
    table.append(people)
    with table.update_schema() as update:
        update.add_column("score", IntegerType(), doc="points")
        update.rename_column("born", "year")
        update.move_first("name")
    with table.update_schema() as update:
        update.update_column("score", LongType())
        update.make_column_optional("id")
    with table.update_schema() as update:
        update.delete_column("year")

    table = catalog.load_table((space, "t"))
    assert [field.name for field in table.schema().fields] == ["name", "id", "score"]
    assert table.schema().find_field("score").field_type == LongType()
    assert len(table.schemas()) == 4
    assert table.scan().to_arrow().sort_by("id").to_pylist()[0] == {"name": "Ada", "id": 1, "score": None}


def test_dropped_column_does_not_come_back(catalog: Catalog, space: str, people: pa.Table) -> None:
    table = catalog.create_table((space, "t"), PEOPLE)
    table.append(people)
    with table.update_schema() as update:
        update.delete_column("born")
    with table.update_schema() as update:
        update.add_column("born", LongType())

    assert catalog.load_table((space, "t")).schema().find_field("born").field_id == 4
    assert table.scan().to_arrow()["born"].to_pylist() == [None, None, None]


def test_partition_evolution(catalog: Catalog, space: str, people: pa.Table) -> None:
    table = catalog.create_table((space, "t"), PEOPLE)
    table.append(people)
    with table.update_spec() as update:
        update.add_identity("born")
    table.append(people)
    with table.update_spec() as update:
        update.remove_field("born")
        update.add_field("id", BucketTransform(8), "id_bucket")
    table.append(people)

    table = catalog.load_table((space, "t"))
    assert len(table.specs()) == 3
    assert [field.name for field in table.spec().fields] == ["id_bucket"]
    assert table.scan().to_arrow().num_rows == 9
    assert table.scan("born = 1906").to_arrow().num_rows == 3


def test_sort_order_and_properties(catalog: Catalog, space: str) -> None:
    table = catalog.create_table((space, "t"), PEOPLE, properties={"a": "1", "b": "2"})
    with table.update_sort_order() as update:
        update.asc("born", IdentityTransform())
    with table.transaction() as transaction:
        transaction.set_properties({"a": "9", "c": "größe 🧊"})
        transaction.remove_properties("b")

    table = catalog.load_table((space, "t"))
    assert [field.source_id for field in table.sort_order().fields] == [3]
    assert {key: table.properties.get(key) for key in "abc"} == {"a": "9", "b": None, "c": "größe 🧊"}


def test_upgrade_of_the_format(catalog: Catalog, space: str, people: pa.Table) -> None:
    table = catalog.create_table((space, "t"), PEOPLE, properties={"format-version": "1"})
    table.append(people)
    with table.transaction() as transaction:
        transaction.upgrade_table_version(2)
    table.append(people)
    assert catalog.load_table((space, "t")).format_version == 2
    assert catalog.load_table((space, "t")).scan().to_arrow().num_rows == 6


def test_create_table_transaction(catalog: Catalog, space: str, people: pa.Table) -> None:
    with catalog.create_table_transaction((space, "t"), PEOPLE) as transaction:
        transaction.append(people)
        transaction.set_properties({"made": "in one"})
        assert not catalog.table_exists((space, "t"))
    table = catalog.load_table((space, "t"))
    assert table.scan().to_arrow().num_rows == 3
    assert table.properties["made"] == "in one"


def test_rename(catalog: Catalog, space: str, people: pa.Table) -> None:
    table = catalog.create_table((space, "t"), PEOPLE)
    table.append(people)
    catalog.create_namespace((space, "other"))
    renamed = catalog.rename_table((space, "t"), (space, "other", "u"))

    assert renamed.metadata.table_uuid == table.metadata.table_uuid
    assert renamed.scan().to_arrow().num_rows == 3
    assert catalog.list_tables(space) == []
    with pytest.raises(NoSuchTableError):
        catalog.load_table((space, "t"))
    catalog.create_table((space, "t"), PEOPLE)
    with pytest.raises(TableAlreadyExistsError):
        catalog.rename_table((space, "t"), (space, "other", "u"))


def test_register_brings_a_dropped_table_back(catalog: Catalog, space: str, people: pa.Table) -> None:
    table = catalog.create_table((space, "t"), PEOPLE)
    table.append(people)
    location = table.metadata_location
    catalog.drop_table((space, "t"))
    assert not catalog.table_exists((space, "t"))

    registered = catalog.register_table((space, "back"), location)
    assert registered.metadata_location == location
    assert registered.metadata.table_uuid == table.metadata.table_uuid
    assert registered.scan().to_arrow().num_rows == 3
    with pytest.raises(TableAlreadyExistsError):
        catalog.register_table((space, "back"), location)


def test_drop_keeps_files_and_purge_deletes_them(
    catalog: Catalog, space: str, people: pa.Table, any_server: TestServer
) -> None:
    kept = catalog.create_table((space, "kept"), PEOPLE)
    kept.append(people)
    purged = catalog.create_table((space, "purged"), PEOPLE)
    purged.append(people)
    purged.overwrite(people, overwrite_filter="id = 1")
    purged.delete("id = 2")

    catalog.drop_table((space, "kept"))
    catalog.purge_table((space, "purged"))
    assert catalog.list_tables(space) == []
    eventually(
        lambda: not below(any_server, purged.location()), 30, "all files of the purged table are deleted"
    )
    assert len(below(any_server, kept.location())) >= 4


def below(server: TestServer, location: str) -> set[str]:
    prefix = same_place(location) + "/"
    return {file for file in server.warehouse.files() if file.startswith(prefix)}


@pytest.mark.parametrize(
    "name", ["with space", "dot.ted", "數據", "sla/sh", "per%cent", "plus+", "🧊", "Case", "case"]
)
def test_any_table_name(catalog: Catalog, space: str, people: pa.Table, name: str) -> None:
    table = catalog.create_table((space, name), PEOPLE)
    table.append(people)
    assert catalog.list_tables(space) == [(space, name)]
    assert catalog.load_table((space, name)).scan().to_arrow().num_rows == 3
    catalog.purge_table((space, name))
    assert not catalog.table_exists((space, name))


def test_the_service_gives_no_credentials_of_its_own(catalog: Catalog, space: str) -> None:
    table = catalog.create_table((space, "t"), PEOPLE)
    assert catalog.load_credentials((space, "t"), table.metadata_location) == {}
    with pytest.raises(NoSuchTableError):
        catalog.load_credentials((space, "none"), table.metadata_location)
