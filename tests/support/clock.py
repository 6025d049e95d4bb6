"""A clock that can be set, for processes that are started with it; their monotonic clock goes on."""

from pathlib import Path

from tests.support.preload import Preload

SOURCE = Path(__file__).with_name("clock.c")


class Clock(Preload):
    """``jump`` moves the time of day of its processes."""

    def __init__(self) -> None:
        super().__init__(SOURCE, "CLOCK_OFFSET", 0)

    def jump(self, seconds: int) -> None:
        """Let the clock be wrong by so many seconds from now on."""
        self.number = seconds
