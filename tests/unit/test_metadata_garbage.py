"""Whatever JSON comes in: valid metadata goes out, or a ServiceError; the base is never touched."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.metadata.requirements import check_table_requirements
from app.metadata.table import new_table_metadata, parse_table_metadata
from app.metadata.updates import ACTIONS, apply_table_updates
from app.metadata.view import (
    apply_view_updates,
    check_view_requirements,
    new_view_metadata,
    parse_view_metadata,
)
from app.metadata.view_updates import VIEW_ACTIONS
from tests.oracle.cases import (
    UUID,
    attempt,
    create_updates,
    new_table,
    new_view,
    requirement,
    table_cases,
    view_cases,
)
from tests.support.garbage import spoiled
from tests.support.metadata import FILE, NOW_MS, SCHEMA, table_with_snapshots, view, view_version

ROUNDS = 500
SEED = 20_250_803

MEMBERS = st.sampled_from(
    [
        *("action", "type", "schema", "schema-id", "fields", "id", "name", "required", "spec", "spec-id"),
        *("sort-order", "sort-order-id", "snapshot", "snapshot-id", "snapshot-ids", "ref-name", "uuid"),
        *("format-version", "location", "updates", "removals", "statistics", "view-version", "source-id"),
    ]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["main", "branch", "struct", "int", "identity", UUID]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(MEMBERS | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=12,
)


def updates_of(actions: list[str]) -> st.SearchStrategy[Any]:
    update = st.dictionaries(MEMBERS, JSON, max_size=4)
    named = st.tuples(st.sampled_from(actions), update).map(lambda pair: {**pair[1], "action": pair[0]})
    return st.lists(named, max_size=4)


def made(make: Callable[[], Any], parse: Callable[[Any], Any]) -> bool:
    """Tell whether ``make`` accepted its input; anything but a ServiceError goes through."""
    document, error = attempt(make)
    if error is not None:
        assert error.message
        assert 400 <= error.code < 500
        return False
    assert parse(document) == document
    return True


def untouched(base: Any, make: Callable[[], Any], parse: Callable[[Any], Any]) -> bool:
    before = msgspec.json.encode(base)
    accepted = made(make, parse)
    assert msgspec.json.encode(base) == before
    return accepted


TABLES = {version: table_with_snapshots(2, version) for version in (1, 2, 3)}


@settings(max_examples=200)
@given(st.sampled_from([1, 2, 3]), JSON | updates_of(sorted(ACTIONS)))
def test_any_table_updates(version: int, updates: Any) -> None:
    base = TABLES[version]
    apply = partial(apply_table_updates, base, updates, now_ms=NOW_MS, previous_location=FILE)
    untouched(base, apply, parse_table_metadata)


@settings(max_examples=120)
@given(JSON | updates_of(sorted(VIEW_ACTIONS)))
def test_any_view_updates(updates: Any) -> None:
    base = view()
    untouched(base, partial(apply_view_updates, base, updates, now_ms=NOW_MS), parse_view_metadata)


@settings(max_examples=120)
@given(JSON, JSON, JSON, JSON)
def test_any_new_table(schema: Any, spec: Any, order: Any, properties: Any) -> None:
    make = partial(new_table_metadata, table_uuid=UUID, location="s3://b/t", now_ms=NOW_MS)
    made(partial(make, schema=schema), parse_table_metadata)
    made(partial(make, schema=SCHEMA, partition_spec=spec, sort_order=order), parse_table_metadata)
    made(partial(make, schema=SCHEMA, properties=properties), parse_table_metadata)


@settings(max_examples=120)
@given(JSON, JSON)
def test_any_new_view(schema: Any, version: Any) -> None:
    make = partial(new_view_metadata, view_uuid=UUID, location="s3://b/v")
    made(partial(make, schema=schema, version=view_version()), parse_view_metadata)
    made(partial(make, schema=SCHEMA, version=version), parse_view_metadata)


@settings(max_examples=120)
@given(JSON)
def test_any_document_and_any_requirements(value: Any) -> None:
    made(partial(parse_table_metadata, value), parse_table_metadata)
    made(partial(parse_view_metadata, value), parse_view_metadata)
    for check, base in ((check_table_requirements, TABLES[2]), (check_view_requirements, view())):
        made(partial(check, base, value), lambda nothing: nothing)


def rounds(once: Callable[[Random], bool]) -> None:
    """Run ``once`` many times; part of what it makes must be accepted, part refused."""
    random = Random(SEED)
    verdicts = [once(random) for _ in range(ROUNDS)]
    assert 0.05 < sum(verdicts) / ROUNDS < 0.95


def test_spoiled_table_updates() -> None:
    cases = table_cases(SEED, 120)

    def once(random: Random) -> bool:
        case = random.choice(cases)
        updates = spoiled(random, case.updates)
        apply = partial(apply_table_updates, case.base, updates, now_ms=NOW_MS, previous_location=FILE)
        return untouched(case.base, apply, parse_table_metadata)

    rounds(once)


def test_spoiled_table_documents_and_updates_on_them() -> None:
    cases = table_cases(SEED, 120)

    def once(random: Random) -> bool:
        case = random.choice(cases)
        document = spoiled(random, case.base)
        if not untouched(document, partial(parse_table_metadata, document), parse_table_metadata):
            return False
        base = parse_table_metadata(document)
        apply = partial(apply_table_updates, base, case.updates, now_ms=NOW_MS, previous_location=FILE)
        untouched(base, apply, parse_table_metadata)
        return True

    rounds(once)


def test_spoiled_creates() -> None:
    def once(random: Random) -> bool:
        updates = spoiled(random, create_updates(random, NOW_MS))
        apply = partial(apply_table_updates, None, updates, now_ms=NOW_MS, previous_location=None)
        return made(apply, parse_table_metadata)

    rounds(once)


@pytest.mark.parametrize("member", ["schema", "partition_spec", "sort_order", "properties", "location"])
def test_spoiled_new_tables(member: str) -> None:
    def once(random: Random) -> bool:
        arguments = new_table(random, NOW_MS)
        arguments[member] = spoiled(random, [arguments[member]])
        arguments[member] = arguments[member][0] if arguments[member] else None
        return made(partial(new_table_metadata, **arguments), parse_table_metadata)

    rounds(once)


def test_spoiled_views() -> None:
    cases = view_cases(SEED, 120)

    def once(random: Random) -> bool:
        case = random.choice(cases)
        document = spoiled(random, case.base)
        made(partial(parse_view_metadata, document), parse_view_metadata)
        updates = spoiled(random, case.updates)
        apply = partial(apply_view_updates, case.base, updates, now_ms=NOW_MS)
        return untouched(case.base, apply, parse_view_metadata)

    rounds(once)


def test_spoiled_new_views() -> None:
    def once(random: Random) -> bool:
        whole = new_view(random, NOW_MS)
        schema, version = spoiled(random, [whole["schemas"][0], whole["versions"][0], None])[:2]
        make = partial(new_view_metadata, view_uuid=UUID, location="s3://b/v", schema=schema, version=version)
        return made(make, parse_view_metadata)

    rounds(once)


def test_spoiled_requirements() -> None:
    def once(random: Random) -> bool:
        base = TABLES[2]
        requirements = spoiled(random, [requirement(random, base)])
        return made(partial(check_table_requirements, base, requirements), lambda nothing: nothing)

    rounds(once)


@pytest.mark.parametrize("kind", ["list", "struct", "map"])
def test_endless_nesting(kind: str) -> None:
    inner: Any = "int"
    for i in range(900):
        inner = {
            "list": {"type": "list", "element-id": i, "element": inner, "element-required": False},
            "struct": {
                "type": "struct",
                "fields": [{"id": i, "name": "a", "required": False, "type": inner}],
            },
            "map": {
                "type": "map",
                "key-id": -i,
                "key": "int",
                "value-id": i,
                "value": inner,
                "value-required": False,
            },
        }[kind]
    schema = {"type": "struct", "fields": [{"id": 5000, "name": "a", "required": False, "type": inner}]}
    assert not made(
        partial(new_table_metadata, table_uuid=UUID, location="s3://b", schema=schema, now_ms=NOW_MS), dict
    )
