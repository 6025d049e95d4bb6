"""Programs, ports and child processes."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from tests.support.cache import locked
from tests.support.proc import session_members

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
T = TypeVar("T")


class SetupError(RuntimeError):
    """Something that the tests need is missing or did not start; the message says what to do."""


def run(command: Sequence[str | Path], **options: object) -> str:
    """Run a command to its end and return its output.

    :raises SetupError: when it fails, with all it printed
    """
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **options,
    )
    if done.returncode:
        raise SetupError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def require_program(program: str, *packages: str) -> str:
    """Return the path of ``program``; as root install the first Debian package that offers it.

    :raises SetupError: when it is missing and cannot be installed
    """
    found = shutil.which(program)
    if found:
        return found
    install(*packages, reason=f"The tests need the program {program}")
    found = shutil.which(program)
    if not found:
        raise SetupError(f"{program} is still missing after installing one of {', '.join(packages)}")
    return found


def install(*alternatives: str, reason: str) -> None:
    """Install the first of the Debian packages that exists.

    :raises SetupError: when not root, with the one command to run
    """
    if os.geteuid() != 0:
        raise SetupError(f"{reason}; install it with: sudo apt-get install {alternatives[0]}")
    with locked("apt"):
        _install(alternatives, reason)


def _install(alternatives: Sequence[str], reason: str) -> None:
    run(["apt-get", "update", "-qq"])
    faults = []
    for package in alternatives:
        try:
            run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package])
        except SetupError as fault:
            faults.append(str(fault))
        else:
            return
    raise SetupError(f"{reason}, but it cannot be installed:\n" + "\n".join(faults))


def free_port() -> int:
    """Return a TCP port of the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(
    command: Sequence[str | Path],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: int | None = None,
    errors: Path | None = None,
    end_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own that gets ``end_signal`` when the test run dies."""
    identity = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    with log.open("ab") as out, (errors or log).open("ab") as err:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, end_signal),
            **identity,
        )


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM, timeout: float = 40) -> int:
    """Send ``how`` to the process and return its exit status.

    :raises SetupError: when it lives on after ``timeout`` seconds; it is killed then
    """
    if process.poll() is None:
        process.send_signal(how)
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        kill_session(process.pid)
        process.wait()
        raise SetupError(f"process {process.args} did not end {timeout} s after {how.name}") from None


def kill_session(session: int) -> list[int]:
    """Kill every process of a session or descended from it, as one; return their ids.

    They are frozen first, so that none can start another one meanwhile.
    """
    frozen: set[int] = set()
    while victims := set(session_members(session)) - frozen:
        for pid in victims:
            send(pid, signal.SIGSTOP)
        frozen |= victims
    for pid in frozen:
        send(pid, signal.SIGKILL)
    return sorted(frozen)


def send(pid: int, how: signal.Signals) -> None:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return


def eventually(question: Callable[[], T], timeout: float, what: str, interval: float = 0.02) -> T:
    """Ask ``question`` until it answers something true, and return that.

    :raises SetupError: when it is still false after ``timeout`` seconds; an exception of the last
        question is its cause
    """
    deadline = time.monotonic() + timeout
    while True:
        fault = None
        try:
            answer = question()
        except (OSError, AssertionError) as error:
            fault = error
        else:
            if answer:
                return answer
        if time.monotonic() > deadline:
            raise SetupError(f"waited {timeout:g} s in vain: {what}") from fault
        time.sleep(interval)
