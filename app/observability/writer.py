"""Complete lines to a file descriptor, without ever holding up the caller.

Before ``start`` and after ``close`` a line is written at once. In between callers only append to a bounded
queue and a native thread renders and writes: a reader that stops reading blocks that thread and nothing else.
"""

import os
import select
import stat
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from app.observability import native

ATOMIC: Final = select.PIPE_BUF
"""Bytes that the kernel never mixes with another process's write to the same pipe (4,096 on Linux)."""

FILE_CHUNK: Final = 65_536
DIRECT_WAIT_MS: Final = 100
RETRY_SECONDS: Final = 0.01


class LineWriter:
    """Lines of one process to ``fd``.

    ``render`` turns an entry into one line of bytes with its line end, at most ``ATOMIC`` bytes long if
    lines of several processes must stay apart; it runs in the writing thread. ``capacity`` bounds the queue
    in entries; what does not fit, or cannot be written, is counted in ``dropped``, and said in the output
    by the entry ``drop_notice(count)`` as soon as lines go out again.
    """

    def __init__(
        self,
        render: Callable[[Any], bytes],
        *,
        drop_notice: Callable[[int], Any],
        fd: int = 1,
        capacity: int = 50_000,
        interval: float = 0.02,
    ) -> None:
        self.dropped = 0
        self._reported = 0
        self._render = render
        self._drop_notice = drop_notice
        self._fd = fd
        self._capacity = capacity
        self._interval = interval
        self._queue: deque[Any] = deque()
        self._running = False
        self._stopping = False
        self._asleep = False  # the thread waits for the first entry, nothing runs while nothing is logged
        self._finished: Any = None
        self._wake: Any = None
        os.register_at_fork(after_in_child=self._forget)

    @property
    def running(self) -> bool:
        return self._running

    def submit(self, entry: Any) -> None:
        """Take one entry: queued while running (well under a microsecond), else written at once."""
        if not self._running:
            self._write_directly(entry)
        elif len(self._queue) < self._capacity:
            self._queue.append(entry)
            if self._asleep:
                self._rouse()
        else:
            self.dropped += 1

    def start(self) -> None:
        """Begin buffering. Call after the fork; the thread is this process's own."""
        if self._running:
            return
        self._stopping = self._asleep = False
        self._finished, self._wake = (native.original("_thread", "allocate_lock")() for _ in range(2))
        self._finished.acquire()
        self._wake.acquire()
        self._sleep = native.original("time", "sleep")
        self._running = True
        native.start_thread(self._run)

    def close(self, timeout: float = 2.0) -> None:
        """Write out what is queued, then go back to direct writing; gives up after ``timeout`` seconds."""
        if not self._running:
            return
        self._stopping = True
        self._rouse()
        finished = self._finished.acquire(timeout=timeout)
        self._running = False
        if finished:
            self._drain()
        self.dropped += len(self._queue)
        self._queue.clear()

    def _forget(self) -> None:
        """In a forked child the thread is gone and the queue belongs to the parent."""
        self._running = False
        self._queue = deque()

    def _rouse(self) -> None:
        self._asleep = False
        with suppress(RuntimeError):  # another thread's entry has just done it
            self._wake.release()

    def _run(self) -> None:
        while not self._stopping:
            self._asleep = True
            if not self._queue and not self._stopping:
                self._wake.acquire()
            self._asleep = False
            self._sleep(self._interval)
            self._drain()
        self._drain()
        self._finished.release()

    def _drain(self) -> None:
        """Write the queue in chunks of whole lines, none longer than the descriptor takes in one piece."""
        limit = self._chunk_size()
        chunk = bytearray()
        while self._queue:
            line = self._render(self._queue.popleft())
            if chunk and len(chunk) + len(line) > limit:
                self._write(chunk)
                chunk = bytearray()
            chunk += line
        if chunk and self._write(chunk) and self.dropped > self._reported:
            dropped, self._reported = self.dropped - self._reported, self.dropped
            self._write(self._render(self._drop_notice(dropped)))

    def _chunk_size(self) -> int:
        try:
            regular = stat.S_ISREG(os.fstat(self._fd).st_mode)
        except OSError:
            return ATOMIC
        return FILE_CHUNK if regular else ATOMIC

    def _write(self, data: bytes | bytearray) -> bool:
        """Write all of ``data``, however long that takes; False when part of it was given up."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._fd, view) :]
            except BlockingIOError:  # somebody else made the shared descriptor non-blocking
                if self._stopping:
                    self.dropped += _lines(view)
                    return False
                self._sleep(RETRY_SECONDS)
            except OSError:
                self.dropped += _lines(view)
                return False
        return True

    def _write_directly(self, entry: Any) -> None:
        line = self._render(entry)
        try:
            writable = native.original("select", "select")([], [self._fd], [], DIRECT_WAIT_MS / 1000)[1]
            if not writable:
                self.dropped += 1
                return
            os.write(self._fd, line)
        except (OSError, ValueError):
            self.dropped += 1


def _lines(view: memoryview) -> int:
    return bytes(view).count(b"\n")
