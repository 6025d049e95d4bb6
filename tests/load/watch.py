"""What a node says about itself while something breaks."""

import threading
import time
from typing import NamedTuple, Self

import requests

from tests.support.process import eventually
from tests.support.server import Client

INTERVAL = 0.05
NO_ANSWER = 0
NOTICED = 5.0  # seconds; a worker notices a silent database after two


class Answer(NamedTuple):
    """The status of a path, or ``NO_ANSWER``, and when the question began and ended."""

    path: str
    status: int
    began: float
    ended: float


class Watch:
    """Asks ``/ready`` and ``/health`` all the time, each time over a new connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[Answer] = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self.stopping.set()
        self.thread.join(60)

    def run(self) -> None:
        while not self.stopping.wait(INTERVAL):
            for path in ("/ready", "/health"):
                began = time.monotonic()
                self.answers.append(Answer(path, self.ask(path), began, time.monotonic()))

    def ask(self, path: str) -> int:
        try:
            with Client(self.url) as client:
                return client.get(path, timeout=30).status_code
        except requests.RequestException:
            return NO_ANSWER

    def says(self, status: int, timeout: float = 60) -> None:
        """Return when ``/ready`` has had a status many times in a row since now, so that no worker differs."""
        now = time.monotonic()
        eventually(
            lambda: [each.status for each in self.ready() if each.began > now][-12:] == [status] * 12,
            timeout,
            f"/ready says {status}",
        )

    def ready(self) -> list[Answer]:
        return [each for each in self.answers if each.path == "/ready"]

    def lies(self, gone: float, back: float) -> list[Answer]:
        """Return the answers that were not true while the database was away: ready though it had been gone for
        long."""
        inside = [each for each in self.ready() if each.began > gone + NOTICED and each.ended < back]
        return [each for each in inside if each.status == 200]

    def silent(self) -> list[Answer]:
        """Return the times when the node did not even say that it lives."""
        return [each for each in self.answers if each.path == "/health" and each.status != 200]
