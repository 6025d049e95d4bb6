"""Figures of one process, and how they get into the files that all workers share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.observability import exposition as expositions
from app.observability import multiprocess
from app.observability.exposition import Exposition
from app.observability.metrics import BUCKETS, MOST_SERIES, Counter, Metrics, metrics
from app.observability.multiprocess import VARIABLE, absorb_dead_process, prepare_folder, release_folder
from app.observability.redaction import metric_label
from app.observability.scrape import ContentCollector, EntityCounts, Scrape

FORBIDDEN = ("password", "secret", "token", "api_key", "credential")
WRITE = """
import os, sys
from app.observability.exposition import Exposition
from app.observability.metrics import Metrics
figures = Metrics()
for _ in range(int(sys.argv[1])):
    figures.requests.record("GET", "/v1/config", 200, 0.003)
    figures.commits.inc()
figures.workers.set(1)
figures.db_connections_active.set(3)
Exposition(figures).flush()
os._exit(0)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node's own folder, and a fresh set of shared values for this process."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(expositions, "_Value", expositions.MultiProcessValue())
    # Tests of use cases commit in this very process.
    monkeypatch.setattr(metrics, "commits", Counter("iceberg_commits_total", ""))
    made = prepare_folder(tmp_path)
    yield made
    release_folder()


def scraped(**collectors: object) -> dict[str, float]:
    text, _ = Scrape(**collectors).text()  # type: ignore[arg-type]
    assert not [word for word in FORBIDDEN if word in text.lower()]
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def run_worker(requests: int) -> int:
    """Let another process count ``requests`` and end; return its pid."""
    worker = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(requests)], env=os.environ | {"PYTHONPATH": "."}
    )
    assert worker.wait(30) == 0
    return worker.pid


def series(status: int = 200) -> str:
    return f'{{method="GET",path="/v1/config",service="iceberg_catalog",status_code="{status}"}}'


def test_durations_fall_into_the_bucket_that_holds_them():
    requests = Metrics().requests
    for seconds in (0.0, BUCKETS[0], BUCKETS[0] + 1e-9, BUCKETS[-1], BUCKETS[-1] + 1):
        requests.record("GET", "/x", 200, seconds)
    slot = requests.slot("GET", "/x", 200)
    assert slot[: len(BUCKETS) + 1] == [2, 1, *[0] * (len(BUCKETS) - 3), 1, 1]
    assert slot[-1] == pytest.approx(21.001, abs=1e-6)
    assert requests.total() == 5


def test_a_made_up_method_is_no_label():
    requests = Metrics().requests
    for method in ("BREW", "BREW", "MAKE"):
        requests.record(method, "/x", 405, 0.1)
    assert list(requests.slots) == [("other", "/x", 405)]
    assert requests.total() == 3


def test_labels_have_a_limit():
    counter = Counter("x_total", "", ("reason",))
    for number in range(MOST_SERIES + 10):
        counter.inc(str(number))
    assert len(counter.values) == MOST_SERIES + 1
    assert counter.values["other",] == 10


def test_words_that_are_never_shown_keep_their_start():
    assert metric_label("/v1/oauth/tokens") == "/v1/oauth/tok**s"
    assert metric_label("My_Credentials") == "My_Cre*******s"
    assert metric_label("/v1/namespaces/{namespace}") == "/v1/namespaces/{namespace}"


def test_commits_are_labelled_by_table_only_when_asked():
    figures = Metrics()
    figures.record_commit("db", "t")
    assert figures.commits.values == {(): 1}
    figures.label_commits_by_table()
    figures.record_commit("db", "secrets")
    assert figures.commits.values == {("db", "sec***s"): 1}


def test_figures_of_several_processes_add_up(folder: Path):
    for requests in (3, 4):
        run_worker(requests)
    samples = scraped()
    assert samples["iceberg_catalog_http_requests_total" + series()] == 7
    assert samples["iceberg_catalog_http_request_duration_seconds_count" + series()] == 7
    assert samples["iceberg_catalog_http_request_duration_seconds_sum" + series()] == pytest.approx(0.021)
    assert samples["iceberg_commits_total"] == 7
    assert samples["bingsan_workers"] == 2
    assert samples["iceberg_db_connections_active"] == 6


def test_a_dead_process_keeps_its_counts_and_loses_its_gauges(folder: Path):
    pids = [run_worker(requests) for requests in (3, 4)]
    for pid in pids:
        absorb_dead_process(pid)
    samples = scraped()
    assert samples["iceberg_catalog_http_requests_total" + series()] == 7
    assert samples["iceberg_commits_total"] == 7
    assert "bingsan_workers" not in samples or samples["bingsan_workers"] == 0
    assert not [file for pid in pids for file in folder.glob(f"*_{pid}.db")]


def test_the_archive_of_the_dead_does_not_grow_with_their_number(folder: Path):
    absorb_dead_process(run_worker(1))
    before = {file.name: file.stat().st_size for file in folder.glob("*.db")}
    absorb_dead_process(run_worker(1))
    assert {file.name: file.stat().st_size for file in folder.glob("*.db")} == before
    assert scraped()["iceberg_commits_total"] == 2


def test_absorbing_an_unknown_process_changes_nothing(folder: Path):
    absorb_dead_process(999_999_999)
    assert not list(folder.glob("*.db"))


def test_what_did_not_change_is_not_written_again(folder: Path, monkeypatch: pytest.MonkeyPatch):
    figures = Metrics()
    exposition = Exposition(figures)
    figures.requests.record("GET", "/v1/config", 200, 0.003)
    exposition.flush()
    written = []
    monkeypatch.setattr(expositions._Value, "set", lambda self, value: written.append(value))
    exposition.flush()
    assert written == []
    figures.requests.record("GET", "/v1/config", 200, 0.003)
    exposition.flush()
    assert sorted(written) == [pytest.approx(0.006), 2, 2]


def test_pool_figures_are_asked_for_when_copied(folder: Path):
    class State:
        active, idle, maximum, waiting = 2, 1, 10, 4

    figures = Metrics()
    figures.watch_pool(State)
    Exposition(figures).flush()
    samples = scraped()
    names = ("active", "idle", "total", "max", "waiting")
    assert [samples[f"iceberg_db_connections_{name}"] for name in names] == [2, 1, 3, 10, 4]


def test_each_start_has_an_empty_folder_and_removes_those_left_by_dead_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(VARIABLE, raising=False)
    start = "import sys; from pathlib import Path; from app.observability.multiprocess import prepare_folder;"
    start += (
        f"folder = prepare_folder(Path({str(tmp_path)!r})); (folder / 'counter_1.db').touch(); print(folder)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", start], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    left_over = Path(killed.stdout.strip())
    assert (left_over / "counter_1.db").exists()
    fresh = prepare_folder(tmp_path)
    assert not left_over.exists()
    assert os.environ[VARIABLE] == str(fresh)
    assert list(fresh.glob("*.db")) == []
    second = prepare_folder(tmp_path)
    assert fresh.exists(), "a folder whose owner lives stays"
    assert second != fresh
    release_folder()
    assert not second.exists()
    multiprocess._held.clear()


def test_a_folder_the_operator_named_is_used_and_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    named = tmp_path / "named"
    named.mkdir()
    (named / "counter_7.db").touch()
    (named / "unrelated.txt").touch()
    monkeypatch.setenv(VARIABLE, str(named))
    assert prepare_folder(tmp_path / "home") == named
    assert [file.name for file in named.iterdir()] == ["unrelated.txt"]


def test_content_is_counted_at_a_scrape_and_then_kept_a_while(folder: Path):
    asked = []

    def count() -> EntityCounts:
        asked.append(True)
        return EntityCounts(2, {"db": 3, "secrets": 1, "secret_": 1}, {"db": 1})

    collector = ContentCollector(count)
    for _ in range(3):
        families = {family.name: family for family in collector.collect()}
    assert len(asked) == 1
    tables = {sample.labels["namespace"]: sample.value for sample in families["iceberg_tables_total"].samples}
    assert tables == {"db": 3, "sec***s": 1, "sec***_": 1}
    samples = scraped(count=count, ready=lambda: True)
    assert samples["iceberg_namespaces_total"] == 2
    assert samples['iceberg_views_total{namespace="db"}'] == 1
    assert samples["bingsan_ready"] == 1


def test_a_database_that_is_away_costs_the_content_only(folder: Path, capfd: pytest.CaptureFixture[str]):
    def count() -> EntityCounts:
        raise ConnectionError("server closed the connection, password=hunter2")

    run_worker(1)
    samples = scraped(count=count, ready=lambda: False)
    assert samples["bingsan_ready"] == 0
    assert samples["iceberg_commits_total"] == 1
    assert not [name for name in samples if name.startswith("iceberg_tables_total")]
    out = capfd.readouterr().out
    assert "catalog content not counted" in out
    assert "hunter2" not in out
