"""Native threads beside gevent's event loop, tried in a process that gevent has patched."""

import subprocess
import sys

from app.observability.native import beside_event_loop

PATCHED = """
from gevent import monkey
monkey.patch_all()
import gevent, threading, time
from app.observability.native import beside_event_loop, original
own = original("_thread", "get_native_id")
ticks = []
ticker = gevent.spawn(lambda: [ticks.append(gevent.sleep(0)) for _ in range(10)])
waiting = original("_thread", "allocate_lock")()
waiting.acquire()
def compute():
    waiting.acquire(timeout=30)
    return own()
gevent.spawn(lambda: (ticker.join(), waiting.release()))
assert beside_event_loop(compute) != own()
assert len(ticks) == 10
try:
    beside_event_loop(lambda: 1 / 0)
except ZeroDivisionError:
    print("refused")
"""


def test_the_loop_goes_on_while_a_thread_computes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PATCHED], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "refused" in done.stdout


def test_without_gevent_the_call_is_made_at_once() -> None:
    assert beside_event_loop(lambda: 7) == 7
