"""Clients in processes of their own that do random things to a few worlds at once, and keep what they were answered."""

import multiprocessing
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from http.client import HTTPException
from random import Random
from typing import NamedTuple

from tests.support.linear.events import Asked, Event, Known
from tests.support.linear.requests import request_of
from tests.support.linear.world import Place
from tests.support.lines import Line, Listener, line_to_every_worker

PROCESSES = 2
PLACES = tuple(Place(space, name) for space in "abcd" for name in "tu")
READER = "reader"
# How often what is asked. Rights and names of namespaces make workers forget everything, again and again.
EVERYTHING = {
    "load": 36,
    "has": 6,
    "list": 6,
    "load_space": 5,
    "has_space": 3,
    "list_spaces": 5,
    "commit": 10,
    "append": 6,
    "create": 7,
    "drop": 3,
    "rename": 8,
    "create_space": 5,
    "update_space": 3,
    "rename_space": 6,
    "drop_space": 5,
    "rights": 14,
}
# These touch only what they are about, so that workers go on giving what they remember of the rest.
CONTENT = {
    "load": 60,
    "has": 8,
    "list": 10,
    "load_space": 8,
    "has_space": 4,
    "list_spaces": 4,
    "commit": 5,
    "append": 2,
    "transact": 10,
    "create": 6,
    "drop": 1,
    "rename": 3,
    "create_space": 2,
    "update_space": 2,
    "drop_space": 1,
}


class Crowd(NamedTuple):
    """Who asks whom about what: each of the ``clients`` sends ``count`` requests.

    ``tokens`` are those of the administrator, under no name, and of the reader; ``actions`` says how often what is
    asked; ``first`` is the number of the first client, which no other client of the same history may have.
    """

    listeners: tuple[Listener, ...]
    worlds: tuple[str, ...]
    tokens: dict[str, str]
    actions: dict[str, int] = EVERYTHING
    clients: int = 8
    count: int = 100
    seed: int = 6
    first: int = 0


def record(crowd: Crowd) -> list[Event]:
    """Let all clients send their requests, and return what they were answered."""
    numbers = range(crowd.first, crowd.first + crowd.clients)
    shares = [numbers[place::PROCESSES] for place in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(_record_some, crowd, tuple(share)) for share in shares]
        return [event for future in futures for event in future.result()]


def _record_some(crowd: Crowd, numbers: Sequence[int]) -> list[Event]:
    with ThreadPoolExecutor(len(numbers)) as pool:
        return [
            event
            for events in pool.map(lambda number: _record_one(crowd, number), numbers)
            for event in events
        ]


def _record_one(crowd: Crowd, number: int) -> list[Event]:
    with line_to_every_worker(*crowd.listeners) as lines:
        client = Client(lines, crowd, number)
        return [client.ask(client.thought_up()) for _ in range(crowd.count)]


class Client:
    """One client with a connection to every worker; what it asks depends on the seed and on what it has seen."""

    def __init__(self, lines: Sequence[Line], crowd: Crowd, number: int) -> None:
        self.lines, self.crowd, self.name = lines, crowd, str(number)
        self.random = Random(f"{crowd.seed} {number}")
        self.marks = iter(range(number * 1_000_000 + 1, (number + 1) * 1_000_000))
        self.line = lines[0]
        self.last: Asked | None = None
        self.seen: deque[tuple[str, Place, str]] = deque(maxlen=16)
        self.known: dict[tuple[str, Place], Known] = {}

    def ask(self, asked: Asked) -> Event:
        """Send a request, now and then to another worker than before."""
        if self.random.random() < 0.5:
            self.line = self.random.choice(self.lines)
        request = request_of(asked)
        headers = {"Authorization": f"Bearer {self.crowd.tokens[asked.reader if asked.is_read else '']}"}
        if request.if_none_match:
            headers["If-None-Match"] = request.if_none_match
        content = request.content()
        if content:
            headers["Content-Type"] = "application/json"
        called = time.monotonic_ns()
        try:
            status, etag, body = self.line.ask(request.method, request.target, headers, content)
        except (OSError, HTTPException):
            return Event(asked, called, time.monotonic_ns(), None)
        event = Event(asked, called, time.monotonic_ns(), status, body, etag)
        self._remember(event)
        return event

    def _remember(self, event: Event) -> None:
        asked = event.asked
        if event.status == 200 and asked.action in {"load", "create"}:
            self.seen.append((asked.world, asked.place, asked.kind))
            if event.etag:
                self.known[asked.world, asked.place] = Known(event.etag, event.body)

    def thought_up(self) -> Asked:
        """Return a random request, which may be the last one again if that was a read."""
        if self.last is None or not self.last.is_read or self.random.random() < 0.6:
            self.last = self._new()
        return self.last

    def _new(self) -> Asked:
        (action,) = self.random.choices([*self.crowd.actions], [*self.crowd.actions.values()])
        world, place, kind = self._target()
        asked = Asked(
            action,
            world,
            place,
            kind="table" if action in {"append", "transact"} else kind,
            to=self._elsewhere(place, whole=action == "rename_space"),
            mark=next(self.marks),
            client=self.name,
        )
        known = self.known.get((asked.world, asked.place))
        if asked.is_read:
            reader = READER if self.random.random() < 0.4 else ""
            is_conditional = action == "load" and asked.kind == "table" and self.random.random() < 0.5
            return asked._replace(reader=reader, known=known if is_conditional else None)
        if action == "transact":
            others = [
                place for world, place, kind in self.seen if world == asked.world and kind == asked.kind
            ]
            others = [place for place in others if place != asked.place]
            return (
                asked._replace(to=self.random.choice(others)) if others else asked._replace(action="commit")
            )
        if action == "append":
            return asked._replace(known=known, action="append" if known else "commit")
        return self._about_rights(asked) if action == "rights" else asked

    def _about_rights(self, asked: Asked) -> Asked:
        """To every second world the reader is let in by a role, to the others by a right of its own."""
        asked = asked._replace(reader=READER)
        if self.random.random() < 0.5:
            return asked._replace(action=self.random.choice(["grant", "revoke"]))
        whole = asked._replace(place=Place("", ""))
        by_role = self.crowd.worlds.index(asked.world) % 2
        return whole._replace(
            action=self.random.choice(["join", "leave"] if by_role else ["grant", "revoke"])
        )

    def _target(self) -> tuple[str, Place, str]:
        """Mostly where there was something a moment ago."""
        if self.seen and self.random.random() < 0.7:
            return self.random.choice(self.seen)
        kind = "table" if self.random.random() < 0.8 else "view"
        return self.random.choice(self.crowd.worlds), self.random.choice(PLACES), kind

    def _elsewhere(self, place: Place, *, whole: bool) -> Place:
        """Another place, of another namespace where that is what gets another name."""
        others = [other for other in PLACES if other.space != place.space or not whole]
        return self.random.choice([other for other in others if other != place])
