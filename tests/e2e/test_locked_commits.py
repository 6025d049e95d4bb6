"""A commit that loses its races locks the rows first: on that way, too, it may die or fail at each step.

A transaction over two tables is stopped each time it is about to swap, and another node commits to one of them.
"""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from app.catalog.commits import OPTIMISTIC_ATTEMPTS
from tests.conftest import MakeServer
from tests.factories import commit_request, create_table_request, set_properties
from tests.support.process import eventually
from tests.support.replay import default_warehouse, recorded, replay, stored
from tests.support.server import Client, TestServer
from tests.support.warehouses import same_place

BEGIN = "mutation.begin"
# What a commit passes on the locked way, in this order, and how many files it has written by then.
UNDONE = {
    BEGIN: 0,
    "commit.read": 0,
    "commit.prepared": 0,
    "commit.file_written": 1,
    "commit.files_written": 2,
    "commit.swapped": 2,
    "mutation.end": 2,
}
DONE = "commit.committed"
TABLES = "/v1/namespaces/a/tables"
NAMES = ("first", "second")


class Race:
    """``node`` has failpoints, which are armed in ``folder``; ``other`` is always faster."""

    def __init__(self, node: TestServer, other: TestServer, folder: Path) -> None:
        self.node, self.other, self.folder = node, other.client(), folder
        self.held = folder / "hold" / f"{BEGIN}.held"
        self.number = 0

    def lose(self, action: str, step: str) -> int:
        """Send a transaction that loses all races, and break it at a step of the locked way.

        Return the status of its answer, 0 if there was none.
        """
        self.number += 1
        broken = self.folder / action / f"{step}.{action}ed"
        broken.unlink(missing_ok=True)
        with ThreadPoolExecutor(1) as pool:
            self.arm("hold", BEGIN)
            answer = pool.submit(self.transaction)
            for _ in range(OPTIMISTIC_ATTEMPTS):
                self.wait_held(answer)
                assert self.commit("first") == 200
                self.arm("hold", BEGIN)
                self.held.unlink()
            self.wait_held(answer)
            self.arm(action, step)
            self.held.unlink()
            status = answer.result(60)
        assert broken.exists(), f"nothing happened at {step}: {status}"
        return status

    def arm(self, action: str, step: str) -> None:
        (self.folder / action / f"{step}.armed").touch()

    def wait_held(self, answer: Future[int]) -> None:
        eventually(lambda: self.held.exists() or answer.done(), 60, "the transaction is about to swap")
        assert self.held.exists(), answer.result()

    def transaction(self) -> int:
        """Set a property of both tables to the number of this race."""
        update = commit_request(set_properties(number=str(self.number)))
        changes = [{"identifier": {"namespace": ["a"], "name": name}, **update} for name in NAMES]
        with Client(self.node.url) as client:
            try:
                return client.post("/v1/transactions/commit", json={"table-changes": changes}).status_code
            except requests.ConnectionError:
                return 0

    def commit(self, name: str) -> int:
        return self.other.post(f"{TABLES}/{name}", json=commit_request(set_properties(other="x"))).status_code

    def load(self, name: str) -> dict[str, Any]:
        """Return a table's metadata, which its file has, too."""
        table = self.other.get(f"{TABLES}/{name}").json()
        assert json.loads(self.node.warehouse.read(table["metadata-location"])) == table["metadata"]
        return table["metadata"]

    def orphans(self) -> set[str]:
        """Return the metadata files that no change has ever named."""
        database = self.node.database
        assert database is not None
        rows = recorded(database, default_warehouse(database))
        assert replay(rows) == stored(database, default_warehouse(database))
        return self.node.warehouse.files() - {same_place(row.after) for row in rows if row.after}


@pytest.fixture(scope="module")
def race(make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Race]:
    folder = tmp_path_factory.mktemp("failpoints")
    for each in (folder, *(folder / action for action in ("hold", "kill", "fail"))):
        each.mkdir(exist_ok=True)
        each.chmod(0o777)
    steps = [*UNDONE, DONE]
    points = [
        f"{BEGIN}=hold:{folder}/hold",
        *(f"{step}=kill:{folder}/kill" for step in steps),
        *(f"{step}=error:{folder}/fail" for step in steps),
    ]
    settings = {"testing.enabled": True, "testing.failpoints": ",".join(points)}
    with (
        make_server(settings=settings, entry="gunicorn") as node,
        make_server(node.warehouse, node.database, entry="gunicorn", workers=1) as other,
    ):
        made = Race(node, other, folder)
        made.other.post("/v1/namespaces", json={"namespace": ["a"]}).raise_for_status()
        for name in NAMES:
            made.other.post(TABLES, json=create_table_request(name)).raise_for_status()
        yield made


@pytest.mark.parametrize("step", [*UNDONE, DONE])
def test_a_locked_commit_breaks(race: Race, step: str) -> None:
    """It is in both tables or in neither, the locks are gone, and only who is killed leaves files."""
    for action in ("fail", "kill"):
        before = race.orphans()
        status = race.lose(action, step)
        assert status == (0 if action == "kill" else 500)
        numbers = [race.load(name)["properties"].get("number") for name in NAMES]
        assert [number == str(race.number) for number in numbers] == [step == DONE] * 2
        left = race.orphans() - before
        assert len(left) == (UNDONE.get(step, 0) if action == "kill" else 0), left
        assert [race.commit(name) for name in NAMES] == [200, 200]
