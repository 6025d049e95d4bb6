"""Each 403 carries an id under which an administrator learns what was missing."""

from typing import Any

from tests.contract.calls import ok
from tests.contract.permissions.asked import Sent
from tests.contract.permissions.conftest import TABLE
from tests.contract.permissions.table import Cell
from tests.contract.permissions.world import ROOT, World
from tests.support.process import eventually

FORBIDDEN: dict[str, Cell] = {
    cell.operation: cell
    for cell in TABLE.cells
    if cell.expected == "x" and cell.principal not in {"ks", "kr"}
}


def test_every_refusal_can_be_explained(world: World) -> None:
    refused = {
        f"explained-{number}": (cell, world.ask_cell(cell, {"X-Request-ID": f"explained-{number}"}))
        for number, cell in enumerate(FORBIDDEN.values())
    }
    assert len(refused) > 60
    for name, (cell, answer) in refused.items():
        assert answer.status_code == 403, cell
        found = eventually(lambda name=name: explained(world, name), 15, f"{cell} is explained")
        assert found["principal"] == cell.principal
        if answer.request.method != "HEAD":
            assert found["denial"]["message"] == answer.json()["error"]["message"]


def explained(world: World, error_id: str) -> dict[str, Any]:
    answer = world.ask(ROOT, Sent("GET", f"/management/v1/explain?error-id={error_id}"))
    return ok(answer) if answer.status_code == 200 else {}
