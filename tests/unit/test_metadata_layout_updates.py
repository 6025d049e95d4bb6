"""add-spec, set-default-spec, remove-partition-specs, add-sort-order and set-default-sort-order."""

from typing import Any

import pytest

from app.errors import IllegalArgumentException, ServiceError, ValidationException
from tests.support.metadata import SCHEMA, apply, column, part, sort, struct, table


def add_spec(*fields: Any, **members: Any) -> dict[str, Any]:
    return {"action": "add-spec", "spec": {"fields": list(fields), **members}}


def default_spec(spec_id: int) -> dict[str, Any]:
    return {"action": "set-default-spec", "spec-id": spec_id}


def remove_specs(*spec_ids: int) -> dict[str, Any]:
    return {"action": "remove-partition-specs", "spec-ids": list(spec_ids)}


def add_order(*fields: Any, **members: Any) -> dict[str, Any]:
    return {"action": "add-sort-order", "sort-order": {"fields": list(fields), **members}}


def default_order(order_id: int) -> dict[str, Any]:
    return {"action": "set-default-sort-order", "sort-order-id": order_id}


def refusal(base: Any, *updates: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        apply(base, *updates)
    return caught.value


def test_a_new_spec_gets_the_next_id() -> None:
    field = part(1, "id_bucket", "bucket[16]", **{"field-id": 1001})
    document = apply(table(), add_spec(field, **{"spec-id": 7}), default_spec(-1))
    assert document["partition-specs"][1] == {"spec-id": 1, "fields": [field]}
    assert document["default-spec-id"] == 1
    assert document["last-partition-id"] == 1001


def test_missing_field_ids_are_those_of_equal_fields_or_the_next() -> None:
    document = apply(table(), add_spec(part(2, "n"), part(3, "renamed", "day"), part(1, "i")))
    ids = [field["field-id"] for field in document["partition-specs"][1]["fields"]]
    assert ids == [1001, 1000, 1002]
    assert document["last-partition-id"] == 1002


def test_one_field_id_is_not_given_twice() -> None:
    document = apply(table(), add_spec(part(3, "a", "day"), part(3, "b", "day")))
    assert [field["field-id"] for field in document["partition-specs"][1]["fields"]] == [1000, 1001]


def test_some_field_ids_are_not_enough() -> None:
    error = refusal(table(), add_spec(part(1, "a", **{"field-id": 1001}), part(2, "b"), part(2, "c")))
    assert isinstance(error, IllegalArgumentException)
    assert error.message == "Cannot parse spec with missing field IDs: 2 missing of 3 fields."


def test_field_ids_are_distinct() -> None:
    fields = (part(1, "a", **{"field-id": 1001}), part(2, "b", **{"field-id": 1001}))
    assert "not distinct" in refusal(table(), add_spec(*fields)).message


@pytest.mark.parametrize("field_id", [1000, 5000])
def test_an_equal_spec_is_found_again(field_id: int) -> None:
    base = table()
    same = add_spec(part(3, "ts_day", "Day", **{"field-id": field_id}), **{"spec-id": 4})
    assert apply(base, same) is base
    other = add_spec(part(3, "ts_d", "day", **{"field-id": field_id}))
    document = apply(base, other, default_spec(-1), same, default_spec(-1))
    assert document["default-spec-id"] == 0
    assert len(document["partition-specs"]) == 2


def test_the_unpartitioned_spec() -> None:
    document = apply(table(), add_spec(), default_spec(-1))
    assert document["partition-specs"][1] == {"fields": [], "spec-id": 1}
    assert document["last-partition-id"] == 1000


def test_version_1_needs_sequential_field_ids() -> None:
    fields = [part(2, "a", **{"field-id": 1000}), part(1, "b", **{"field-id": 1001})]
    document = apply(table(1), add_spec(*fields), default_spec(-1))
    assert document["partition-spec"] == fields
    error = refusal(table(1), add_spec(part(2, "a", **{"field-id": 1001})))
    assert error.message == "Spec does not use sequential IDs that are required in v1"
    assert apply(table(2), add_spec(part(2, "a", **{"field-id": 1005})))["last-partition-id"] == 1005


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (part(44, "p"), "Cannot find source column for partition field p: 44"),
        (part(1, "p", "hour"), "Invalid source type long for transform: hour"),
        (part(4, "p"), "Cannot use non-primitive source column tags"),
        (part(5, "p"), "Invalid parent of the source column"),
        (part(1, ""), "Cannot use empty partition name"),
        (part(1, "ts"), "sourced from different field in schema: ts"),
        (part(1, "ts", "void"), "sourced from different field in schema: ts"),
        (part(1, "p", "bucket[0]"), "Invalid width of transform: bucket[0]"),
    ],
)
def test_specs_that_do_not_fit(field: Any, message: str) -> None:
    assert message in refusal(table(), add_spec(field)).message


def test_specs_are_bound_to_the_schema_current_at_that_point() -> None:
    wider = {"action": "add-schema", "schema": struct(*SCHEMA["fields"], column(6, "extra"))}
    current = {"action": "set-current-schema", "schema-id": -1}
    spec = add_spec(part(6, "extra"))
    assert len(apply(table(), wider, current, spec)["partition-specs"]) == 2
    assert "Cannot find source column" in refusal(table(), wider, spec, current).message


def test_set_default_spec() -> None:
    base = apply(table(), add_spec())
    assert apply(base, default_spec(0)) is base
    assert apply(base, default_spec(1))["default-spec-id"] == 1
    assert isinstance(refusal(base, default_spec(5)), ValidationException)
    assert "unknown spec: 5" in refusal(base, default_spec(5)).message
    assert refusal(base, default_spec(-1)).message == "Cannot set last added spec: no spec has been added"


def test_remove_partition_specs() -> None:
    base = apply(table(), add_spec(), default_spec(-1))
    document = apply(base, remove_specs(0, 9))
    assert [spec["spec-id"] for spec in document["partition-specs"]] == [1]
    assert document["last-partition-id"] == 1000
    assert refusal(base, remove_specs(1)).message == "Cannot remove the default partition spec"
    assert apply(base, remove_specs()) is base
    assert "unknown spec: 0" in refusal(base, remove_specs(0), default_spec(0)).message


def test_a_new_order_gets_the_next_id() -> None:
    document = apply(table(), add_order(sort(1), **{"order-id": 9}), default_order(-1))
    assert document["sort-orders"][1] == {"order-id": 1, "fields": [sort(1)]}
    assert document["default-sort-order-id"] == 1
    again = apply(document, add_order(sort(2)))
    assert [order["order-id"] for order in again["sort-orders"]] == [0, 1, 2]


def test_an_equal_order_is_found_again() -> None:
    base = apply(table(), add_order(sort(1)))
    shouted = sort(1, "IDENTITY", **{"direction": "ASC", "null-order": "NULLS-FIRST"})
    assert apply(base, add_order(shouted, **{"order-id": 4})) is base
    assert apply(base, add_order(shouted), default_order(-1))["default-sort-order-id"] == 1
    for other in (
        sort(2),
        sort(1, "void"),
        sort(1, direction="desc"),
        sort(1, **{"null-order": "nulls-last"}),
    ):
        assert len(apply(base, add_order(other))["sort-orders"]) == 3


def test_the_unsorted_order_is_always_0() -> None:
    base = table(sort_order={"fields": [sort(1)]})
    document = apply(base, add_order(), default_order(-1))
    assert document["sort-orders"][1] == {"order-id": 0, "fields": []}
    assert document["default-sort-order-id"] == 0
    assert apply(document, add_order(**{"order-id": 0})) is document


@pytest.mark.parametrize(
    ("update", "message"),
    [
        (add_order(**{"order-id": 1}), "Unsorted order ID must be 0"),
        (add_order(sort(1), **{"order-id": 0}), "Sort order ID 0 is reserved for unsorted order"),
        (add_order(sort(44)), "Cannot find source column for sort field identity: 44"),
        (add_order(sort(44, "void")), "Cannot find source column for sort field void: 44"),
        (add_order(sort(1, "day")), "Invalid source type long for transform: day"),
        (add_order(sort(4)), "Cannot use non-primitive source column tags"),
        (default_order(5), "Cannot set default sort order to unknown order: 5"),
        (default_order(-1), "Cannot set last added sort order: no sort order has been added"),
    ],
)
def test_orders_that_are_refused(update: Any, message: str) -> None:
    assert message in refusal(table(), update).message


def test_set_default_sort_order() -> None:
    base = apply(table(), add_order(sort(1)), default_order(-1))
    assert apply(base, default_order(1)) is base
    assert apply(base, default_order(0))["default-sort-order-id"] == 0
