"""Two requests to two nodes that meet at a chosen place in the program: every race is decided, none is luck."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import requests

from tests.contract.calls import namespace_path
from tests.contract.racing import outcome
from tests.factories import commit_request, create_table_request
from tests.support.nodes import Nodes
from tests.support.process import eventually
from tests.support.server import Client, TestServer

Request = Callable[[Client], requests.Response]
Outcome = tuple[int, str | None]


class Way(NamedTuple):
    """How two requests meet.

    ``held`` is the one of the two (0 or 1) that is stopped; at ``mutation.begin`` its work is prepared, nothing is
    written to the database yet, and the other one overtakes it; at ``mutation.end`` it stands before its COMMIT, and
    the other one meets its locks.
    """

    held: int
    place: str

    @property
    def first(self) -> int:
        """Which of the two comes first."""
        return self.held if self.place == "mutation.end" else 1 - self.held

    def in_order(self, winner: Outcome, loser: Outcome) -> tuple[Outcome, Outcome]:
        """Return the outcomes of the pair when the first one to come gets ``winner``."""
        return (winner, loser) if self.first == 0 else (loser, winner)

    def __str__(self) -> str:
        return f"{'first' if self.held == 0 else 'second'} held at {self.place}"


WAYS = [Way(held, place) for held in (0, 1) for place in ("mutation.begin", "mutation.end")]


def post(path: str, body: Any) -> Request:
    return lambda client: client.post(path, json=body)


def delete(path: str) -> Request:
    return lambda client: client.delete(path)


def commit(path: str, *updates: Any, requirements: Any = ()) -> Request:
    return post(path, commit_request(*updates, requirements=list(requirements)))


def create(namespace: str, name: str, **more: Any) -> Request:
    return post(f"{namespace_path(namespace)}/tables", create_table_request(name, **more))


def send(server: TestServer, request: Request) -> requests.Response:
    with Client(server.url) as client:
        return request(client)


def meet(nodes: Nodes, way: Way, *pair: Request) -> tuple[requests.Response, requests.Response]:
    """Send each of the pair to a node of its own, and return their answers in the order of the pair."""
    slow, fast = nodes.servers[way.held], nodes.servers[1 - way.held]
    with (
        ThreadPoolExecutor(1) as pool,
        nodes.held(way.place, lambda: send(slow, pair[way.held])) as stopped,
    ):
        other = pool.submit(send, fast, pair[1 - way.held])
        overtakes = way.place == "mutation.begin"
        eventually(
            lambda: other.done() or (not overtakes and nodes.somebody_waits()),
            15,
            "the other one comes through",
        )
    answers = stopped.result(), other.result()
    return answers if way.held == 0 else answers[::-1]


def outcomes(nodes: Nodes, way: Way, *pair: Request) -> tuple[Outcome, Outcome]:
    one, other = meet(nodes, way, *pair)
    return outcome(one), outcome(other)
