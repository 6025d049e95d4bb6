"""KILL of every process at random times: what was acknowledged is there, and what is there is whole.

``CRASH_ROUNDS`` says how many rounds; ``make test-faults`` runs 50.
"""

import json
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.factories import create_table_request
from tests.support.process import eventually
from tests.support.server import Client, TestServer
from tests.support.warehouses import LocalWarehouse, same_place

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "5"))
WRITERS = 4
SPACE = "/v1/namespaces/crash"


class Ledger:
    """What the writers tried and what the server acknowledged."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.tried: Counter[tuple[str, str]] = Counter()
        self.acknowledged: Counter[tuple[str, str]] = Counter()
        self.tables_tried: set[str] = {"shared"}
        self.tables_acknowledged: set[str] = {"shared"}
        self.answers: Counter[int] = Counter()

    def __str__(self) -> str:
        commits, tables = sum(self.acknowledged.values()), len(self.tables_acknowledged)
        answers = ", ".join(f"{count} x {status}" for status, count in sorted(self.answers.items()))
        return f"{commits} commits and {tables} tables acknowledged ({answers})"

    def next(self, table: str, writer: str) -> int:
        with self.lock:
            self.tried[table, writer] += 1
            return self.tried[table, writer]


class Writer(threading.Thread):
    """Creates tables and counts up a property of its own in them, until the server is gone."""

    def __init__(self, name: str, url: str, ledger: Ledger, seed: int) -> None:
        super().__init__(name=name)
        self.url, self.ledger, self.random = url, ledger, random.Random(seed)
        self.fault: BaseException | None = None

    def run(self) -> None:
        with Client(self.url) as client:
            try:
                while True:
                    self.write(client)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                return
            except BaseException as fault:  # noqa: BLE001 -- handed to the test, which raises it
                self.fault = fault

    def write(self, client: Client) -> None:
        own = sorted(table for table in self.ledger.tables_acknowledged.copy() if table.startswith(self.name))
        if len(own) < 3 or self.random.random() < 0.02:
            self.create(client, f"{self.name}_{self.random.getrandbits(60):x}")
        else:
            self.commit(client, self.random.choice([*own, "shared"]))

    def create(self, client: Client, table: str) -> None:
        self.ledger.tables_tried.add(table)
        answer = client.post(f"{SPACE}/tables", json=create_table_request(table))
        self.ledger.answers[answer.status_code] += 1
        if answer.status_code == 200:
            self.ledger.tables_acknowledged.add(table)
        else:
            assert_refusal(answer)

    def commit(self, client: Client, table: str) -> None:
        number = self.ledger.next(table, self.name)
        update = {"action": "set-properties", "updates": {self.name: str(number)}}
        answer = client.post(f"{SPACE}/tables/{table}", json={"requirements": [], "updates": [update]})
        self.ledger.answers[answer.status_code] += 1
        if answer.status_code == 200:
            self.ledger.acknowledged[table, self.name] = number
        else:
            assert_refusal(answer)


def assert_refusal(answer: requests.Response) -> None:
    """A server that is being killed may refuse or not know; it must not say that the request was wrong."""
    assert answer.status_code in {409, 429, 500, 503}, answer.text


@pytest.fixture
def node() -> Iterator[TestServer]:
    """A node with its own embedded PostgreSQL and its warehouse on local files."""
    warehouse = LocalWarehouse()
    node = TestServer(warehouse, env={"ICEBERG_DATABASE_EMBEDDED": "true"})
    with node:
        assert node.client().post("/v1/namespaces", json={"namespace": ["crash"]}).status_code == 200
        answer = node.client().post(f"{SPACE}/tables", json=create_table_request("shared"))
        assert answer.status_code == 200, answer.text
        yield node
    warehouse.remove()


def test_no_acknowledged_commit_is_lost(node: TestServer, capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.SystemRandom().getrandbits(32)
    with capsys.disabled():
        print(f"\n{ROUNDS} rounds of kill -9 with {WRITERS} writers, seed {seed}")
    chance = random.Random(seed)
    ledger = Ledger()
    for number in range(1, ROUNDS + 1):
        write_until_killed(node, ledger, chance)
        if chance.random() < 0.2:
            kill_while_starting(node, chance)
        node.start(server__workers=chance.choice((1, 2))).wait_ready()
        with Client(node.url) as client:
            check(client, ledger, node)
        with capsys.disabled():
            print(f"round {number}: {ledger}; all there")
    assert sum(ledger.acknowledged.values()) > 10 * ROUNDS, ledger.answers


def write_until_killed(node: TestServer, ledger: Ledger, chance: random.Random) -> None:
    writers = [Writer(f"w{number}", node.url, ledger, chance.getrandbits(32)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    wanted = sum(ledger.answers.values()) + chance.randint(0, 80)
    eventually(lambda: sum(ledger.answers.values()) >= wanted, 60, "the writers get answers", interval=0.005)
    threading.Event().wait(chance.uniform(0, 0.05))  # the random time of the crash
    node.kill()
    for writer in writers:
        writer.join(60)
        assert not writer.is_alive()
        if writer.fault:
            raise writer.fault


def kill_while_starting(node: TestServer, chance: random.Random) -> None:
    """Recovery itself may be cut off at any time as well."""
    node.start()
    threading.Event().wait(chance.uniform(0.05, 2))
    node.kill()


def check(client: Client, ledger: Ledger, node: TestServer) -> None:
    """Compare what the restarted server has with the ledger."""
    listed = {each["name"] for each in client.get(f"{SPACE}/tables").json()["identifiers"]}
    assert ledger.tables_acknowledged <= listed <= ledger.tables_tried
    ledger.tables_acknowledged |= listed
    files = eventually(node.warehouse.files, 5, "the warehouse has files")
    for table in sorted(listed):
        loaded = load(client, table)
        assert same_place(loaded["metadata-location"]) in files
        assert (
            json.loads(Path(loaded["metadata-location"].removeprefix("file://")).read_text())
            == loaded["metadata"]
        )
        for entry in loaded["metadata"]["metadata-log"]:
            assert same_place(entry["metadata-file"]) in files
        check_counters(loaded["metadata"]["properties"], table, ledger)


def load(client: Client, table: str) -> dict[str, Any]:
    answer = client.get(f"{SPACE}/tables/{table}")
    assert answer.status_code == 200, (table, answer.text)
    return answer.json()


def check_counters(properties: dict[str, str], table: str, ledger: Ledger) -> None:
    for number in range(WRITERS):
        writer = f"w{number}"
        found = int(properties.get(writer, "0"))
        assert ledger.acknowledged[table, writer] <= found <= ledger.tried[table, writer], (table, writer)
        ledger.acknowledged[table, writer] = found
