"""JSON that is nearly right: a valid value with a few members changed, removed or copied elsewhere."""

from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

JUNK: tuple[Any, ...] = (
    *(None, True, False, 1.0, 1e300, "", [], {}, [[]], [None], ["a"], [1], {"a": 1}),
    *(0, -1, 1, 404, 999, 1000, 2**31 - 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1),
    {"type": "struct", "fields": []},
    {"type": "list"},
)
WORDS = (
    *("", "x", "main", "b1", "branch", "tag", "5", "-1", "true", "gzip", "s3://", "a.b", "c1"),
    *("identity", "void", "bucket[3]", "bucket[0]", "my_transform", "format-version"),
    *("long", "list", "struct", "unknown", "timestamp_ns", "decimal(1,2)"),
)
NUMBERS = (0, -1, 1, 2, 3, 404, 999, 1000, 2**31 - 1, 2**31, 2**63 - 1)
NAMES = ("id", "name", "fields", "type", "source-id", "x")

Path = tuple[str | int, ...]


def spoiled(random: Random, value: Any) -> Any:
    """Return a copy of ``value`` with one or two faults."""
    copy = deepcopy(value)
    for _ in range(random.choice((1, 1, 1, 2))):
        places = [path for path in paths(copy) if path]
        if places:
            spoil(random, copy, random.choice(places), random.choice(places))
    return copy


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    items = value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()
    for key, item in items:
        yield from paths(item, (*path, key))


def spoil(random: Random, value: Any, path: Path, other: Path) -> None:
    owner, key = item_at(value, path[:-1]), path[-1]
    fault = random.random()
    if fault < 0.25:
        del owner[key]
    elif fault < 0.75:
        owner[key] = similar(random, owner[key])
    elif fault < 0.85:
        owner[key] = deepcopy(random.choice(JUNK))
    elif type(owner) is list:
        owner.append(deepcopy(item_at(value, other)))
    else:
        owner[random.choice(NAMES)] = deepcopy(item_at(value, other))


def item_at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def similar(random: Random, value: Any) -> Any:
    """Return another value of the same JSON type."""
    if type(value) is int:
        return random.choice((*NUMBERS, value + 1, value - 1))
    if type(value) is str:
        return random.choice((*WORDS, value.upper()))
    if type(value) is list and value:
        return random.choice((value[1:], value[::-1], [*value, deepcopy(value[0])]))
    if type(value) is dict and value:
        dropped = random.choice(list(value))
        return {name: item for name, item in value.items() if name != dropped}
    return deepcopy(random.choice(JUNK))
