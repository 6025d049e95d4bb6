"""Storage under gevent: one backend that hangs stops neither the loop nor the other backend."""

import json
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.config import ConfigurationError, Settings
from app.errors import BadRequestException, IllegalArgumentException
from app.storage.registry import Storages
from tests.support.faults import SilentStore
from tests.support.minio import Minio

ROOT = Path(__file__).parents[2]

PRELUDE = """
    from gevent import monkey
    monkey.patch_all()
    import gevent, json, os, sys, time
    from app.config import ConfigurationError, Settings
    from app.errors import ServiceError, ServiceUnavailableException
    from app.storage.registry import Storages
    settings = Settings.load(environ=os.environ)
    storages = Storages.from_settings(settings)
    report = {}

    def timed(call):
        started = time.monotonic()
        try:
            outcome = call()
        except ServiceError as error:
            outcome = error
        return outcome, time.monotonic() - started
"""


def under_gevent(script: str, environment: dict[str, str]) -> dict[str, Any]:
    """Run a script in a process that gevent has patched; it prints its ``report`` as JSON."""
    code = textwrap.dedent(PRELUDE) + textwrap.dedent(script) + "\nprint(json.dumps(report))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env={**environment, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def local(tmp_path: Path) -> dict[str, str]:
    return {
        "ICEBERG_HOME": str(tmp_path),
        "ICEBERG_DATABASE_EMBEDDED": "true",
        "ICEBERG_STORAGE_WAREHOUSE": f"file://{tmp_path}/warehouse",
    }


def on_s3(endpoint: str, key: str = "someone", secret: str = "something") -> dict[str, str]:
    return {
        "ICEBERG_STORAGE_S3_ENDPOINT": endpoint,
        "ICEBERG_STORAGE_S3_ACCESS_KEY_ID": key,
        "ICEBERG_STORAGE_S3_SECRET_ACCESS_KEY": secret,
        "ICEBERG_STORAGE_S3_USE_PATH_STYLE": "true",
    }


def test_a_store_that_never_answers_holds_up_nothing_else(local: dict[str, str], tmp_path: Path) -> None:
    script = """
        gaps, files = [], []

        def tick():
            while True:
                started = time.monotonic()
                gevent.sleep(0.01)
                gaps.append(time.monotonic() - started - 0.01)

        def write_files():
            number = 0
            while True:
                number += 1
                location = f"{settings.storage.warehouse}/{number}"
                files.append(timed(lambda: storages.for_location(location).write_new(location, b"x")))
                gevent.sleep(0.02)

        def write_s3(number):
            location = f"s3://bucket/a/{number}"
            return timed(lambda: storages.for_location(location).write_new(location, b"x"))

        background = [gevent.spawn(tick), gevent.spawn(write_files)]
        waiting = [gevent.spawn(write_s3, number) for number in range(200)]
        gevent.joinall(waiting)
        outcomes = [greenlet.value for greenlet in waiting]
        gevent.killall(background)
        report["errors"] = sorted({type(outcome).__name__ for outcome, _ in outcomes})
        report["slowest_call"] = max(seconds for _, seconds in outcomes)
        report["longest_gap"] = max(gaps)
        report["files"] = len(files)
        report["file_errors"] = [str(outcome) for outcome, _ in files if outcome]
        report["slowest_file"] = max(seconds for _, seconds in files)
    """
    settings = {
        "ICEBERG_STORAGE_ALLOWED_LOCATIONS": "s3://bucket/a",
        "ICEBERG_STORAGE_TIMEOUT": "1s",
        "ICEBERG_STORAGE_DEADLINE": "3s",
        "ICEBERG_STORAGE_MAX_THREADS": "8",
    }
    with SilentStore().running() as silent:
        report = under_gevent(script, local | settings | on_s3(silent.endpoint))
    assert report["errors"] == ["ServiceUnavailableException"]
    assert report["slowest_call"] < 3.5
    assert report["longest_gap"] < 0.9
    assert report["files"] > 20
    assert report["file_errors"] == []
    assert report["slowest_file"] < 0.9


def test_threads_are_free_again_after_late_calls(local: dict[str, str], tmp_path: Path) -> None:
    """A folder of the warehouse hangs: its calls end at the deadline, and when it answers again all is well."""
    script = """
        import threading
        from app.storage.executor import ThreadExecutor
        release = monkey.get_original("threading", "Event")()
        executor = ThreadExecutor("file", 4, 0.5)
        hanging = [gevent.spawn(timed, lambda: executor.run(release.wait)) for _ in range(12)]
        gevent.joinall(hanging)
        report["late"] = sorted({str(greenlet.value[0]) for greenlet in hanging})
        report["slowest"] = max(greenlet.value[1] for greenlet in hanging)
        report["while_full"] = str(timed(lambda: executor.run(lambda: 1))[0])
        release.set()
        gevent.sleep(0.1)
        after = [gevent.spawn(timed, lambda: executor.run(lambda: 1)) for _ in range(12)]
        gevent.joinall(after)
        report["after"] = sorted({greenlet.value[0] for greenlet in after})
    """
    report = under_gevent(script, local)
    message = "Storage (file) did not answer within storage.deadline (0.5 s)"
    assert report["late"] == [message]
    assert report["slowest"] < 5.0
    assert report["while_full"] == message
    assert report["after"] == [1]


def test_what_a_call_raises_is_raised_once_and_printed_nowhere(local: dict[str, str]) -> None:
    script = """
        location = f"{settings.storage.warehouse}/missing"
        outcome, _ = timed(lambda: storages.for_location(location).read(location, 10))
        report["error"] = str(outcome)
    """
    report = under_gevent(script, local)
    assert report["error"].startswith("Failed to open input stream for file: file://")


def test_many_greenlets_share_one_client(local: dict[str, str], minio: Minio) -> None:
    script = """
        def round_trip(number):
            location = f"s3://greenlets/a/{number}"
            files = storages.for_location(location)
            data = str(number).encode() * 1000
            files.write_new(location, data)
            assert files.exists(location)
            return files.read(location, 10_000) == data and files.delete([location]) == {}

        greenlets = [gevent.spawn(round_trip, number) for number in range(40)]
        gevent.joinall(greenlets, raise_error=True)
        report["good"] = sum(greenlet.value for greenlet in greenlets)
    """
    minio.create_bucket("greenlets")
    store = on_s3(minio.endpoint, minio.access_key, minio.secret_key)
    report = under_gevent(script, local | store | {"ICEBERG_STORAGE_ALLOWED_LOCATIONS": "s3://greenlets/a"})
    assert report["good"] == 40
    assert minio.keys("greenlets") == set()


def test_an_unanswered_write_is_taken_back_when_the_store_is_well_again(
    local: dict[str, str], minio: Minio
) -> None:
    """The store takes the object but its answers are lost until the deadline; then it answers again."""
    script = """
        import threading
        from tests.support.faults import Proxy

        broken = True

        def behave(exchange):
            status, body, headers = exchange.forward()
            if broken and exchange.command != "POST":
                return exchange.hang_up()
            exchange.answer(status, body, headers)

        with Proxy(os.environ["TARGET"], behave).running() as proxy:
            os.environ["ICEBERG_STORAGE_S3_ENDPOINT"] = proxy.endpoint
            storages = Storages.from_settings(Settings.load(environ=os.environ))
            location = "s3://unanswered/a/1"
            outcome, _ = timed(lambda: storages.for_location(location).write_new(location, b"x"))
            report["error"] = type(outcome).__name__
            with gevent.Timeout(5):
                while "POST" not in proxy.requests:
                    gevent.sleep(0.02)
            gevent.sleep(0.2)
            report["requests"] = proxy.requests
    """
    minio.create_bucket("unanswered")
    store = on_s3(minio.endpoint, minio.access_key, minio.secret_key) | {"TARGET": minio.endpoint}
    report = under_gevent(script, local | store | {"ICEBERG_STORAGE_ALLOWED_LOCATIONS": "s3://unanswered/a"})
    assert report["error"] == "ServiceUnavailableException"
    assert set(report["requests"]) == {"PUT", "POST"}
    assert minio.keys("unanswered") == set()


def load(environment: dict[str, str], **changes: Any) -> Settings:
    settings = Settings.load(environ=environment)
    return replace(settings, storage=replace(settings.storage, **changes))


def test_locations_outside_the_prefixes_reach_no_file_system(local: dict[str, str], tmp_path: Path) -> None:
    storages = Storages.from_settings(load(local, allowed_locations=(f"{tmp_path}/more",)))
    for spelling in (f"{tmp_path}/more/a", f"file:{tmp_path}/more/b", f"file://{tmp_path}/warehouse/c"):
        storages.for_location(spelling).write_new(spelling, b"x")
    for outside in (f"{tmp_path}/more2/t", f"{tmp_path}", "s3://bucket/t"):
        with pytest.raises(IllegalArgumentException, match=r"storage\.allowed_locations"):
            storages.for_location(outside)
    with pytest.raises(BadRequestException, match="segments are not allowed"):
        storages.for_location(f"{tmp_path}/warehouse/../x")


def test_boto3_is_only_imported_for_s3(local: dict[str, str]) -> None:
    assert under_gevent('report["boto3"] = "boto3" in sys.modules', local) == {"boto3": False}


def test_malformed_prefixes_are_faults_of_the_configuration(local: dict[str, str]) -> None:
    wrong = {
        "ICEBERG_STORAGE_ALLOWED_LOCATIONS": "s3://bucket/../x,ftp://x,/fine",
        "ICEBERG_STORAGE_WAREHOUSE": "file://host/x",
    }
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(environ=local | wrong)
    found = {(fault.key, fault.got) for fault in caught.value.faults}
    assert found == {
        ("storage.allowed_locations", "s3://bucket/../x"),
        ("storage.allowed_locations", "ftp://x"),
        ("storage.warehouse", "file://host/x"),
    }
