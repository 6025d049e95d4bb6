"""The table of operations, statuses and the tests that see them."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from tests.conformance.differences import Reasoned
from tests.conformance.shapes import Shapes
from tests.support.schemas import JsonObject

Cell = tuple[str, str]
# What these see depends on who comes first; they stand for a cell only when nothing else does.
UNSTEADY = re.compile(r"race|meeting|walk|overload|outage|replay|crowd|fuzz|schemathesis")
METHODS = ("get", "head", "post", "put", "patch", "delete")
HEAD = """# Conformance

Written by `make conformance-page`; `make conformance` fails when this page is not what its run has shown. Every
operation and every status of the official Iceberg REST document has either a test that provokes it, in which request
and answer are valid by our own document and by the official one, or a reason why this server does not answer it. The
tests are in `tests/contract`; one is named where there are several.

"""
COLUMNS = "| status | error types | test, or why there is none |\n|---|---|---|\n"


class Matrix(NamedTuple):
    """``proved`` has a test, ``excused`` a reason, ``open`` neither; ``stale`` reasons are not needed."""

    proved: dict[Cell, str]
    excused: dict[Cell, str]
    open: list[Cell]
    stale: list[str]


def cells(official: JsonObject) -> list[Cell]:
    """Return every operation with every status that the official document lists for it."""
    return [
        (f"{method.upper()} {path}", str(status))
        for path, item in official["paths"].items()
        for method in METHODS
        if method in item
        for status in sorted(map(str, item[method]["responses"]))
    ]


def fill(
    official: JsonObject, seen: Iterable[tuple[str, int, str, str]], reasons: list[Reasoned], page: str
) -> Matrix:
    """Find a test or a reason for every cell.

    :param seen: operation, status, error type and test of every exchange
    :param page: the page as it was; a test that it names stays as long as it still proves its cell
    """
    tests = _tests(seen)
    kept = dict(_written(page))
    proved, excused, missing, needed = {}, {}, [], set()
    for cell in cells(official):
        found = {name for status in _statuses(cell[1]) for name in tests[cell[0], status]}
        reason = next((one for one in reasons if one.covers(" ".join(cell))), None)
        if found:
            before = kept.get(cell)
            steady = {name for name in found if not UNSTEADY.search(name)} or found
            proved[cell] = before if before in steady else _likeliest(steady)
        elif reason:
            excused[cell] = reason.why
            needed.add(reason.what)
        else:
            missing.append(cell)
    return Matrix(proved, excused, missing, [one.what for one in reasons if one.what not in needed])


def _tests(seen: Iterable[tuple[str, int, str, str]]) -> dict[Cell, set[str]]:
    found: dict[Cell, set[str]] = defaultdict(set)
    for operation, status, _, test in seen:
        name = test.partition("[")[0].removeprefix("tests/contract/")
        found[operation, str(status)].add(name)
    return found


def _statuses(status: str) -> list[str]:
    # A range is proved by any of its statuses that the service answers with.
    return [f"{status[0]}{number:02}" for number in range(100)] if status.endswith("XX") else [status]


def _likeliest(names: set[str]) -> str:
    return min(names, key=lambda name: ("every_operation" in name, name))


def _written(page: str) -> list[tuple[Cell, str]]:
    names = re.findall(r"^### `([^`]+)`$|^\| (\w+) \| [^|]*\| `([^`]+)` \|$", page, re.MULTILINE)
    found, operation = [], ""
    for heading, status, test in names:
        operation = heading or operation
        if status:
            found.append(((operation, status), test))
    return found


def render(official: JsonObject, own: JsonObject, matrix: Matrix, differences: list[Reasoned]) -> str:
    """Return the page."""
    lines = [HEAD, _summary(matrix), "\n## Operations\n"]
    operation = ""
    for cell in cells(official):
        if cell[0] != operation:
            operation = cell[0]
            lines.append(
                f"\n### `{operation}`\n\n| status | error types | test, or why there is none |\n|---|---|---|\n"
            )
        proof = f"`{matrix.proved[cell]}`" if cell in matrix.proved else matrix.excused.get(cell, "**open**")
        lines.append(f"| {cell[1]} | {_types(own, *cell)} | {proof} |\n")
    lines.append("\n## Differences between the two documents\n\n| difference | why |\n|---|---|\n")
    lines += [f"| `{one.what}` | {one.why} |\n" for one in differences]
    return "".join(lines)


def _summary(matrix: Matrix) -> str:
    total = len(matrix.proved) + len(matrix.excused) + len(matrix.open)
    operations = {cell[0] for cell in [*matrix.proved, *matrix.excused, *matrix.open]}
    proved = {cell[0] for cell in matrix.proved}
    return (
        f"{len(operations)} operations, {len(proved)} of them with tests; {total} combinations of operation and "
        f"status: {len(matrix.proved)} proved, {len(matrix.excused)} with a reason, {len(matrix.open)} open.\n"
    )


def _types(own: JsonObject, operation: str, status: str) -> str:
    method, path = operation.split(" ")
    responses = own["paths"].get(path, {}).get(method.lower(), {}).get("responses", {})
    shapes = Shapes(own)
    schema = (
        shapes.resolve(responses.get(status, {})).get("content", {}).get("application/json", {}).get("schema")
    )
    if schema is None or not status.startswith(("4", "5")):
        return ""
    error = shapes.of(schema).members.get("error", {})
    values = shapes.of(shapes.of(error).members.get("type", {})).values
    return ", ".join(sorted(values or []))
