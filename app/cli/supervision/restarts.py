"""How often a process may be started again."""

import time

_WINDOW = 60.0
_MOST = 5
_LONGEST_PAUSE = 30.0


class Restarts:
    """The unexpected ends of one process within the last minute."""

    def __init__(self) -> None:
        self._ends: list[float] = []

    def note(self) -> None:
        now = time.monotonic()
        self._ends = [end for end in self._ends if now - end < _WINDOW] + [now]

    @property
    def pause(self) -> float:
        """Seconds to wait before the next start: none the first time, then 1, 2, 4 …"""
        return min(2.0 ** (len(self._ends) - 2), _LONGEST_PAUSE) if len(self._ends) > 1 else 0.0

    @property
    def hopeless(self) -> bool:
        return len(self._ends) > _MOST
