"""A program that answers each line of JSON on its standard input with one on its standard output."""

import json
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.support.process import LIBC, PR_SET_PDEATHSIG, SetupError, kill_session


class ClientError(Exception):
    """What a client raised; ``details`` is its answer as it came."""

    def __init__(self, details: dict[str, Any]) -> None:
        super().__init__(details["message"])
        self.details = details


class Program:
    """``ask`` sends ``question`` and returns ``result`` of the answer, or raises its ``error``."""

    def __init__(
        self, command: Sequence[str | Path], folder: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.command, self.folder, self.env = [str(part) for part in command], folder, env
        self.log = folder / "log"
        self.unread = b""

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, **(self.env or {})},
                start_new_session=True,
                preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, 15),
            )
        return self

    def __exit__(self, *fault: object) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            kill_session(self.process.pid)
            self.process.wait()
        self.process.stdout.close()

    def ask(self, question: object, timeout: float = 120) -> Any:
        self.process.stdin.write(json.dumps(question).encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.read_line(time.monotonic() + timeout))
        if "error" in answer:
            raise ClientError(answer["error"])
        return answer["result"]

    def read_line(self, deadline: float) -> bytes:
        output = self.process.stdout.fileno()
        while b"\n" not in self.unread:
            ready, _, _ = select.select([output], [], [], max(deadline - time.monotonic(), 0))
            chunk = os.read(output, 65536) if ready else b""
            if not chunk:
                what = "closed its output" if ready else "did not answer in time"
                raise SetupError(f"{self.command[0]} {what}:\n{self.log.read_text(errors='replace')[-4000:]}")
            self.unread += chunk
        line, _, self.unread = self.unread.partition(b"\n")
        return line
