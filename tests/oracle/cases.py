"""What is asked of us and of Iceberg's library: random, but the same at every run except for the clock."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import msgspec

from app.errors import ServiceError
from app.metadata.requirements import check_table_requirements
from app.metadata.table import new_table_metadata
from app.metadata.updates import apply_table_updates
from app.metadata.view import apply_view_updates, new_view_metadata
from tests.oracle.columns import Columns, partition_fields, sort_fields
from tests.oracle.differences import as_sent_to_java
from tests.oracle.table_story import TableStory
from tests.oracle.view_story import ViewStory

UUID = "9c12d441-03fe-4693-9a96-a0705ddf69c1"
STEPS = 12


@dataclass
class Case:
    """A question to Java and what we made of the same."""

    question: dict[str, Any]
    base: dict[str, Any] | None
    updates: list[dict[str, Any]]
    document: dict[str, Any] | None
    error: ServiceError | None


Outcome = tuple[dict[str, Any] | None, ServiceError | None]


def untouched(base: dict[str, Any], make: Callable[[], dict[str, Any]]) -> Outcome:
    """Attempt it, and see that the base is what it was."""
    before = msgspec.json.encode(base)
    outcome = attempt(make)
    assert msgspec.json.encode(base) == before, "the base was changed"
    return outcome


def attempt(make: Callable[[], dict[str, Any]]) -> Outcome:
    try:
        return make(), None
    except ServiceError as error:
        return None, error


def clock() -> int:
    """Return a time in epoch milliseconds a little ahead, so that Java's clock is near it all along."""
    return int(time.time() * 1000) + 20_000


def table_cases(seed: int, count: int) -> list[Case]:
    """Tables of every format version, each changed by a dozen lists of updates."""
    random, now_ms = Random(seed), clock()
    cases: list[Case] = []
    while len(cases) < count:
        document, _ = attempt(partial(new_table_metadata, **new_table(random, now_ms)))
        assert document is not None
        for step in range(STEPS):
            case = table_case(
                document, TableStory(random, document, now_ms + step).tell(), now_ms + step, step
            )
            cases.append(case)
            document = case.document or document
    return cases[:count]


def table_case(base: dict[str, Any], updates: list[dict[str, Any]], now_ms: int, step: int) -> Case:
    location = f"s3://bucket/t/metadata/{step:05d}-{UUID}.metadata.json"
    make = partial(apply_table_updates, base, updates, now_ms=now_ms, previous_location=location)
    document, error = untouched(base, make)
    question = {"operation": "table", "base": base, "location": location}
    return Case(question | {"updates": as_sent_to_java(updates)}, base, updates, document, error)


def new_table(random: Random, now_ms: int) -> dict[str, Any]:
    """Return the arguments of a new table."""
    version = random.choice((1, 2, 3))
    schema = Columns(random, random.choice((0, 1, 7)), version).schema(random.randint(1, 6))
    return {
        "table_uuid": UUID,
        "location": "s3://bucket/t",
        "schema": schema,
        "partition_spec": {"spec-id": 0, "fields": partition_fields(random, schema)},
        "sort_order": sort_order(random, schema),
        "properties": {"format-version": str(version), "owner": "x", "uuid": "dropped"},
        "now_ms": now_ms,
    }


def sort_order(random: Random, schema: dict[str, Any]) -> dict[str, Any]:
    fields = sort_fields(random, schema)
    return {"order-id": 1 if fields else 0, "fields": fields}


def new_table_cases(seed: int, count: int) -> Iterator[Case]:
    random, now_ms = Random(seed), clock()
    for _ in range(count):
        arguments = new_table(random, now_ms)
        document, error = attempt(partial(new_table_metadata, **arguments))
        question = {
            "operation": "new",
            "schema": arguments["schema"],
            "spec": arguments["partition_spec"],
            "order": arguments["sort_order"],
            "properties": arguments["properties"],
            "table-location": arguments["location"],
        }
        yield Case(question, None, [], document, error)


def create_cases(seed: int, count: int) -> Iterator[Case]:
    """Tables created by commit, as staged creates are."""
    random, now_ms = Random(seed), clock()
    for _ in range(count):
        updates = create_updates(random, now_ms)
        make = partial(apply_table_updates, None, updates, now_ms=now_ms, previous_location=None)
        document, error = attempt(make)
        yield Case({"operation": "create", "updates": updates}, None, updates, document, error)


def create_updates(random: Random, now_ms: int) -> list[dict[str, Any]]:
    new = new_table(random, now_ms)
    version = int(new["properties"]["format-version"])
    staged = new_table_metadata(**new)
    updates: list[dict[str, Any]] = [
        {"action": "assign-uuid", "uuid": UUID},
        {"action": "upgrade-format-version", "format-version": version},
        {"action": "add-schema", "schema": staged["schemas"][0], "last-column-id": staged["last-column-id"]},
        {"action": "set-current-schema", "schema-id": -1},
        {"action": "add-spec", "spec": staged["partition-specs"][0]},
        {"action": "set-default-spec", "spec-id": -1},
        {"action": "add-sort-order", "sort-order": staged["sort-orders"][0]},
        {"action": "set-default-sort-order", "sort-order-id": -1},
        {"action": "set-location", "location": "s3://bucket/staged"},
        {"action": "set-properties", "updates": staged["properties"] if random.random() < 0.8 else {}},
    ]
    if random.random() < 0.1:
        del updates[random.choice((2, 3, 5, 7))]
    story = TableStory(random, staged, now_ms)
    for _ in range(random.randint(0, 2)):
        updates += story.append()
    return updates


def requirement_cases(seed: int, tables: list[Case]) -> Iterator[Case]:
    random = Random(seed)
    for case in tables:
        base = case.base
        assert base is not None
        requirements = [requirement(random, base) for _ in range(random.randint(1, 3))]

        document, error = attempt(partial(accepted, base, requirements))
        question = {"operation": "requirements", "base": base, "requirements": requirements}
        yield Case(question, base, [], document, error)


def accepted(base: dict[str, Any], requirements: list[dict[str, Any]]) -> dict[str, Any]:
    check_table_requirements(base, requirements)
    return {}


def requirement(random: Random, base: dict[str, Any]) -> dict[str, Any]:
    """Return a requirement that holds in about three cases of four."""
    wrong = random.random() < 0.25
    kind = random.choice(("uuid", "ref", "member", "member", "member"))
    if kind == "uuid":
        uuid = "00000000-0000-4000-8000-000000000000" if wrong else base["table-uuid"].upper()
        return {"type": "assert-table-uuid", "uuid": uuid}
    if kind == "ref":
        name = random.choice(("main", "b1", "t1", "gone"))
        snapshot_id = base["refs"].get(name, {}).get("snapshot-id")
        return {"type": "assert-ref-snapshot-id", "ref": name, "snapshot-id": 404 if wrong else snapshot_id}
    name, member = random.choice(
        (
            ("last-assigned-field-id", "last-column-id"),
            ("current-schema-id", "current-schema-id"),
            ("last-assigned-partition-id", "last-partition-id"),
            ("default-spec-id", "default-spec-id"),
            ("default-sort-order-id", "default-sort-order-id"),
        )
    )
    return {"type": f"assert-{name}", name: base[member] + wrong}


def view_cases(seed: int, count: int) -> list[Case]:
    random, now_ms = Random(seed), clock()
    cases: list[Case] = []
    while len(cases) < count:
        document = new_view(random, now_ms)
        for step in range(STEPS):
            updates = ViewStory(random, document, now_ms + step).tell()
            cases.append(view_case(document, updates, now_ms + step))
            document = cases[-1].document or document
    return cases[:count]


def new_view(random: Random, now_ms: int) -> dict[str, Any]:
    schema = Columns(random, 1, 1).schema(2)
    version = ViewStory(random, {}, now_ms).version(0)
    return new_view_metadata(view_uuid=UUID, location="s3://bucket/v", schema=schema, version=version)


def view_case(base: dict[str, Any], updates: list[dict[str, Any]], now_ms: int) -> Case:
    document, error = untouched(base, partial(apply_view_updates, base, updates, now_ms=now_ms))
    question = {"operation": "view", "base": base, "updates": updates}
    return Case(question, base, updates, document, error)
