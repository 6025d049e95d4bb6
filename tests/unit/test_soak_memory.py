"""Whether memory is flat, judged from samples."""

import os

from tests.soak.memory import FEWEST_STEPS, MOST_GROWTH, Growth, Memory, growth_of


def test_the_first_round_of_a_process_does_not_count() -> None:
    samples = [[100, 500, 510, 530], [100, 900], [100], [50, 300, 290]]
    assert growth_of(samples) == Growth((30 - 10) / 3, 3)


def test_nothing_is_known_before_two_rounds() -> None:
    assert growth_of([[100, 500]]) == Growth(0.0, 0)


def test_what_is_flat() -> None:
    assert Growth(MOST_GROWTH, FEWEST_STEPS).is_flat
    assert not Growth(MOST_GROWTH + 1, FEWEST_STEPS).is_flat
    assert Growth(MOST_GROWTH + 1, FEWEST_STEPS - 1).is_flat


def test_samples_are_what_the_kernel_says() -> None:
    memory = Memory()
    gone = 2**22 + 1  # no process has a number that large
    assert memory.sample({os.getpid(): "me", gone: "nobody"}) > 1_000_000
    assert memory.growth() == {"me": Growth(0.0, 0)}
