"""Every cell of the table: what is answered, and that what is refused changes nothing."""

from itertools import groupby

import pytest

from tests.contract.permissions.conftest import TABLE
from tests.contract.permissions.judge import fault
from tests.contract.permissions.table import Cell
from tests.contract.permissions.world import World

ROWS = [list(cells) for _, cells in groupby(TABLE.cells, key=lambda cell: cell[:2])]


@pytest.mark.parametrize("cells", ROWS, ids=lambda cells: f"{cells[0].operation} {cells[0].target}")
def test_row(world: World, cells: list[Cell]) -> None:
    faults = [found for cell in cells if (found := asked(world, cell))]
    assert not faults, "\n".join(faults)


def asked(world: World, cell: Cell) -> str:
    """Ask for one cell, put everything back, and return what was wrong."""
    answer = world.ask_cell(cell)
    found = fault(cell, answer)
    if answer.request.method in {"GET", "HEAD"}:
        return found
    if cell.expected == "+" and cell.status < 400:
        world.restore()
    elif left := world.changes():
        found += f" {cell} was refused and left {left}"
        world.restore()
    return found
