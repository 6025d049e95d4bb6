"""Validation, lookup and equality of schemas."""

from typing import Any

import pytest

from app.errors import BadRequestException, IllegalArgumentException, ServiceError, ValidationException
from app.metadata.fresh_ids import assign_fresh_ids
from app.metadata.schema import MAX_DEPTH, index_schema, same_schema
from app.metadata.types import MINIMUM_VERSIONS
from tests.support.metadata import column, list_of, map_of, struct

NESTED = struct(
    column(1, "a", struct(column(2, "b"), column(3, "l", list_of(4, struct(column(5, "c")))))),
    column(6, "m", map_of(7, 8, "string", struct(column(9, "d")))),
    column(10, "n", list_of(11, "int")),
)


def refusal(schema: Any, **options: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        index_schema(schema, "schema", **options)
    return caught.value


def test_every_field_is_found_by_id_and_by_name() -> None:
    index = index_schema(NESTED, "schema")
    names = {field_id: field.name for field_id, field in index.fields.items()}
    assert names == {
        1: "a",
        2: "a.b",
        3: "a.l",
        4: "a.l.element",
        5: "a.l.element.c",
        6: "m",
        7: "m.key",
        8: "m.value",
        9: "m.value.d",
        10: "n",
        11: "n.element",
    }
    assert {index.id_of(name) for name in names.values()} == set(names)
    assert index.highest_field_id == 11


@pytest.mark.parametrize(("name", "field_id"), [("a.l.c", 5), ("m.d", 9), ("n.element", 11), ("c", None)])
def test_struct_elements_have_short_names(name: str, field_id: int | None) -> None:
    assert index_schema(NESTED, "schema").id_of(name) == field_id


def test_ancestors() -> None:
    index = index_schema(NESTED, "schema")
    assert [field.field_id for field in index.ancestors(index.fields[5])] == [4, 3, 1]


V3_TYPES = {"timestamp_ns", "timestamptz_ns", "variant", "unknown", "geometry", "geography"}


@pytest.mark.parametrize("kind", sorted(MINIMUM_VERSIONS))
@pytest.mark.parametrize("version", [1, 2, 3])
def test_types_need_their_format_version(kind: str, version: int) -> None:
    text = {"fixed": "fixed[4]", "decimal": "decimal(4,2)"}.get(kind, kind)
    schema = struct(column(1, "a", text))
    if version == 3 or kind not in V3_TYPES:
        assert index_schema(schema, "schema", format_version=version).fields[1].type == text
    else:
        error = refusal(schema, format_version=version)
        assert isinstance(error, ValidationException)
        assert "is not supported until v3" in error.message


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ([], "schema: expected an object, got an array"),
        ({}, "schema.type: missing"),
        ({"type": "struct"}, "schema.fields: missing"),
        (struct() | {"fields": {}}, "schema.fields: expected an array, got an object"),
        (struct(5), "schema.fields[0]: expected an object, got an integer"),  # type: ignore[arg-type]
        (struct(column(1, "a"), {"id": 2}), "schema.fields[1].name: missing"),
        (struct(column("1", "a")), "schema.fields[0].id: expected an integer, got a string"),  # type: ignore[arg-type]
        (struct(column(True, "a")), "schema.fields[0].id: expected an integer, got a boolean"),
        (struct(column(1.0, "a")), "schema.fields[0].id: expected an integer, got a decimal number"),  # type: ignore[arg-type]
        (struct(column(2**31, "a")), "schema.fields[0].id: expected an integer of 32 bits, got 2147483648"),
        (
            struct(column(1, "a", required=None)),
            "schema.fields[0].required: expected a boolean, got null",
        ),
        (struct(column(1, "a", doc=1)), "schema.fields[0].doc: expected a string, got an integer"),
        (struct(column(1, "a", None)), "schema.fields[0].type: expected a type, got null"),
        (struct(column(1, "a", {})), "schema.fields[0].type.type: missing"),
        (
            struct(column(1, "a", list_of(2, struct(column(3, "b", 7))))),
            "schema.fields[0].type.element.fields[0].type: expected a type, got an integer",
        ),
        (
            struct(column(1, "a", {"type": "map", "key-id": 2, "key": "int"})),
            "schema.fields[0].type.value-id: missing",
        ),
        (struct(**{"schema-id": "0"}), "schema.schema-id: expected an integer, got a string"),
        (
            struct(**{"identifier-field-ids": [1, "2"]}),
            "schema.identifier-field-ids[1]: expected an integer, got a string",
        ),
    ],
)
def test_shape_errors_name_the_path(schema: Any, message: str) -> None:
    error = refusal(schema)
    assert isinstance(error, BadRequestException)
    assert error.message == message


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "list", "fields": []}, "not a struct type"),
        (struct(column(1, "a", {"type": "set"})), "unknown nested type 'set'"),
        (struct(column(1, "a", "text")), "schema.fields[0].type: Cannot parse type: unknown type 'text'"),
        (struct(column(1, "a"), column(2, "a")), "multiple fields for name a: 1 and 2"),
        (struct(column(1, "a"), column(1, "b")), "multiple fields for id 1: a and b"),
        (struct(column(1, "a", list_of(1, "int"))), "multiple fields for id 1: a and a.element"),
        (
            struct(column(1, "a.b"), column(2, "a", struct(column(3, "b")))),
            "multiple fields for name a.b: 1 and 3",
        ),
        (struct(column(1, "a", "unknown", required=True)), "Cannot create required field with unknown type"),
        (struct(column(1, "a", "int", **{"write-default": "x"})), "Invalid default value for int: 'x'"),
        (struct(column(1, "a", list_of(2, "int"), **{"initial-default": [1]})), "Invalid default value"),
    ],
)
def test_broken_rules(schema: Any, message: str) -> None:
    error = refusal(schema)
    assert isinstance(error, ValidationException)
    assert message in error.message


def test_initial_defaults_need_v3() -> None:
    schema = struct(column(1, "a", "int", **{"initial-default": 5, "write-default": 6}))
    index_schema(schema, "schema", format_version=3)
    assert "not supported until v3" in refusal(schema, format_version=2).message
    index_schema(struct(column(1, "a", "int", **{"initial-default": None})), "schema", format_version=2)


KEY = column(1, "k", "long", required=True)


@pytest.mark.parametrize(
    "schema",
    [
        struct(KEY),
        struct(column(9, "s", struct(KEY), required=True)),
    ],
)
def test_identifier_fields(schema: Any) -> None:
    index_schema({**schema, "identifier-field-ids": [1]}, "schema")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([column(2, "x")], "field does not exist"),
        ([column(1, "k", "long")], "not a required field"),
        ([column(1, "k", "double", required=True)], "must not be float or double"),
        ([column(1, "k", "float", required=True)], "must not be float or double"),
        ([column(1, "k", struct(column(2, "x")), required=True)], "not a primitive type"),
        ([column(1, "k", "variant", required=True)], "not a primitive type"),
        ([column(9, "s", struct(KEY))], "must not be nested in an optional field"),
        ([column(9, "s", list_of(8, struct(KEY)), required=True)], "a list or a map"),
        ([column(9, "s", map_of(7, 8, "int", struct(KEY)), required=True)], "a list or a map"),
    ],
)
def test_fields_that_cannot_be_identifiers(fields: list[Any], message: str) -> None:
    error = refusal(struct(*fields, **{"identifier-field-ids": [1]}))
    assert isinstance(error, IllegalArgumentException)
    assert message in error.message


def test_column_limit_counts_nested_fields() -> None:
    assert len(index_schema(NESTED, "schema", max_columns=11).fields) == 11
    assert "limits.max_columns (10)" in refusal(NESTED, max_columns=10).message


def test_nesting_is_limited() -> None:
    kind: Any = "int"
    for i in range(MAX_DEPTH + 1):
        kind = list_of(i + 2, kind)
    assert "nest deeper" in refusal(struct(column(1, "a", kind))).message
    index_schema(struct(column(1, "a", kind["element"]["element"])), "schema")


def test_empty_column_names_are_legal() -> None:
    index = index_schema(struct(column(1, "", struct(column(2, "")))), "schema")
    assert index.names == {"": 1, ".": 2}


BASE = struct(
    column(1, "a", "decimal(9,2)", doc="d"), column(2, "l", list_of(3, "int")), **{"identifier-field-ids": []}
)


@pytest.mark.parametrize(
    "other",
    [
        {**BASE, "schema-id": 7},
        {**BASE, "x-unknown": 1},
        {name: value for name, value in BASE.items() if name != "identifier-field-ids"},
        struct(column(1, "a", "decimal(9, 2)", doc="d"), column(2, "l", list_of(3, "int"), doc=None)),
    ],
)
def test_same_schema(other: Any) -> None:
    assert same_schema(BASE, other)


@pytest.mark.parametrize(
    "other",
    [
        struct(column(1, "a", "decimal(9,2)", doc="d")),
        struct(column(1, "a", "decimal(9,3)", doc="d"), column(2, "l", list_of(3, "int"))),
        struct(column(1, "a", "decimal(9,2)", doc="e"), column(2, "l", list_of(3, "int"))),
        struct(column(1, "b", "decimal(9,2)", doc="d"), column(2, "l", list_of(3, "int"))),
        struct(column(4, "a", "decimal(9,2)", doc="d"), column(2, "l", list_of(3, "int"))),
        struct(column(1, "a", "decimal(9,2)", doc="d", required=True), column(2, "l", list_of(3, "int"))),
        struct(column(1, "a", "decimal(9,2)", doc="d"), column(2, "l", list_of(4, "int"))),
        struct(column(1, "a", "decimal(9,2)", doc="d"), column(2, "l", list_of(3, "long"))),
        struct(column(1, "a", "decimal(9,2)", doc="d"), column(2, "l", map_of(3, 4, "int", "int"))),
        struct(column(1, "a", "decimal(9,2)", doc="d"), column(2, "l", "string")),
        struct(column(2, "l", list_of(3, "int")), column(1, "a", "decimal(9,2)", doc="d")),
        {**BASE, "identifier-field-ids": [1]},
    ],
)
def test_different_schemas(other: Any) -> None:
    assert not same_schema(BASE, other)


def test_maps_compare_keys_and_values() -> None:
    one = struct(column(1, "m", map_of(2, 3, "int", struct(column(4, "x")))))
    assert same_schema(one, struct(column(1, "m", map_of(2, 3, "int", struct(column(4, "x"))))))
    assert not same_schema(one, struct(column(1, "m", map_of(2, 3, "int", struct(column(4, "y"))))))
    assert not same_schema(one, struct(column(1, "m", map_of(2, 3, "long", struct(column(4, "x"))))))
    assert not same_schema(one, struct(column(1, "m", map_of(2, 5, "int", struct(column(4, "x"))))))


def test_fresh_ids_number_a_struct_before_what_is_in_it() -> None:
    schema = struct(
        column(10, "a", struct(column(20, "b"), column(30, "c", list_of(40, struct(column(50, "d")))))),
        column(60, "m", map_of(70, 80, struct(column(90, "k")), struct(column(100, "v")))),
        column(0, "z", "long", required=True),
        **{"schema-id": 8, "identifier-field-ids": [0], "x-unknown": {"kept": 1}},
    )
    fresh, ids = assign_fresh_ids(schema)
    assert ids == {10: 1, 60: 2, 0: 3, 20: 4, 30: 5, 40: 6, 50: 7, 70: 8, 80: 9, 90: 10, 100: 11}
    assert fresh["schema-id"] == 0
    assert fresh["identifier-field-ids"] == [3]
    assert fresh["x-unknown"] == {"kept": 1}
    assert set(index_schema(fresh, "schema").fields) == set(range(1, 12))
    assert schema["fields"][0]["id"] == 10
