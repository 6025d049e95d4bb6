"""Faults on purpose."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import InternalServerError
from app.observability import failpoints
from app.observability.failpoints import failpoint
from tests.support.process import eventually


@pytest.fixture(autouse=True)
def nothing_stays_armed() -> Iterator[None]:
    yield
    failpoints.arm(())


def test_only_the_armed_place_fails() -> None:
    failpoints.arm(("a.b=error",))
    failpoint("a.c")
    with pytest.raises(InternalServerError):
        failpoint("a.b")


def test_hold_stops_the_first_who_comes_until_its_file_is_removed(tmp_path: Path) -> None:
    failpoints.arm((f"a.b=hold:{tmp_path}",))
    failpoint("a.b")
    (tmp_path / "a.b.armed").touch()
    stopped = threading.Thread(target=failpoint, args=("a.b",))
    stopped.start()
    eventually((tmp_path / "a.b.held").exists, 5, "the first one is stopped")
    failpoint("a.b")
    assert stopped.is_alive()
    (tmp_path / "a.b.held").unlink()
    stopped.join(5)
    assert not stopped.is_alive()


def test_kill_waits_for_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(failpoints.os, "kill", lambda *what: killed.append(what))
    failpoints.arm((f"a.b=kill:{tmp_path}",))
    failpoint("a.b")
    assert killed == []
    (tmp_path / "a.b.armed").touch()
    failpoint("a.b")
    failpoint("a.b")
    assert killed == [(os.getpid(), signal.SIGKILL)]
    assert (tmp_path / "a.b.killed").exists()


def test_error_waits_for_its_file(tmp_path: Path) -> None:
    """A name that is armed twice does both, in that order."""
    failpoints.arm((f"a.b=hold:{tmp_path}/hold", f"a.b=error:{tmp_path}"))
    failpoint("a.b")
    (tmp_path / "a.b.armed").touch()
    with pytest.raises(InternalServerError):
        failpoint("a.b")
    failpoint("a.b")
    assert (tmp_path / "a.b.failed").exists()
