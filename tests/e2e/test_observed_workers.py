"""Logs and metrics over two real gunicorn workers."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.support.process import eventually, free_port, send

COMMAND = [sys.executable, "-m", "gunicorn", "-c", "python:tests.e2e.observed.configuration"]


class Node:
    """The observed application; ``lines`` is what it has written so far."""

    def __init__(self, home: Path, *, read: bool = True) -> None:
        self.home = home
        self.reads = read
        self.lines: list[dict[str, Any]] = []
        self.url = f"http://127.0.0.1:{free_port()}"

    def __enter__(self) -> Self:
        variables = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
        variables |= {"OBSERVED_BIND": self.url.removeprefix("http://"), "OBSERVED_HOME": str(self.home)}
        self.process = subprocess.Popen(
            COMMAND, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.reader = threading.Thread(target=self._read)
        if self.reads:
            self.reader.start()
        eventually(self._answers, 30, "the application answers")
        eventually(lambda: self.metric("bingsan_workers") == 2, 30, "two workers count")
        return self

    def __exit__(self, *fault: object) -> None:
        self.stop()

    def stop(self) -> int:
        """End it by TERM and take the rest of its output."""
        if self.process.poll() is None:
            self.process.terminate()
        if self.reader.ident is None:
            self.reader.start()
        code = self.process.wait(20)
        self.reader.join(20)
        self.process.stdout.close()
        return code

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def _answers(self) -> bool:
        return self.get("/health").status_code == 404

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.url + path, headers=headers, timeout=20)

    def many(self, count: int, path: str = "/hello") -> list[requests.Response]:
        with ThreadPoolExecutor(16) as pool:
            return list(
                pool.map(lambda number: self.get(path, **{"X-Request-ID": f"r{number}"}), range(count))
            )

    def samples(self) -> dict[str, float]:
        families = text_string_to_metric_families(self.get("/metrics").text)
        found: dict[str, float] = {}
        for family in families:
            for sample in family.samples:
                route = sample.labels.get("path", "")
                found[f"{sample.name} {route}".strip()] = sample.value
        return found

    def metric(self, name: str) -> float:
        return self.samples().get(name, 0.0)

    def logged(self, route: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("route") == route]

    def workers(self) -> set[int]:
        return {int(self.get("/hello").json()["pid"]) for _ in range(40)}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    with_home = lambda **options: Node(tmp_path / "home", **options)  # noqa: E731
    yield with_home
    assert not list((tmp_path / "home" / "metrics").glob("start-*")), "the folder of figures is removed"


def test_every_request_is_counted_and_a_stop_loses_no_line(start: Callable[..., Node]):
    with start() as node:
        answers = node.many(600)
        pids = {answer.json()["pid"] for answer in answers}
        assert {answer.headers["X-Request-ID"] for answer in answers} == {f"r{n}" for n in range(600)}
        assert len(pids) == 2
        eventually(
            lambda: node.metric("iceberg_catalog_http_requests_total /hello") == 600, 10, "all are counted"
        )
        assert node.metric("iceberg_commits_total") == 600
        name = "iceberg_catalog_http_request_duration_seconds_count /hello"
        assert node.metric(name) == 600
        assert node.stop() == 0
    lines = node.logged("/hello")
    assert sorted(line["request_id"] for line in lines) == sorted(f"r{n}" for n in range(600))
    assert {line["status"] for line in lines} == {200}


def test_faults_and_events_are_lines_without_what_is_secret(start: Callable[..., Node]):
    with start() as node:
        assert node.get("/fault").status_code == 500
        assert node.get("/event?token=hunter2").status_code == 200
        node.stop()
    assert "hunter2" not in json.dumps(node.lines)
    [fault] = [line for line in node.logged("/fault") if line["msg"] == "request completed"]
    assert (fault["level"], fault["status"]) == ("ERROR", 500)
    assert [line["error"] for line in node.lines if line.get("stack")] == ["LookupError: nothing here"]
    [event] = [line for line in node.lines if line["msg"] == "asked"]
    assert (event["password"], event["url"], event["logger"]) == ("***", "postgresql://u:***@h/db", "test")
    assert "Handling signal: term" in {line["msg"] for line in node.lines}


def test_a_reader_that_stops_reading_freezes_no_worker(start: Callable[..., Node]):
    with start(read=False) as node:
        for _ in range(4):
            assert {answer.status_code for answer in node.many(500)} == {200}
        assert len(node.workers()) == 2
        node.stop()
    dropped = sum(line["count"] for line in node.lines if line["msg"] == "log lines dropped")
    assert len(node.logged("/hello")) + dropped == 2040


def test_a_killed_workers_counts_stay_and_its_gauges_go(start: Callable[..., Node]):
    with start() as node:
        node.many(100)
        eventually(lambda: node.metric("iceberg_commits_total") == 100, 10, "all are counted")
        before = node.workers()
        eventually(lambda: node.metric("iceberg_commits_total") == 140, 10, "all are counted")
        for victim in before:
            send(victim, signal.SIGKILL)
        eventually(lambda: len(node.workers() - before) == 2, 30, "two new workers answer")
        count = node.metric("iceberg_commits_total")
        assert count >= 140
        eventually(lambda: node.metric("bingsan_workers") == 2, 10, "only the living are counted")
        folders = list((node.home / "metrics").glob("start-*"))
        assert len(folders) == 1
        left = {file.name for pid in before for file in folders[0].glob(f"*_{pid}.db")}
        assert left == set()
