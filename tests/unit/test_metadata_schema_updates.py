"""add-schema, set-current-schema and remove-schemas."""

from typing import Any

import pytest

from app.errors import IllegalArgumentException, ServiceError, ValidationException
from tests.support.metadata import SCHEMA, apply, column, list_of, part, struct, table

WIDER = struct(*SCHEMA["fields"], column(6, "extra"))


def add(schema: Any, **members: Any) -> dict[str, Any]:
    return {"action": "add-schema", "schema": schema, **members}


def current(schema_id: int) -> dict[str, Any]:
    return {"action": "set-current-schema", "schema-id": schema_id}


def remove(*schema_ids: int) -> dict[str, Any]:
    return {"action": "remove-schemas", "schema-ids": list(schema_ids)}


def refusal(base: Any, *updates: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        apply(base, *updates)
    return caught.value


def ids(document: dict[str, Any]) -> list[int]:
    return [schema["schema-id"] for schema in document["schemas"]]


def test_a_new_schema_gets_the_next_id_and_keeps_its_column_ids() -> None:
    document = apply(table(), add({**WIDER, "schema-id": 44}, **{"last-column-id": 99}))
    assert document["schemas"][1] == {**WIDER, "schema-id": 1}
    assert document["last-column-id"] == 6
    assert document["current-schema-id"] == 0


def test_set_current_to_the_last_added() -> None:
    assert apply(table(), add(WIDER), current(-1))["current-schema-id"] == 1


def test_an_equal_schema_is_found_again() -> None:
    base = apply(table(), add(WIDER))
    assert apply(base, add({**WIDER, "schema-id": 9})) is base
    assert apply(base, add(WIDER), current(-1))["current-schema-id"] == 1
    assert ids(apply(base, add(WIDER), add(SCHEMA), current(-1))) == [0, 1]


def test_last_added_is_the_latest_one() -> None:
    assert apply(table(), add(WIDER), add(SCHEMA), current(-1), {**add(WIDER)})["current-schema-id"] == 0


def test_last_column_id_never_falls() -> None:
    base = apply(table(), add(struct(column(1, "id", "long"), column(80, "l", list_of(90, "int")))))
    assert base["last-column-id"] == 90
    assert apply(base, add(struct(column(1, "id", "long"))))["last-column-id"] == 90


def test_empty_identifier_fields_are_not_stored() -> None:
    document = apply(table(), add({**WIDER, "identifier-field-ids": []}))
    assert "identifier-field-ids" not in document["schemas"][1]


def test_set_current_schema() -> None:
    base = apply(table(), add(WIDER))
    assert apply(base, current(0)) is base
    assert apply(base, current(1))["current-schema-id"] == 1
    assert isinstance(refusal(base, current(7)), IllegalArgumentException)
    assert refusal(base, current(7)).message == "Cannot set current schema to unknown schema: 7"
    assert isinstance(refusal(base, current(-1)), ValidationException)
    assert refusal(base, current(-1)).message == "Cannot set last added schema: no schema has been added"


def test_last_added_is_forgotten_between_requests() -> None:
    assert refusal(apply(table(), add(WIDER)), current(-1)).message.startswith("Cannot set last added schema")


def test_the_default_spec_and_order_must_fit_the_current_schema() -> None:
    dropped = struct(column(1, "id", "long"))
    assert (
        "Cannot find source column for partition field ts_day"
        in refusal(table(), add(dropped), current(-1)).message
    )
    changed = struct(column(1, "id", "long"), column(3, "ts", "string"))
    assert "Invalid source type string" in refusal(table(), add(changed), current(-1)).message


def test_specs_that_are_not_in_use_must_stay_loadable() -> None:
    unpartitioned = {"action": "add-spec", "spec": {"fields": []}}
    default = {"action": "set-default-spec", "spec-id": -1}
    base = apply(table(), unpartitioned, default)
    dropped = struct(column(1, "id", "long"))
    assert apply(base, add(dropped), current(-1))["current-schema-id"] == 1
    clash = struct(*SCHEMA["fields"], column(6, "ts_day"))
    assert "sourced from different field" in refusal(base, add(clash), current(-1)).message
    changed = struct(column(3, "ts", "string"))
    assert "Invalid source type string" in refusal(base, add(changed), current(-1)).message
    nested = struct(column(3, "ts", list_of(8, "int")))
    assert "Invalid source type list" in refusal(base, add(nested), current(-1)).message


def test_void_fields_may_lose_their_source() -> None:
    base = table(partition_spec={"fields": [part(3, "gone", "void")]})
    assert apply(base, add(struct(column(1, "id", "long"))), current(-1))["current-schema-id"] == 1


def test_version_1_shows_the_current_schema_to_old_readers() -> None:
    document = apply(table(1), add(WIDER), current(-1))
    assert document["schema"] == {**WIDER, "schema-id": 1}


def test_remove_schemas() -> None:
    base = apply(table(), add(WIDER), current(-1))
    document = apply(base, remove(0, 0, 7))
    assert ids(document) == [1]
    assert ids(base) == [0, 1]
    assert refusal(base, remove(0, 1)).message == "Cannot remove the current schema"
    assert apply(base, remove()) is base


def test_a_removed_schema_is_gone() -> None:
    base = apply(table(), add(WIDER), current(-1))
    assert "unknown schema: 0" in refusal(base, remove(0), current(0)).message
    again = apply(base, remove(0), add(SCHEMA), current(-1))
    assert ids(again) == [1, 2]
    assert again["current-schema-id"] == 2


@pytest.mark.parametrize("version", [1, 2])
def test_types_of_later_versions_are_refused(version: int) -> None:
    later = struct(*SCHEMA["fields"], column(6, "v", "timestamp_ns"))
    assert f"Invalid schema for v{version}" in refusal(table(version), add(later)).message
    upgraded = apply(table(version), {"action": "upgrade-format-version", "format-version": 3}, add(later))
    assert ids(upgraded) == [0, 1]


def test_column_limit() -> None:
    with pytest.raises(ValidationException, match=r"limits.max_columns \(5\)"):
        apply(table(), add(WIDER), max_columns=5)


def test_a_schema_under_a_removed_id_is_looked_at_anew() -> None:
    spec = {"action": "add-spec", "spec": {"fields": [part(6, "p")]}}
    other = struct(*SCHEMA["fields"], column(7, "other"))
    swap = (add(WIDER), current(-1), spec, current(0), remove(1), add(other), current(-1))
    assert apply(table(), *swap)["schemas"][1] == {**other, "schema-id": 1}
    assert (
        "Cannot find source column for partition field q: 6"
        in refusal(table(), *swap, {"action": "add-spec", "spec": {"fields": [part(6, "q")]}}).message
    )
