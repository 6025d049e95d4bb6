"""The writer of lines: nothing lost, nothing mixed, nobody held up by a reader that does not read."""

import os
from collections.abc import Iterator

import pytest

from app.observability.writer import ATOMIC, LineWriter
from tests.support.process import eventually


def render(entry: str) -> bytes:
    return entry.encode() + b"\n"


def make_writer(fd: int, **options: int) -> LineWriter:
    return LineWriter(render, drop_notice=lambda count: f"dropped {count}", fd=fd, interval=0.001, **options)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        if not is_closed(descriptor):
            os.close(descriptor)


def is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


def read_available(descriptor: int) -> list[str]:
    os.set_blocking(descriptor, False)
    data = b""
    while True:
        try:
            part = os.read(descriptor, 1 << 20)
        except BlockingIOError:
            break
        if not part:
            break
        data += part
    os.set_blocking(descriptor, True)
    return data.decode().splitlines()


def test_before_start_lines_are_written_at_once(pipe: tuple[int, int]):
    writer = make_writer(pipe[1])
    writer.submit("one")
    assert read_available(pipe[0]) == ["one"]


def test_close_writes_what_is_queued_in_order(pipe: tuple[int, int]):
    writer = make_writer(pipe[1])
    writer.start()
    for number in range(1000):
        writer.submit(str(number))
    writer.close()
    writer.submit("after")
    assert read_available(pipe[0]) == [*map(str, range(1000)), "after"]
    assert writer.dropped == 0


def test_pieces_written_to_a_pipe_are_whole_lines_that_the_kernel_keeps_together(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
):
    pieces: list[bytes] = []
    writer = make_writer(pipe[1])
    monkeypatch.setattr(os, "write", lambda fd, data: pieces.append(bytes(data)) or len(data))
    writer.start()
    for number in range(2000):
        writer.submit(f"{number} " + "x" * (number % 700))
    writer.close()
    monkeypatch.undo()
    assert len(b"".join(pieces).splitlines()) == 2000
    assert all(piece.endswith(b"\n") and len(piece) <= ATOMIC for piece in pieces)


def test_a_blocked_reader_holds_up_nobody_and_the_loss_is_counted_and_said(pipe: tuple[int, int]):
    writer = make_writer(pipe[1], capacity=100)
    writer.start()
    for _ in range(20):
        for _ in range(200):
            writer.submit("x" * 1000)
        eventually(lambda: len(writer._queue) in (0, 100), 5, "the queue is empty or full")
    assert writer.dropped > 0
    assert len(writer._queue) == 100
    lost = writer.dropped
    lines: list[str] = []

    def notice_arrived() -> bool:
        lines.extend(read_available(pipe[0]))
        return any(line.startswith("dropped") for line in lines)

    eventually(notice_arrived, 5, "the loss is said")
    assert f"dropped {lost}" in lines
    assert len([line for line in lines if line.startswith("x")]) + lost == 4000
    writer.close()


def test_close_gives_up_on_a_reader_that_does_not_read(pipe: tuple[int, int]):
    writer = make_writer(pipe[1])
    writer.start()
    for _ in range(500):
        writer.submit("x" * 1000)
    writer.close(timeout=0.05)
    assert not writer.running
    assert writer.dropped > 0
    read_available(pipe[0])


def test_a_reader_that_went_away_costs_lines_only(pipe: tuple[int, int]):
    writer = make_writer(pipe[1])
    os.close(pipe[0])
    writer.submit("direct")
    writer.start()
    writer.submit("queued")
    writer.close()
    assert writer.dropped == 2


def test_direct_writing_to_a_full_pipe_does_not_block(pipe: tuple[int, int]):
    writer = make_writer(pipe[1])
    os.set_blocking(pipe[1], False)
    try:
        while True:
            os.write(pipe[1], b"y" * ATOMIC)
    except BlockingIOError:
        os.set_blocking(pipe[1], True)
    writer.submit("lost")
    assert writer.dropped == 1


def test_a_descriptor_that_somebody_made_non_blocking_loses_nothing(pipe: tuple[int, int]):
    os.set_blocking(pipe[1], False)
    writer = make_writer(pipe[1])
    writer.start()
    for number in range(3000):
        writer.submit(f"{number} " + "x" * 200)
    lines: list[str] = []
    eventually(lambda: lines.extend(read_available(pipe[0])) or len(lines) == 3000, 10, "all lines arrive")
    writer.close()
    assert [int(line.split()[0]) for line in lines] == list(range(3000))


def test_a_forked_child_writes_for_itself(pipe: tuple[int, int]):
    writer = make_writer(pipe[1])
    writer.start()
    child = os.fork()
    if child == 0:
        writer.submit("child")
        os._exit(0 if not writer.running else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    writer.submit("parent")
    writer.close()
    assert sorted(read_available(pipe[0])) == ["child", "parent"]
