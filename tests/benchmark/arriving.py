"""Starts the generator of constant load as a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.support.server import ROOT


def stream(name: str, rate: float, connections: int, requests: Sequence[str]) -> dict[str, Any]:
    """Requests per second, all in all, over so many connections."""
    return {"name": name, "rate": rate, "connections": connections, "requests": list(requests)}


class Generator:
    """A generator whose connections are open; ``opened`` says how many are and how many first requests failed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.opened = self._read()

    def run(self) -> list[dict[str, Any]]:
        """Send all streams' requests once and return the figures of each stream."""
        self._write("go")
        return list(self._read())

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the generator ended with {self._process.wait()}"
        return json.loads(line)


@contextmanager
def generator(url: str, seconds: float, streams: Sequence[dict[str, Any]]) -> Iterator[Generator]:
    """A generator for streams of requests over ``seconds``; its connections stay open for the time of the block."""
    address = urlsplit(url)
    plan = {"host": address.hostname, "port": address.port, "seconds": seconds, "streams": list(streams)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmark.generator"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    with process:
        try:
            process.stdin.write(json.dumps(plan) + "\n")
            process.stdin.flush()
            yield Generator(process)
        finally:
            process.stdin.close()
