"""One child process, watched through a descriptor that cannot be mistaken for another process."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import Any


class Child:
    """A process: started by us, or a survivor of an earlier supervisor that we adopted."""

    def __init__(self, name: str, pid: int, process: subprocess.Popen[bytes] | None) -> None:
        self.name = name
        self.pid = pid
        self.started = time.monotonic()
        self.descriptor = os.pidfd_open(pid)
        self.ended = False
        self.exit_code: int | None = None
        self._process = process

    def send(self, how: signal.Signals) -> None:
        if not self.ended:
            try:
                signal.pidfd_send_signal(self.descriptor, how)
            except ProcessLookupError:
                return  # it ended a moment ago; the next wait says so

    def write(self, data: bytes) -> None:
        """Everything on its standard input, which is closed then."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
            self._process.stdin.close()
        except BrokenPipeError:
            return  # it ended first; its exit code tells why

    def go(self) -> None:
        """Let a process on that waits for the word (``lifeline.wait_for_go``)."""
        self.write(b"1")

    def kill(self) -> None:
        """End it now and take its exit code, if it has not ended yet."""
        if not self.ended:
            self.send(signal.SIGKILL)
            if self._process:
                self._process.wait()
                self.reap()

    def reap(self) -> None:
        """Note the end that the descriptor has shown; an adopted process's exit code is unknown."""
        if self._process:
            self.exit_code = self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()
        self.ended = True
        os.close(self.descriptor)


def start_child(name: str, command: Sequence[str], **options: Any) -> Child:
    """Start a program in a session of its own: a Ctrl-C in the terminal reaches the supervisor only."""
    settled = {"stdin": subprocess.DEVNULL, "start_new_session": True, **options}
    process = subprocess.Popen(command, **settled)
    return Child(name, process.pid, process)


def adopted_child(name: str, pid: int) -> Child:
    return Child(name, pid, None)
