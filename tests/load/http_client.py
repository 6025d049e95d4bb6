"""A client of a load that speaks plain HTTP."""

import time
from typing import Any
from uuid import uuid4

import requests

from tests.factories import commit_request, create_table_request, unique_name
from tests.load.clients import AFTER_FAILURE, LoadClient
from tests.load.history import Birth, Outcome, Sight
from tests.support.server import Client

READS = {200, 204, 304, 404}
NOT_NOW = {429, 502, 503, 504}  # excused while something is broken; so is no answer at all
APPLIED = {
    200: Outcome.DONE,
    204: Outcome.DONE,
    409: Outcome.REFUSED,
    429: Outcome.REFUSED,
    503: Outcome.REFUSED,
}
WEIGHTS = {
    "load": 30,
    "load_if_changed": 15,
    "look": 5,
    "list_tables": 8,
    "commit": 30,
    "commit_two": 6,
    "create": 3,
    "drop": 3,
}
OPEN = {500, 502, 504}  # the outcome is unknown; a 500 has to say so


class HttpClient(LoadClient):
    """Loads, looks, lists, commits to one table or to two, creates and drops.

    A third of its commits carry an Idempotency-Key and are repeated until it is known what became of them.
    """

    kind = "http"

    def open(self) -> None:
        self.space = f"/v1/namespaces/{self.history.namespace}"
        self.sessions = [Client(url) for url in self.target.urls]
        self.etags: dict[str, tuple[str, str]] = {}  # table -> ETag and the location that it stands for
        self.own: list[str] = []
        if self.target.token:
            for session in self.sessions:
                session.headers["Authorization"] = f"Bearer {self.target.token}"

    def close(self) -> None:
        for session in self.sessions:
            session.close()

    def act(self) -> bool:
        weights = self.target.weights
        (deed,) = self.chance.choices(list(weights), list(weights.values()))
        return bool(getattr(self, deed)())

    def ask(self, operation: str, method: str, path: str, **options: Any) -> requests.Response | None:
        """Send one request; None when no answer came."""
        session = self.chance.choice(self.sessions)
        try:
            answer = session.request(method, path, **options)
        except requests.RequestException as error:
            self.history.count(operation, type(error).__name__)
            return None
        self.history.count(operation, answer.status_code)
        return answer

    def read(self, operation: str, method: str, path: str, **options: Any) -> requests.Response | None:
        """Ask for something; None when the service says that it cannot tell now."""
        answer = self.ask(operation, method, path, **options)
        if answer is None or answer.status_code in NOT_NOW:
            return None
        if answer.status_code not in READS:
            self.history.faults.append(f"{operation} {path}: {answer.status_code} {answer.text[:500]}")
            return None
        return answer

    def change(self, operation: str, method: str, path: str, **options: Any) -> tuple[Outcome, Any]:
        """Ask for a change; return its outcome and the body of a success."""
        answer = self.ask(operation, method, path, **options)
        if answer is None:
            return Outcome.UNKNOWN, None
        if answer.status_code in APPLIED:
            return APPLIED[answer.status_code], answer.json() if answer.status_code == 200 else None
        says_so = answer.status_code != 500 or "CommitStateUnknownException" in answer.text
        if answer.status_code not in OPEN or not says_so:
            self.history.faults.append(f"{operation} {path}: {answer.status_code} {answer.text[:500]}")
        return Outcome.UNKNOWN, None

    def path(self, table: str) -> str:
        return f"{self.space}/tables/{table}"

    def some_table(self) -> str:
        return self.chance.choice([*self.target.tables, *self.own])

    def saw(self, sight: Sight) -> bool:
        self.history.sights.append(sight)
        self.last_sight = sight.began
        return True

    def load(self) -> bool:
        return self.load_with(self.some_table(), {})

    def load_if_changed(self) -> bool:
        table = self.some_table()
        known = self.etags.get(table)
        return self.load_with(table, {"If-None-Match": known[0]} if known else {})

    def load_with(self, table: str, headers: dict[str, str]) -> bool:
        began = time.monotonic()
        answer = self.read("load", "GET", self.path(table), headers=headers)
        ended = time.monotonic()
        if answer is None:
            return False
        if answer.status_code == 404:
            return self.saw(Sight(table, began, ended, False))
        if answer.status_code == 304:
            return self.saw(Sight(table, began, ended, True, self.etags[table][1]))
        body = answer.json()
        location, properties = body["metadata-location"], body["metadata"].get("properties", {})
        self.etags[table] = (answer.headers["ETag"], location)
        return self.saw(Sight(table, began, ended, True, location, properties))

    def look(self) -> bool:
        table, began = self.some_table(), time.monotonic()
        answer = self.read("exists", "HEAD", self.path(table))
        if answer is None:
            return False
        return self.saw(Sight(table, began, time.monotonic(), answer.status_code != 404))

    def list_tables(self) -> bool:
        began = time.monotonic()
        answer = self.read("list", "GET", f"{self.space}/tables")
        ended = time.monotonic()
        if answer is None:
            return False
        if answer.status_code == 404:
            self.history.faults.append("the namespace is gone")
            return False
        listed = {each["name"] for each in answer.json()["identifiers"]}
        for table in {*self.target.tables, *self.own}:
            self.saw(Sight(table, began, ended, table in listed))
        return True

    def commit(self) -> bool:
        table, number, began = self.chance.choice(self.target.tables), self.next_number(), time.monotonic()
        body = commit_request({"action": "set-properties", "updates": {self.name: str(number)}})
        key = {"Idempotency-Key": str(uuid4())} if self.chance.random() < 0.3 else {}
        outcome, answer = self.change("commit", "POST", self.path(table), json=body, headers=key)
        repeated = False
        while outcome is Outcome.UNKNOWN and key and not self.target.stopping.wait(AFTER_FAILURE):
            repeated = True
            again, answer = self.change("repeat", "POST", self.path(table), json=body, headers=key)
            outcome = (
                again if again is Outcome.DONE else Outcome.UNKNOWN
            )  # a refusal does not tell of the first
        location = answer["metadata-location"] if answer else None
        return self.committed((table,), began, outcome, number=number, location=location, repeated=repeated)

    def commit_two(self) -> bool:
        """Commit to two tables at once."""
        if len(self.target.tables) < 2:
            return self.commit()
        tables, number = self.chance.sample(self.target.tables, 2), self.next_number()
        update = commit_request({"action": "set-properties", "updates": {self.name: str(number)}})
        changes = [
            {"identifier": {"namespace": [self.history.namespace], "name": table}, **update}
            for table in tables
        ]
        began = time.monotonic()
        outcome, _ = self.change(
            "transaction", "POST", "/v1/transactions/commit", json={"table-changes": changes}
        )
        return self.committed(tuple(tables), began, outcome, number=number)

    def create(self) -> bool:
        table, began = unique_name("t"), time.monotonic()
        body = create_table_request(table)
        outcome, answer = self.change("create", "POST", f"{self.space}/tables", json=body)
        ended = time.monotonic()
        self.history.births.append(Birth(table, False, began, ended, outcome))
        if outcome is Outcome.DONE:
            location, properties = answer["metadata-location"], answer["metadata"].get("properties", {})
            self.saw(Sight(table, began, ended, True, location, properties))
        self.own.append(table)
        return outcome is Outcome.DONE

    def drop(self) -> bool:
        """Drop one of its own, and look at it afterwards."""
        if not self.own:
            return self.create()
        table, began = self.own.pop(0), time.monotonic()
        if any(each.table == table and each.outcome is not Outcome.DONE for each in self.history.births):
            return True  # nobody knows whether it is there
        outcome, _ = self.change("drop", "DELETE", self.path(table))
        self.history.births.append(Birth(table, True, began, time.monotonic(), outcome))
        return self.load_with(table, {})
