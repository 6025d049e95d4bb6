"""``make demo``: real flights through PyIceberg, read by Spark."""

import os
import subprocess
import sys

import pytest

from tests.clients.spark import Engine
from tests.support.process import free_port
from tests.support.server import ROOT, TestServer

ROWS = {"airlines": 16, "airports": 1458, "planes": 3322, "weather": 26115, "flights": 336776}
LEFT = 328521  # flights that were not cancelled


def demo(uri: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "scripts" / "demo.py"]
    environment = {**os.environ, "ICEBERG_CATALOG_URI": uri}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def shown(server: TestServer) -> str:
    """What the demo prints the second time: every run starts over."""
    for _ in range(2):
        done = demo(server.url)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    return done.stdout


def test_demo_says_what_it_did(shown: str) -> None:
    for name, rows in ROWS.items():
        assert f"{rows:,} rows" in shown, name
    assert "purged nycflights13.flights" in shown
    assert f"336,776 rows before, 8,255 deleted, {LEFT:,} left" in shown
    assert "(append): 336,776 rows" in shown
    assert f"{LEFT:,} rows  2 snapshots" in shown


@pytest.mark.parametrize("any_server", ["file"], indirect=True)
def test_spark_reads_the_tables_of_the_demo(shown: str, spark: Engine) -> None:
    space = f"{spark.catalog}.nycflights13"
    for name, rows in {**ROWS, "flights_by_month": LEFT}.items():
        assert spark.value(f"SELECT count(*) FROM {space}.{name}") == rows, name
    busiest = spark.rows(
        f"SELECT a.name, count(*) AS n FROM {space}.flights f JOIN {space}.airlines a ON f.carrier = a.carrier"
        " GROUP BY a.name ORDER BY n DESC LIMIT 1"
    )
    assert busiest == [("United Air Lines Inc.", 58665)]
    assert spark.value(f"SELECT count(*) FROM {space}.flights_by_month WHERE gain > 0 AND origin = 'JFK'") > 0


def test_demo_without_a_catalog_says_so() -> None:
    uri = f"http://127.0.0.1:{free_port()}"
    done = demo(uri)
    assert done.returncode == 1
    assert uri in done.stderr
    assert "make run" in done.stderr
    assert len(done.stderr.splitlines()) == 1
