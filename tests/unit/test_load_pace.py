"""How long the clients of a load rest."""

import pytest

from tests.load.pace import Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_without_a_rate_everybody_rests_as_long() -> None:
    assert [Pace(0.5).rest() for _ in range(3)] == [0.5] * 3


def test_clients_share_a_rate() -> None:
    pace = Pace(0.5, 4, Clock())
    assert [pace.rest() for _ in range(4)] == pytest.approx([0.25, 0.5, 0.75, 1.0])


def test_nobody_hurries_after_a_stop() -> None:
    clock = Clock()
    pace = Pace(0.5, 4, clock)
    pace.rest()
    clock.now += 60
    assert [pace.rest() for _ in range(2)] == pytest.approx([0.25, 0.5])
