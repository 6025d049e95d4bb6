"""A child that ends when its parent dies, however that happened."""

import ctypes
import os
import signal

# Set by the supervisor for its children: its process id, the descriptor of the bound socket, and that it says go.
SUPERVISOR = "BINGSAN_SUPERVISOR"
LISTENER = "BINGSAN_LISTENER"
GATE = "BINGSAN_GATE"
_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int | None = None, how: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send ``how`` when the parent dies; exit at once if it is gone already.

    ``parent`` is its process id; without it the supervisor's, and nothing is done where there is none.
    """
    expected = parent or int(os.environ.get(SUPERVISOR, "0"))
    if not expected:
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, how, 0, 0, 0)
    if os.getppid() != expected:
        raise SystemExit(0)


def wait_for_go() -> None:
    """Started ahead of time, so that the imports are done: wait for the supervisor's word on standard input.

    Ends the process if the supervisor is gone instead.
    """
    if os.environ.pop(GATE, None) and not os.read(0, 1):
        raise SystemExit(0)
