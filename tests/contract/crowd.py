"""Clients that do random things to a few names at once."""

import threading
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any
from uuid import uuid4

import requests

from tests.contract.bodies import ASSERT_CREATE, append, assert_uuid, staged_updates
from tests.contract.calls import (
    create_view_request,
    namespace_path,
    segment,
    view_version,
)
from tests.factories import commit_request, create_table_request, set_properties
from tests.support.server import Client

TOPS = ["a", "ö %"]
CHILDREN = ["x"]
SELDOM = ["z"]
NAMES = {"table": ["t", "ü/+"], "view": ["v"]}


class Member(threading.Thread):
    """Sends ``count`` random requests to the nodes in turn. What it does depends on ``seed`` and on the answers."""

    def __init__(self, urls: list[str], seed: int, count: int, actions: "list[Action]") -> None:
        super().__init__(name=f"member-{seed}")
        self.random, self.count, self.actions = Random(seed), count, actions
        self.clients = [Client(url) for url in urls]
        self.client = self.clients[0]
        self.outcomes: Counter[tuple[str, int]] = Counter()
        self.files: list[tuple[str, str]] = []
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            for _ in range(self.count):
                self.client = self.random.choice(self.clients)
                action = self.random.choice(self.actions)
                answer = action(self)
                self.outcomes[action.__name__, answer.status_code] += 1
        except BaseException as fault:  # noqa: BLE001 -- handed to the test, which raises it
            self.fault = fault
        finally:
            for client in self.clients:
                client.close()

    def levels(self) -> list[str]:
        top = self.random.choice(SELDOM if self.random.random() < 0.02 else TOPS)
        return [top, self.random.choice(CHILDREN)] if self.random.random() < 0.25 else [top]

    def space(self) -> str:
        return namespace_path(*self.levels())

    def name(self, kind: str = "table") -> str:
        """A name that mostly is one of that kind: tables and views also fight for the same one."""
        other = "view" if kind == "table" else "table"
        return self.random.choice(NAMES[other if self.random.random() < 0.1 else kind])

    def path(self, kind: str) -> str:
        return f"{self.space()}/{kind}s/{segment(self.name(kind))}"

    def change(self, path: str, body: Any) -> requests.Response:
        """POST; sometimes twice under one key."""
        if self.random.random() < 0.8:
            return self.client.post(path, json=body)
        headers = {"Idempotency-Key": str(uuid4())}
        first = self.client.post(path, json=body, headers=headers)
        again = self.random.choice(self.clients).post(path, json=body, headers=headers)
        if first.status_code in (200, 204, 400, 404, 409):
            assert_same(first, again)
        return first

    def create_namespace(self) -> requests.Response:
        levels = self.random.choice([SELDOM, self.levels(), self.levels()])
        return self.change("/v1/namespaces", {"namespace": levels, "properties": {"made": "1"}})

    def drop_namespace(self) -> requests.Response:
        return self.client.delete(namespace_path(*self.random.choice([SELDOM, SELDOM, self.levels()])))

    def update_properties(self) -> requests.Response:
        keys = self.random.sample(["made", "p", "q", "r"], 2)
        body = {"updates": {keys[0]: str(self.random.getrandbits(30))}, "removals": [keys[1]]}
        return self.change(f"{self.space()}/properties", body)

    def create_table(self) -> requests.Response:
        return self.change(f"{self.space()}/tables", create_table_request(self.name()))

    def create_staged(self) -> requests.Response:
        space, name = self.space(), self.name()
        body = create_table_request(name, **{"stage-create": True})
        staged = self.client.post(f"{space}/tables", json=body)
        if staged.status_code != 200:
            return staged
        request = commit_request(*staged_updates(staged.json()["metadata"]), requirements=[ASSERT_CREATE])
        return self.change(f"{space}/tables/{segment(name)}", request)

    def create_view(self) -> requests.Response:
        return self.change(f"{self.space()}/views", create_view_request(self.name("view")))

    def commit_properties(self) -> requests.Response:
        return self.change(self.path("table"), commit_request(set_properties(n=str(self.random.random()))))

    def append(self) -> requests.Response:
        """A snapshot on what was just loaded: in a crowd it is often stale."""
        path = self.path("table")
        loaded = self.client.get(path)
        if loaded.status_code != 200:
            return loaded
        metadata = loaded.json()["metadata"]
        main = metadata["refs"].get("main", {}).get("snapshot-id")
        updates = append(self.random.getrandbits(60), metadata["last-sequence-number"] + 1, main)
        requirements = [assert_uuid(metadata["table-uuid"])]
        requirements.append({"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": main})
        return self.change(path, commit_request(*updates, requirements=requirements))

    def replace_view(self) -> requests.Response:
        version = view_version(f"SELECT {self.random.getrandbits(30)}")
        updates = (
            {"action": "add-view-version", "view-version": version},
            {"action": "set-current-view-version", "view-version-id": -1},
        )
        return self.change(self.path("view"), commit_request(*updates))

    def rename(self) -> requests.Response:
        kind = self.random.choice(["table", "table", "view"])
        source, destination = ({"namespace": self.levels(), "name": self.name(kind)} for _ in range(2))
        body = {"source": source, "destination": destination}
        return self.change(f"/v1/{kind}s/rename", body)

    def drop_table(self) -> requests.Response:
        purge = self.random.choice(["true", "false"])
        return self.client.delete(self.path("table"), params={"purgeRequested": purge})

    def drop_view(self) -> requests.Response:
        return self.client.delete(self.path("view"))

    def unregister(self) -> requests.Response:
        path = self.path("table")
        answer = self.client.post(f"{path}/unregister")
        if answer.status_code == 200:
            self.files.append(("register", answer.json()["metadata-location"]))
        return answer

    def register(self) -> requests.Response:
        if not self.files:
            return self.unregister()
        route, location = self.random.choice(self.files)
        body = {
            "name": self.name(),
            "metadata-location": location,
            "overwrite": self.random.random() < 0.5,
        }
        return self.change(f"{self.space()}/{route}", body)

    def transact(self) -> requests.Response:
        changes = []
        for _ in range(self.random.choice((1, 2, 2, 3))):
            identifier = {"namespace": self.levels(), "name": self.name()}
            change = set_properties(t=str(self.random.random()))
            changes.append({"identifier": identifier, "requirements": [], "updates": [change]})
        return self.change("/v1/transactions/commit", {"table-changes": changes})


def assert_same(first: requests.Response, again: requests.Response) -> None:
    """Check that a repeated request got the first one's answer; what was purged meanwhile cannot be told again."""
    if first.status_code == 200 and again.status_code == 404:
        assert "does not exist any more" in again.json()["error"]["message"], again.text
        return
    told = first.url, first.text, again.text
    assert (again.status_code, again.content) == (first.status_code, first.content), told


Action = Callable[[Any], requests.Response]
ACTIONS: list[Action] = [
    *([Member.create_namespace] * 2),
    *([Member.drop_namespace] * 2),
    Member.update_properties,
    *([Member.create_table] * 3),
    Member.create_staged,
    *([Member.create_view] * 2),
    *([Member.commit_properties] * 3),
    *([Member.append] * 3),
    *([Member.replace_view] * 2),
    *([Member.rename] * 3),
    Member.drop_table,
    Member.drop_view,
    *([Member.unregister] * 2),
    Member.register,
    *([Member.transact] * 2),
]
