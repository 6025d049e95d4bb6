"""Metadata of a table that does not exist yet."""

from typing import Any

import pytest

from app.errors import BadRequestException, ServiceError, ValidationException
from app.metadata.properties import RESERVED
from app.metadata.table import new_table_metadata, parse_table_metadata
from tests.support.metadata import CREATED_MS, SCHEMA, UUID, column, list_of, part, sort, struct, table


def refusal(**arguments: Any) -> ServiceError:
    given = {"table_uuid": UUID, "location": "s3://bucket/t", "schema": SCHEMA, "now_ms": CREATED_MS}
    with pytest.raises(ServiceError) as caught:
        new_table_metadata(**{**given, **arguments})
    return caught.value


def test_the_smallest_table() -> None:
    document = new_table_metadata(
        table_uuid=UUID, location="s3://bucket/t//", schema=struct(column(7, "a")), now_ms=CREATED_MS
    )
    assert document == {
        "format-version": 2,
        "table-uuid": UUID,
        "location": "s3://bucket/t",
        "last-sequence-number": 0,
        "last-updated-ms": CREATED_MS,
        "last-column-id": 1,
        "current-schema-id": 0,
        "schemas": [{"schema-id": 0, **struct(column(1, "a"))}],
        "default-spec-id": 0,
        "partition-specs": [{"spec-id": 0, "fields": []}],
        "last-partition-id": 999,
        "default-sort-order-id": 0,
        "sort-orders": [{"order-id": 0, "fields": []}],
        "properties": {"write.parquet.compression-codec": "zstd"},
        "current-snapshot-id": -1,
        "refs": {},
        "snapshots": [],
        "statistics": [],
        "partition-statistics": [],
        "snapshot-log": [],
        "metadata-log": [],
    }


def test_version_1_has_the_members_of_old_readers() -> None:
    document = table(1)
    assert document["schema"] == document["schemas"][0]
    assert document["partition-spec"] == document["partition-specs"][0]["fields"]
    assert "last-sequence-number" not in document
    assert document["current-snapshot-id"] == -1


def test_version_3() -> None:
    document = table(3)
    assert document["next-row-id"] == 0
    assert document["current-snapshot-id"] is None


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_is_read_back(version: int) -> None:
    assert parse_table_metadata(table(version)) == table(version)


def test_ids_are_assigned_anew() -> None:
    schema = struct(
        column(90, "a", list_of(80, "int")),
        column(70, "b", "string", required=True),
        **{"schema-id": 9, "identifier-field-ids": [70]},
    )
    document = table(
        schema=schema,
        partition_spec={"spec-id": 4, "fields": [part(70, "b", **{"field-id": 5})]},
        sort_order={"order-id": 6, "fields": [sort(70)]},
    )
    assert document["schemas"] == [
        {
            **struct(column(1, "a", list_of(3, "int")), column(2, "b", "string", required=True)),
            "schema-id": 0,
            "identifier-field-ids": [2],
        }
    ]
    assert document["partition-specs"] == [{"spec-id": 0, "fields": [part(2, "b", **{"field-id": 1000})]}]
    assert document["last-partition-id"] == 1000
    assert document["sort-orders"] == [{"order-id": 1, "fields": [sort(2)]}]
    assert document["default-sort-order-id"] == 1
    assert document["last-column-id"] == 3


def test_sources_with_several_columns_are_renumbered() -> None:
    field = {"name": "p", "transform": "zorder", "source-ids": [3, 1]}
    document = table(3, schema=struct(column(3, "a"), column(1, "b")), partition_spec={"fields": [field]})
    assert document["partition-specs"][0]["fields"] == [{**field, "source-ids": [1, 2], "field-id": 1000}]


def test_sort_fields_with_several_columns() -> None:
    field = {name: value for name, value in sort(1).items() if name != "source-id"} | {"source-ids": [3, 1]}
    schema = struct(column(3, "a"), column(1, "b"))
    order = {"fields": [{**field, "transform": "zorder"}]}
    document = table(3, schema=schema, partition_spec={"fields": []}, sort_order=order)
    assert document["sort-orders"][0]["fields"][0]["source-ids"] == [1, 2]
    assert parse_table_metadata(document) == document


def test_enumerations_and_transforms_become_canonical() -> None:
    order = {"fields": [sort(1, "Bucket[4]", **{"direction": "DESC", "null-order": "Nulls-Last"})]}
    document = table(partition_spec={"fields": [part(3, "d", "DAY")]}, sort_order=order)
    assert document["partition-specs"][0]["fields"][0]["transform"] == "day"
    assert document["sort-orders"][0]["fields"] == [
        sort(1, "bucket[4]", **{"direction": "desc", "null-order": "nulls-last"})
    ]


def test_properties() -> None:
    given = {name: "x" for name in RESERVED if name != "format-version"}
    document = table(properties={**given, "write.parquet.compression-codec": "snappy", "my.own": ""})
    assert document["properties"] == {"write.parquet.compression-codec": "snappy", "my.own": ""}


def test_unknown_members_are_kept() -> None:
    document = table(
        schema={**SCHEMA, "x": 1, "fields": [{**field, "y": [2]} for field in SCHEMA["fields"]]},
        partition_spec={"fields": [{**part(1, "p"), "z": None}], "s": 1},
        sort_order={"fields": [{**sort(1), "w": {}}], "o": 1},
    )
    assert document["schemas"][0]["x"] == 1
    assert all(field["y"] == [2] for field in document["schemas"][0]["fields"])
    assert document["partition-specs"][0]["fields"][0]["z"] is None
    assert document["partition-specs"][0]["s"] == document["sort-orders"][0]["o"] == 1
    assert document["sort-orders"][0]["fields"][0]["w"] == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"schema": None}, "schema: expected an object, got null"),
        ({"location": ""}, "location: must not be empty"),
        ({"location": 5}, "location: expected a string, got an integer"),
        ({"table_uuid": "x"}, "table-uuid: expected a UUID, got 'x'"),
        ({"properties": []}, "properties: expected an object, got an array"),
        ({"properties": {"a": 1}}, "properties.a: expected a string, got an integer"),
        ({"partition_spec": []}, "partition-spec: expected an object, got an array"),
        ({"partition_spec": {}}, "partition-spec.fields: missing"),
        (
            {"partition_spec": {"fields": [{"name": "p", "transform": "void"}]}},
            "partition-spec.fields[0].source-id: missing",
        ),
        ({"sort_order": {"fields": [{}]}}, "write-order.fields[0].source-id: missing"),
        (
            {"sort_order": {"fields": [sort(1, direction="up")]}},
            "write-order.fields[0].direction: expected one of asc, desc, got 'up'",
        ),
    ],
)
def test_shape_errors(arguments: dict[str, Any], message: str) -> None:
    error = refusal(**arguments)
    assert isinstance(error, BadRequestException)
    assert error.message == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"partition_spec": {"fields": [part(44, "p")]}},
            "Cannot find source column for a field of partition-spec: 44",
        ),
        ({"sort_order": {"fields": [sort(44)]}}, "Cannot find source column for a field of write-order: 44"),
        (
            {"partition_spec": {"fields": [part(1, "p", "day")]}},
            "Invalid source type long for transform: day",
        ),
        ({"partition_spec": {"fields": [part(4, "p")]}}, "Cannot use non-primitive source column tags"),
        ({"partition_spec": {"fields": [part(5, "p")]}}, "Invalid parent of the source column"),
        ({"sort_order": {"fields": [sort(5)]}}, "Invalid parent of the source column"),
        ({"properties": {"encryption.key-id": "k"}}, "encryption requires v3"),
        (
            {"properties": {"write.metadata.metrics.column.nope": "full"}},
            "could not find column nope from table prop write.metadata.metrics.column.nope",
        ),
        ({"properties": {"format-version": "99"}}, "property format-version: '99' is not one of 1, 2, 3"),
        ({"max_columns": 4}, "more columns than limits.max_columns (4)"),
    ],
)
def test_broken_rules(arguments: dict[str, Any], message: str) -> None:
    error = refusal(**arguments)
    assert isinstance(error, ValidationException)
    assert message in error.message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([part(1, "")], "Cannot use empty partition name"),
        ([part(1, "p"), part(2, "p")], "Cannot use partition name more than once: p"),
        ([part(1, "name", "bucket[4]")], "Cannot create identity partition sourced from different field"),
    ],
)
def test_partition_names(fields: list[Any], message: str) -> None:
    assert message in refusal(partition_spec={"fields": fields}).message


def test_a_partition_may_be_named_like_its_source() -> None:
    assert table(partition_spec={"fields": [part(2, "name", "truncate[4]")]})["last-partition-id"] == 1000


def test_metrics_of_existing_columns() -> None:
    names = ("id", "tags.element")
    properties = {f"write.metadata.metrics.column.{name}": "counts" for name in names}
    assert properties.items() <= table(properties=properties)["properties"].items()
