"""What one may not see is answered like what is not there, to the byte."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import requests

from tests.contract.permissions.conftest import TABLE
from tests.contract.permissions.table import Cell
from tests.contract.permissions.world import ROOT, World
from tests.support.process import eventually

SIDE = "UPDATE namespaces SET levels[1] = 'elsewhere' WHERE levels[1] = 'side'"
HOME = "UPDATE namespaces SET levels[1] = 'elsewhere' WHERE levels[1] = 'home'"
CHILDREN = """UPDATE namespaces SET levels[2] = 'else_' || levels[2]
    WHERE levels[1] = 'home' AND levels[2] IN ({})"""
IN_HOME = """UPDATE {} SET name = 'else_' || name WHERE name <> '{}'
    AND namespace_id = (SELECT id FROM namespaces WHERE levels = ARRAY['home'])"""
FUNCTIONS = IN_HOME.format("functions", "")
EVERY_CHILD = CHILDREN.format("'child', 'empty', 'doomed'")
OTHER = "UPDATE warehouses SET name = 'else_' || name, prefix = 'else_' || prefix WHERE name IN ({})"
NOT_THERE = {".", "n", "w"}


class Hidden(NamedTuple):
    """How to take away all that these principals do not see, and the warehouses among it."""

    principals: str
    statements: tuple[str, ...]
    warehouses: tuple[str, ...] = ("other", "spare")


GROUPS = [
    Hidden("li me re wr wo cr dr pm gm ve vw ne", (SIDE,)),
    Hidden("t1 ot", (SIDE, EVERY_CHILD, IN_HOME.format("tabulars", "t"), FUNCTIONS)),
    Hidden("v1", (SIDE, EVERY_CHILD, IN_HOME.format("tabulars", "v"), FUNCTIONS)),
    Hidden("ch", (SIDE, CHILDREN.format("'empty', 'doomed'"), IN_HOME.format("tabulars", ""), FUNCTIONS)),
    Hidden("os", (HOME,)),
    Hidden("mv wa wc wd", ()),
    Hidden("no", (), ("default", "other", "spare")),
    Hidden("ow", (), ("default", "spare")),
]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.principals)
def test_like_nothing(world: World, group: Hidden) -> None:
    cells = [
        cell
        for cell in TABLE.cells
        if cell.principal in group.principals.split() and cell.expected in NOT_THERE
    ]
    assert cells
    before = [answered(world, cell) for cell in cells]
    with_all_gone = gone(world, group, lambda: [answered(world, cell) for cell in cells])
    different = [
        (str(cell), *pair)
        for cell, *pair in zip(cells, before, with_all_gone, strict=True)
        if pair[0] != pair[1]
    ]
    assert not different, different[:5]


def answered(world: World, cell: Cell) -> tuple[int, dict[str, str], bytes]:
    answer = world.ask_cell(cell, {"X-Request-ID": "the-same"})
    headers = {name: value for name, value in answer.headers.items() if name != "Date"}
    return answer.status_code, headers, answer.content


def gone(world: World, group: Hidden, ask: Callable[[], list]) -> list:
    """Ask while all that the group does not see goes by other names."""
    names = ", ".join(f"'{name}'" for name in group.warehouses)
    for statement in (*group.statements, OTHER.format(names)):
        world.seed.database.query(statement)
    world.seed.changed()
    eventually(lambda: all(unknown(world, name) for name in group.warehouses), 10, "the warehouses are gone")
    try:
        return ask()
    finally:
        world.state.restore()
        eventually(lambda: not any(unknown(world, name) for name in group.warehouses), 10, "they are back")


def unknown(world: World, warehouse: str) -> bool:
    answer: requests.Response = world.client.get(
        f"/v1/{warehouse}/namespaces", headers={"X-API-Key": world.keys[ROOT]}
    )
    return answer.status_code == 404
