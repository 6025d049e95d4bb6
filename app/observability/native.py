"""The standard library's blocking primitives, also where gevent has replaced them.

A thread that must go on while the event loop is busy, and must never enter it, needs the originals.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def original(module: str, name: str) -> Any:
    """``module.name`` as it was before monkey patching; the plain attribute when gevent is not loaded."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None:
        return getattr(importlib.import_module(module), name)
    return monkey.get_original(module, name)


def beside_event_loop(call: Callable[[], T]) -> T:
    """What ``call`` returns; computed in a native thread where this process runs on gevent's event loop."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return call()
    from gevent import get_hub

    return get_hub().threadpool.apply(call)  # type: ignore[no-any-return]


def start_thread(target: Callable[[], None]) -> None:
    """Run ``target`` in an operating system thread that does not keep the process alive."""
    original("_thread", "start_new_thread")(target, ())
